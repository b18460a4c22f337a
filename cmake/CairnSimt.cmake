# One CUDA source, several forms: functions that compile .cu files for the CPU, for the GPU and for the race detector.
# Not here: finding CUDA (CairnCuda.cmake).

set(CAIRN_SIMT_DIR ${CMAKE_CURRENT_LIST_DIR}/../kernels/runtime/simt)
cmake_path(NORMAL_PATH CAIRN_SIMT_DIR)
set(CAIRN_SIMT_OPTIMIZATION -O3)  # of the CPU form; a folder whose kernels need no speed sets another
# The race detector replaces ThreadSanitizer's library and goes with no other sanitizer.
if(CAIRN_SANITIZE)
  set(CAIRN_HAS_RACE_CHECK OFF)
else()
  set(CAIRN_HAS_RACE_CHECK ON)
endif()

# cairn_add_simt_executor(name [extra sources of kernels/runtime/simt...]): the executor as a static library. The checked forms
# need their own, because executor and kernels must be compiled for the same form (kernels/runtime/simt/build_mode.h).
function(cairn_add_simt_executor name)
  set(sources collectives.cpp config.cpp executor.cpp fiber.cpp host_launch.cpp report.cpp scheduler.cpp warpgroup.cpp
    ${ARGN})
  list(TRANSFORM sources PREPEND ${CAIRN_SIMT_DIR}/)
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES UNITY_BUILD ${CAIRN_UNITY})
  target_link_libraries(${name} PUBLIC cairn_cpu)
  # -g: so that a debugger knows the function behind `print threadIdx`
  target_compile_options(${name} PRIVATE -fno-semantic-interposition -g)
endfunction()

# Writes FOLDER/x.cu.cpp, which includes x.cu, for each source, and sets `result` to the list: a .cu file has one
# language in CMake, and this way it is CUDA in one target and C++ in another.
function(cairn_host_sources result folder)
  set(files)
  foreach(source IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH source NORMALIZE OUTPUT_VARIABLE path)
    cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE name)
    set(file ${CMAKE_CURRENT_BINARY_DIR}/${folder}/${name}.cpp)
    file(CONFIGURE OUTPUT ${file} CONTENT "#include \"${path}\"\n" @ONLY)
    list(APPEND files ${file})
  endforeach()
  set(${result} ${files} PARENT_SCOPE)
endfunction()

# cairn_add_cuda_source(target a.cu b.cu ...): adds the CPU form of CUDA source to a target of nothing else and links the
# executor.
function(cairn_add_cuda_source target)
  cairn_host_sources(files host ${ARGN})
  target_sources(${target} PRIVATE ${files})
  target_link_libraries(${target} PUBLIC cairn_simt)
  if(CAIRN_SANITIZE)
    set(options -O1 -g1)
  else()
    # kernels inlined into their row loops although the code is position-independent
    set(options $<$<NOT:$<CONFIG:Debug>>:${CAIRN_SIMT_OPTIMIZATION}> -fno-semantic-interposition)
  endif()
  target_compile_options(${target} PRIVATE ${options})
endfunction()

# cairn_add_cuda_kernels(target a.cu b.cu ...): adds the GPU form of the same files to a target; only where
# CAIRN_HAS_CUDA is on.
function(cairn_add_cuda_kernels target)
  target_sources(${target} PRIVATE ${ARGN})
  target_link_libraries(${target} PUBLIC cairn_cuda)
endfunction()

# cairn_add_race_checked_source(target a.cu b.cu ...): adds the race-checked CPU form of the same files to a target of
# nothing else; only where CAIRN_HAS_RACE_CHECK is on. A launch then throws where threads race or read shared memory that
# was never written. It is 20 to 100 times slower than the CPU form, has the same symbols (a program holds one of the
# two), and links without -fsanitize=thread.
function(cairn_add_race_checked_source target)
  cairn_host_sources(files race ${ARGN})
  target_sources(${target} PRIVATE ${files})
  target_link_libraries(${target} PUBLIC cairn_simt_race)
  target_compile_options(${target} PRIVATE -O1 -g1 -fsanitize=thread)
endfunction()
