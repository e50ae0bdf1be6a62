# The .deb of cmake/package.cmake: made, unpacked and run; without errors for lintian where it is.
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})

function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
endfunction()

execute_process(COMMAND cpack -B ${WORK_DIR} WORKING_DIRECTORY ${BUILD_DIR}
                COMMAND_ERROR_IS_FATAL ANY)
file(GLOB packages ${WORK_DIR}/lockstep_*.deb)
list(LENGTH packages count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "not one package: ${packages}")
endif()
# Packages of two systems have two names.
if(NOT packages MATCHES "-1~(deb|ubuntu)[0-9.]+_[a-z0-9]+\\.deb$")
  message(FATAL_ERROR "its name does not tell its system: ${packages}")
endif()
# Where a program is missing that CPack runs, it is named, with what to do.
execute_process(COMMAND ${CMAKE_COMMAND} -E env PATH=${WORK_DIR} ${CMAKE_COMMAND} -P ${REQUIRE_TOOLS}
                RESULT_VARIABLE result ERROR_VARIABLE words OUTPUT_QUIET)
if(result EQUAL 0 OR NOT words MATCHES "apt-get install file dpkg-dev")
  message(FATAL_ERROR "without dpkg-shlibdeps it says: ${words}")
endif()
run(dpkg-deb --extract ${packages} ${WORK_DIR}/root)
run(${WORK_DIR}/root/usr/bin/lockstep --version)
run(${WORK_DIR}/root/usr/bin/lockstep plan ${WORK_DIR}/root/usr/share/lockstep/experiments/smoke.toml)
execute_process(COMMAND dpkg-deb --field ${packages} Depends OUTPUT_VARIABLE depends
                COMMAND_ERROR_IS_FATAL ANY)
foreach(package IN ITEMS openmpi-bin libdnnl libsqlite3 libhdf5 libc6)
  if(NOT depends MATCHES "${package}")
    message(FATAL_ERROR "the package does not depend on ${package}: ${depends}")
  endif()
endforeach()
find_program(LINTIAN lintian)
if(LINTIAN)
  execute_process(COMMAND ${LINTIAN} --fail-on error ${packages} ERROR_QUIET
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
