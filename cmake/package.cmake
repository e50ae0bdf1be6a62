# cmake --build build --target package: a .deb of the program, its help, documents and experiment
# files for the Debian or Ubuntu that it is built on. The libraries it depends on are found by
# dpkg-shlibdeps (package dpkg-dev), under the names and versions that this system has. So packages
# of two systems are two: each has its system in its version, lockstep_0.1.0-1~deb12_amd64.deb.
set(package_dir ${PROJECT_BINARY_DIR}/package)
set(LOCKSTEP_PACKAGE_CONTACT "Lockstep maintainers <lockstep@packages.example.org>" CACHE STRING
    "Maintainer of the .deb: NAME <ADDRESS>")

if(EXISTS /etc/os-release)
  file(STRINGS /etc/os-release system_lines REGEX "^(ID|VERSION_ID)=")
  foreach(line IN LISTS system_lines)
    string(REGEX MATCH "^([A-Z_]+)=\"?([^\"]*)" _ "${line}")
    set(system_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
  endforeach()
endif()
string(REPLACE "debian" "deb" package_system "${system_ID}${system_VERSION_ID}")
string(REGEX REPLACE "[^a-z0-9.]" "" package_system "${package_system}")
set(package_release 1)
if(package_system)
  set(package_release 1~${package_system})
endif()

# What Debian's policy wants beside the program.
string(TIMESTAMP package_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${CMAKE_CURRENT_LIST_DIR}/package/changelog.in ${package_dir}/changelog @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/package/copyright.in ${package_dir}/copyright @ONLY)
add_custom_command(
  OUTPUT ${package_dir}/changelog.Debian.gz
  COMMAND gzip -9nc ${package_dir}/changelog > ${package_dir}/changelog.Debian.gz
  DEPENDS ${package_dir}/changelog VERBATIM)
add_custom_target(lockstep_changelog ALL DEPENDS ${package_dir}/changelog.Debian.gz)
install(FILES ${package_dir}/copyright ${package_dir}/changelog.Debian.gz
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/lockstep COMPONENT package EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT ${LOCKSTEP_PACKAGE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trains and compares CNNs on CPU clusters in batch jobs")
set(CPACK_PACKAGE_DESCRIPTION
"Data-parallel training of convolutional networks over MPI ranks, from a
TOML experiment file, with the same bits on any number of ranks. Every epoch
is kept in an SQLite database, weights in HDF5; a stopped or killed job goes
on from its last step. A report sets architectures side by side.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL program package)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${package_release})
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS openmpi-bin)  # mpirun, which `lockstep run` starts
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/package/require_tools.cmake)
include(CPack)
