# Finds cuDNN: target CUDNN::cudnn, CUDNN_VERSION; CUDNN_PROBLEM says in one line what is missing and where it was
# looked for. Hints: CUDNN_ROOT (CMake or environment), $CUDNN_PATH, the CUDA toolkit's folders, the system's.
set(hints "${CUDNN_ROOT}" "$ENV{CUDNN_ROOT}" "$ENV{CUDNN_PATH}" ${CUDAToolkit_TARGET_DIR} ${CUDAToolkit_LIBRARY_ROOT})
list(REMOVE_ITEM hints "")

find_path(CUDNN_INCLUDE_DIR NAMES cudnn_version.h HINTS ${hints} PATH_SUFFIXES include)
find_library(CUDNN_LIBRARY NAMES cudnn libcudnn.so.9 HINTS ${hints} PATH_SUFFIXES lib lib64)
mark_as_advanced(CUDNN_INCLUDE_DIR CUDNN_LIBRARY)

set(CUDNN_VERSION)
if(CUDNN_INCLUDE_DIR)
  file(STRINGS "${CUDNN_INCLUDE_DIR}/cudnn_version.h" lines REGEX "^#define CUDNN_(MAJOR|MINOR|PATCHLEVEL) +[0-9]+")
  list(TRANSFORM lines REPLACE "[^0-9]+" "")
  list(JOIN lines "." CUDNN_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CUDNN REQUIRED_VARS CUDNN_LIBRARY CUDNN_INCLUDE_DIR VERSION_VAR CUDNN_VERSION)

set(CUDNN_PROBLEM "")
if(NOT CUDNN_FOUND)
  if(CUDNN_LIBRARY AND CUDNN_INCLUDE_DIR)
    set(CUDNN_PROBLEM "cuDNN ${CUDNN_VERSION} (${CUDNN_LIBRARY}) is older than ${CUDNN_FIND_VERSION}")
  else()
    list(JOIN hints " " searched)
    string(REGEX REPLACE ";?[A-Z_]+-NOTFOUND;?" "" found "${CUDNN_INCLUDE_DIR};${CUDNN_LIBRARY}")
    set(CUDNN_PROBLEM "cuDNN was not found (found only: ${found}; searched: ${searched} and the system's folders): \
install cuDNN ${CUDNN_FIND_VERSION} or newer with its headers, or set CUDNN_ROOT")
    string(REPLACE "found only: ; " "" CUDNN_PROBLEM "${CUDNN_PROBLEM}")
  endif()
elseif(NOT TARGET CUDNN::cudnn)
  add_library(CUDNN::cudnn UNKNOWN IMPORTED)
  set_target_properties(CUDNN::cudnn PROPERTIES
    IMPORTED_LOCATION "${CUDNN_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${CUDNN_INCLUDE_DIR}")
endif()
