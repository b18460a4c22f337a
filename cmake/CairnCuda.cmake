# CUDA toolkit, cuBLASLt and cuDNN: decides CAIRN_HAS_CUDA and CAIRN_HAS_CUDNN from CAIRN_CUDA and CAIRN_CUDNN
# (ON, OFF or AUTO). Targets for the libraries: CUDA::cudart_static, CUDA::cublasLt, CUDNN::cudnn.
# Not here: which sources use them (kernels/cuda, kernels/cudnn, CairnSimt.cmake).
set(CAIRN_HAS_CUDA OFF)
set(CAIRN_HAS_CUDNN OFF)
set(CAIRN_CUDA_MINIMUM 12.4)
set(CAIRN_CUDNN_MINIMUM 9.8)  # makes plans for a GPU that is only described, which the tests use

foreach(setting CAIRN_CUDA CAIRN_CUDNN)
  string(TOUPPER "${${setting}}" ${setting}_WANTED)
  if(${setting}_WANTED MATCHES "^(1|YES|TRUE|Y)$")
    set(${setting}_WANTED ON)
  elseif(${setting}_WANTED MATCHES "^(0|NO|FALSE|N)$")
    set(${setting}_WANTED OFF)
  elseif(NOT ${setting}_WANTED MATCHES "^(ON|OFF|AUTO)$")
    message(FATAL_ERROR "${setting} is '${${setting}}': choose ON, OFF or AUTO")
  endif()
endforeach()
if(CAIRN_CUDNN_WANTED STREQUAL "ON" AND CAIRN_CUDA_WANTED STREQUAL "OFF")
  message(FATAL_ERROR "CAIRN_CUDNN=ON needs CUDA, and CAIRN_CUDA is OFF: choose CAIRN_CUDA=ON or AUTO")
endif()

# Stops when the part was asked for; otherwise says why it is left out.
function(cairn_cuda_missing setting reason)
  if(${setting}_WANTED STREQUAL "ON")
    message(FATAL_ERROR "${setting}=ON, but ${reason}")
  endif()
  message(STATUS "${setting}: off, ${reason}")
endfunction()

# Where a toolkit may lie, best first. PATH comes between the places that were named and the customary ones.
set(CAIRN_CUDA_NAMED_ROOTS)
foreach(root "${CUDAToolkit_ROOT}" "$ENV{CUDAToolkit_ROOT}" "$ENV{CUDA_PATH}" "$ENV{CUDA_HOME}")
  if(root)
    list(APPEND CAIRN_CUDA_NAMED_ROOTS "${root}")
  endif()
endforeach()
set(CAIRN_CUDA_USUAL_ROOTS /usr/local/cuda /opt/cuda /usr/lib/cuda)

