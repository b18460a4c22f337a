# The libraries that programs and other projects link, static or, with BUILD_SHARED_LIBS, shared. Not here: the implementations
# behind cairn_kernels, which are always static: in a shared build they are inside it.
include(GNUInstallDirs)

if(BUILD_SHARED_LIBS)
  # Everything is exported, as from a static library, whatever the project around has set.
  unset(CMAKE_CXX_VISIBILITY_PRESET)
  if(DEFINED CMAKE_CXX_VISIBILITY_PRESET)  # in the cache
    set(CMAKE_CXX_VISIBILITY_PRESET default)
  endif()
  set(CMAKE_VISIBILITY_INLINES_HIDDEN OFF)
  # A folder of programs and libraries can be moved.
  set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
  file(RELATIVE_PATH from_programs ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set(CMAKE_INSTALL_RPATH $ORIGIN/${from_programs})
endif()

# cairn_add_library(name a.cpp ...): cairn_NAME, and cairn::NAME, which is what an installed Cairn calls it.
function(cairn_add_library name)
  add_library(cairn_${name} ${ARGN})
  add_library(cairn::${name} ALIAS cairn_${name})
  set_target_properties(cairn_${name} PROPERTIES EXPORT_NAME ${name} INSTALL_RPATH $ORIGIN
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    DEFINE_SYMBOL "")  # compiled alike in both forms
endfunction()
