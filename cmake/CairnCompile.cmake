# How every target of this project is compiled. Not here: which libraries are used (CairnPackages.cmake).

# What whoever uses Cairn must have too: the standard and the headers.
add_library(cairn_options INTERFACE)
add_library(cairn::options ALIAS cairn_options)
target_compile_features(cairn_options INTERFACE cxx_std_20)
target_include_directories(cairn_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include> $<INSTALL_INTERFACE:include/cairn>)
if(NOT PROJECT_IS_TOP_LEVEL)
  # The headers as an installed Cairn has them: cairn/framework/device.h.
  foreach(folder framework datasets models trainers kernels)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include/cairn)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_BINARY_DIR}/include/cairn/${folder} SYMBOLIC)
  endforeach()
  target_include_directories(cairn_options INTERFACE $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)
endif()

# Warnings, architecture, linker and sanitizers are for Cairn's own folders alone: whoever uses Cairn chooses their own.
# Designated initializers that leave fields at their defaults are meant (manifests, recipes).
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wno-missing-field-initializers>")
# g++ 12 reports these two inside libstdc++'s own sort and string at -O3, where nothing is wrong (GCC bugs 105562, 105651).
# clang's analysis and the sanitizer build stay.
add_compile_options("$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized;-Wno-restrict>")
# g++ collects its garbage at 100 MB or so; most files here need half a gigabyte at most, and are compiled some 5 % sooner.
add_compile_options("$<$<COMPILE_LANG_AND_ID:CXX,GNU>:--param=ggc-min-heapsize=500000>")

# The quickest linker at hand: there are some 50 programs, and GNU ld takes half a second for each, these a fifth of it.
set(CAIRN_LINKER AUTO CACHE STRING "bfd (GNU ld), gold, lld or mold; AUTO: the quickest at hand")
set_property(CACHE CAIRN_LINKER PROPERTY STRINGS AUTO bfd gold lld mold)
include(CheckLinkerFlag)
set(linkers ${CAIRN_LINKER})
if(CAIRN_LINKER STREQUAL AUTO)
  set(linkers lld gold)
endif()
foreach(linker IN LISTS linkers)
  check_linker_flag(CXX -fuse-ld=${linker} CAIRN_LINKER_IS_${linker})
  if(CAIRN_LINKER_IS_${linker})
    add_link_options("$<$<LINK_LANGUAGE:CXX>:-fuse-ld=${linker}>")
    break()
  elseif(NOT CAIRN_LINKER STREQUAL AUTO)
    message(FATAL_ERROR "CAIRN_LINKER is '${CAIRN_LINKER}', with which the compiler does not link: choose bfd, gold, lld or mold, or install it")
  endif()
endforeach()

if(CAIRN_ARCH)
  set(CAIRN_ARCH_FLAGS -march=${CAIRN_ARCH})
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  if(CAIRN_NATIVE)
    set(CAIRN_ARCH_FLAGS -march=native)
  else()
    set(CAIRN_ARCH_FLAGS -march=x86-64-v3)
  endif()
elseif(CAIRN_NATIVE)
  set(CAIRN_ARCH_FLAGS -mcpu=native)
endif()
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:${CAIRN_ARCH_FLAGS}>")

if(CAIRN_SANITIZE)
  add_compile_options(
    "$<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${CAIRN_SANITIZE};-fno-sanitize-recover=all;-fno-omit-frame-pointer>")
  add_link_options(-fsanitize=${CAIRN_SANITIZE})
endif()

# cairn_precompile_headers(target a.h <b> ...): these, which most files of the target include, are read once. For targets
# whose files must stay apart, where CAIRN_UNITY puts the others together.
function(cairn_precompile_headers target)
  if(CAIRN_UNITY)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# cairn_share_headers(group target a.h <b> ...): the same for programs of one folder. The first of a group reads the headers
# it names, the others take what it read; they must be compiled alike.
function(cairn_share_headers group target)
  if(NOT CAIRN_UNITY)
    return()
  endif()
  get_property(owner GLOBAL PROPERTY cairn_headers_${group})
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    set_property(GLOBAL PROPERTY cairn_headers_${group} ${target})
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# cairn_optimize(-O2): how a release build compiles this folder and those added from here on. Not by add_compile_options:
# CMake drops an option that was given before, so that the last level would not count.
macro(cairn_optimize level)
  string(REGEX REPLACE "-O[0-9sg]" "${level}" CMAKE_CXX_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
endmacro()
