# Toolchain file: Debian's cross compiler for 64-bit Arm, against the unpacked arm64 packages in CAIRN_SYSROOT; test
# programs run under qemu-user. scripts/aarch64 makes the folder and uses this file.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CAIRN_SYSROOT)
set(CMAKE_SYSROOT ${CAIRN_SYSROOT})
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# What a function takes in registers changed with GCC 10: a note that nobody here needs.
set(CMAKE_CXX_FLAGS_INIT -Wno-psabi)
# Debian's libraries name each other, in folders that only the sysroot has.
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "-Wl,-rpath-link,${CAIRN_SYSROOT}/usr/lib/aarch64-linux-gnu:${CAIRN_SYSROOT}/lib/aarch64-linux-gnu")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${CAIRN_SYSROOT})