# Sets CAIRN_CUDA_PROBLEM: empty when nvcc works here and the toolkit is complete and new enough.
macro(cairn_probe_cuda)
  set(CAIRN_CUDA_PROBLEM "")
  # Programs that link CUDA code need the language in their own folder, and only the project around can enable it there.
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT PROJECT_IS_TOP_LEVEL AND NOT CUDA IN_LIST languages)
    set(CAIRN_CUDA_PROBLEM "the project around Cairn has not enabled the language: project(... LANGUAGES CXX CUDA)")
  endif()
  # 8.0 code runs on every 8.x; the PTX of 9.0 lets newer GPUs compile it for themselves.
  if(NOT CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
    set(CMAKE_CUDA_ARCHITECTURES "80-real;90")
  endif()

  if(CAIRN_CUDA_PROBLEM)
    # said already
  elseif(CMAKE_CUDA_COMPILER AND NOT EXISTS "${CMAKE_CUDA_COMPILER}")
    set(CAIRN_CUDA_PROBLEM "CMAKE_CUDA_COMPILER is ${CMAKE_CUDA_COMPILER}, and there is no such file")
  elseif(NOT CMAKE_CUDA_COMPILER)
    find_program(CAIRN_NVCC nvcc HINTS ${CAIRN_CUDA_NAMED_ROOTS} PATHS ${CAIRN_CUDA_USUAL_ROOTS} PATH_SUFFIXES bin)
    mark_as_advanced(CAIRN_NVCC)
    if("$ENV{CUDACXX}" STREQUAL "" AND CAIRN_NVCC)
      set(ENV{CUDACXX} "${CAIRN_NVCC}")
    endif()
    if("$ENV{CUDACXX}" STREQUAL "")
      list(TRANSFORM CAIRN_CUDA_NAMED_ROOTS APPEND "/bin" OUTPUT_VARIABLE named)
      list(TRANSFORM CAIRN_CUDA_USUAL_ROOTS APPEND "/bin" OUTPUT_VARIABLE usual)
      string(REPLACE ":" ";" searched "${named};$ENV{PATH};${usual}")
      list(REMOVE_DUPLICATES searched)
      list(JOIN searched " " searched)
      set(CAIRN_CUDA_PROBLEM "nvcc was not found (searched: ${searched}): install CUDA ${CAIRN_CUDA_MINIMUM} or newer, \
or set CUDAToolkit_ROOT or CMAKE_CUDA_COMPILER")
    else()
      include(CheckLanguage)
      check_language(CUDA)
      if(NOT CMAKE_CUDA_COMPILER)
        unset(CMAKE_CUDA_COMPILER CACHE)
        set(CAIRN_CUDA_PROBLEM "$ENV{CUDACXX} does not compile here (if the host compiler is newer than it knows, set \
CMAKE_CUDA_HOST_COMPILER; details: ${CMAKE_BINARY_DIR}/CMakeFiles/CMakeError.log)")
      endif()
    endif()
  endif()

  if(NOT CAIRN_CUDA_PROBLEM)
    find_package(CUDAToolkit QUIET)
    if(NOT CUDAToolkit_FOUND OR NOT TARGET CUDA::cudart_static)
      set(CAIRN_CUDA_PROBLEM "${CMAKE_CUDA_COMPILER} comes without the CUDA runtime's headers or libcudart_static.a: \
install the whole toolkit, or set CUDAToolkit_ROOT")
    elseif(CUDAToolkit_VERSION VERSION_LESS CAIRN_CUDA_MINIMUM)
      set(CAIRN_CUDA_PROBLEM "CUDA ${CUDAToolkit_VERSION} (${CMAKE_CUDA_COMPILER}) is older than ${CAIRN_CUDA_MINIMUM}")
    endif()
  endif()
endmacro()

if(CAIRN_CUDA_WANTED STREQUAL "OFF")
  message(STATUS "CAIRN_CUDA: off")
else()
  cairn_probe_cuda()
  if(CAIRN_CUDA_PROBLEM)
    cairn_cuda_missing(CAIRN_CUDA "${CAIRN_CUDA_PROBLEM}")
  else()
    set(CAIRN_HAS_CUDA ON)
    enable_language(CUDA)
    set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
    set(CMAKE_CUDA_STANDARD 20)
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    set(CMAKE_CUDA_EXTENSIONS OFF)
    if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know nvcc's flag
      set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    endif()
    # -DCMAKE_COMPILE_WARNING_AS_ERROR=ON makes nvcc's and the host compiler's warnings errors. A manifest leaves
    # fields of Backend out on purpose.
    add_compile_options($<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra,-Wno-missing-field-initializers>)
    message(STATUS "CAIRN_CUDA: on, CUDA ${CUDAToolkit_VERSION} (${CMAKE_CUDA_COMPILER}), "
                   "architectures ${CMAKE_CUDA_ARCHITECTURES}")
  endif()
endif()

if(CAIRN_HAS_CUDA AND NOT CAIRN_CUDNN_WANTED STREQUAL "OFF")
  find_package(CUDNN ${CAIRN_CUDNN_MINIMUM} QUIET)
  if(NOT TARGET CUDA::cublasLt)
    cairn_cuda_missing(CAIRN_CUDNN "cuBLASLt was not found (searched: ${CUDAToolkit_LIBRARY_DIR}): install libcublas, \
or set CUDAToolkit_ROOT")
  elseif(NOT CUDNN_FOUND)
    cairn_cuda_missing(CAIRN_CUDNN "${CUDNN_PROBLEM}")
  else()
    set(CAIRN_HAS_CUDNN ON)
    message(STATUS "CAIRN_CUDNN: on, cuDNN ${CUDNN_VERSION} (${CUDNN_LIBRARY})")
  endif()
elseif(CAIRN_CUDNN_WANTED STREQUAL "ON")
  message(FATAL_ERROR "CAIRN_CUDNN=ON, but this build has no CUDA: see CAIRN_CUDA above")
else()
  message(STATUS "CAIRN_CUDNN: off")
endif()
