# What `cmake --install` puts where: programs, libraries, headers and the package for find_package(cairn).
# Targets: cairn::trainers, cairn::models, cairn::datasets, cairn::framework, cairn::kernels, each with what it stands on.
include(CMakePackageConfigHelpers)

set(CAIRN_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/cairn)
set(libraries cairn_options cairn_cpu cairn_kernels cairn_framework cairn_datasets cairn_models cairn_trainers)
if(NOT BUILD_SHARED_LIBS)  # else they are inside cairn_kernels
  foreach(name simt reference simd eigen vanilla_cpu cuda vanilla_cuda cudnn)
    if(TARGET cairn_${name})
      set_target_properties(cairn_${name} PROPERTIES EXPORT_NAME ${name})
      list(APPEND libraries cairn_${name})
    endif()
  endforeach()
endif()
set_target_properties(cairn_options PROPERTIES EXPORT_NAME options)
install(TARGETS ${libraries} EXPORT cairn
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/cairn)
install(EXPORT cairn NAMESPACE cairn:: DESTINATION ${CAIRN_PACKAGE_DIR} FILE cairn-targets.cmake)
if(CAIRN_APPS)
  install(TARGETS ${CAIRN_PROGRAMS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# The headers lie under include/cairn as in the source tree; of kernels/ only what is not an implementation's own.
install(DIRECTORY framework datasets models trainers DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cairn
  FILES_MATCHING PATTERN *.h)
file(GLOB argument_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/kernels/*_args.h)  # all that primitives.h includes
install(FILES kernels/backend.h kernels/plugin.h kernels/primitives.h kernels/registry.h kernels/types.h ${argument_headers}
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cairn/kernels)
# PyTorch's recordings, where comparisons/reference.cpp looks for them.
install(DIRECTORY comparisons/references/recorded/ DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/cairn/references FILES_MATCHING PATTERN *.json)
install(FILES README.md LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

configure_package_config_file(cmake/cairn-config.cmake.in ${PROJECT_BINARY_DIR}/cairn-config.cmake
  INSTALL_DESTINATION ${CAIRN_PACKAGE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cairn-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cairn-config.cmake ${PROJECT_BINARY_DIR}/cairn-config-version.cmake
  cmake/FindLibdeflate.cmake cmake/FindCUDNN.cmake DESTINATION ${CAIRN_PACKAGE_DIR})
