# What CMAKE_CUDA_ARCHITECTURES may be. Not here: its default, and the rest of the toolkit (CairnCuda.cmake).

# Sets `result` to what is wrong with a list of architectures as CMAKE_CUDA_ARCHITECTURES has them, in one line, or to
# nothing. Asynchronous copies and TF32 begin with compute capability 8.0 (kernels/runtime/cuda/stream.cpp says so at the start
# of a program).
function(cairn_check_architectures result)
  set(problem "")
  foreach(architecture IN LISTS ARGN)
    if(architecture MATCHES "^all(-major)?$")
      set(problem "CMAKE_CUDA_ARCHITECTURES is ${architecture}, which begins below compute capability 8.0: name them, \
such as \"80-real;90\"")
      break()
    elseif(architecture MATCHES "^([0-9]+)" AND CMAKE_MATCH_1 LESS 80)
      set(problem "CMAKE_CUDA_ARCHITECTURES has ${architecture}, and Cairn's kernels need compute capability 8.0 (80) or \
newer")
      break()
    endif()
  endforeach()
  set(${result} "${problem}" PARENT_SCOPE)
endfunction()
