# Components: `program` is what a package for users has, the rest serves other projects.
#
# cmake --install build --prefix DIR: the program, the rooms as libraries with their headers, for
# find_package(lockstep), the documents and the experiment files.
include(CMakePackageConfigHelpers)

set(LOCKSTEP_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/lockstep)
set(LOCKSTEP_ROOMS liveness trainer storage reports pipeline)

install(TARGETS lockstep RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)

foreach(room IN LISTS LOCKSTEP_ROOMS)
  set_target_properties(lockstep_${room} PROPERTIES EXPORT_NAME ${room})
  target_include_directories(lockstep_${room} INTERFACE
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/lockstep>)
  install(TARGETS lockstep_${room} EXPORT lockstep_targets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room}
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lockstep
          FILES_MATCHING PATTERN "*.hpp" PATTERN kernels EXCLUDE)
endforeach()
set_target_properties(lockstep_random123 PROPERTIES EXPORT_NAME random123)
install(TARGETS lockstep_random123 EXPORT lockstep_targets)

install(EXPORT lockstep_targets NAMESPACE lockstep:: DESTINATION ${LOCKSTEP_CONFIG_DIR})
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/lockstep-config.cmake.in ${PROJECT_BINARY_DIR}/lockstep-config.cmake
  INSTALL_DESTINATION ${LOCKSTEP_CONFIG_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/lockstep-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/lockstep-config.cmake
  ${PROJECT_BINARY_DIR}/lockstep-config-version.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindLibZip.cmake
  ${CMAKE_CURRENT_LIST_DIR}/FindOneDNN.cmake
  DESTINATION ${LOCKSTEP_CONFIG_DIR})

# The manual page and the shells' completions, which the program writes itself.
install(FILES ${LOCKSTEP_HELP_DIR}/lockstep.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        COMPONENT program)
install(FILES ${LOCKSTEP_HELP_DIR}/lockstep
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
install(FILES ${LOCKSTEP_HELP_DIR}/_lockstep DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
        COMPONENT program)
install(FILES ${LOCKSTEP_HELP_DIR}/lockstep.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT program)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs
        COMPONENT program PATTERN changelog.d EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/experiments ${PROJECT_SOURCE_DIR}/examples
        DESTINATION ${CMAKE_INSTALL_DATADIR}/lockstep COMPONENT program USE_SOURCE_PERMISSIONS)
include(package)
