# The files that examples/apptainer.def puts into the container are all that its build needs: copied as
# it says, they are configured as it says. (Apptainer itself is in no Debian.)
file(REMOVE_RECURSE ${WORK_DIR})
file(STRINGS ${SOURCE_DIR}/examples/apptainer.def lines)
set(files 0)
foreach(line IN LISTS lines)
  if(line MATCHES "^    ([^ ]+) /usr/src/lockstep/(.+)$")
    cmake_path(GET CMAKE_MATCH_2 PARENT_PATH folder)
    file(COPY ${SOURCE_DIR}/${CMAKE_MATCH_1} DESTINATION ${WORK_DIR}/source/${folder})
    math(EXPR files "${files} + 1")
  elseif(line MATCHES "^    cmake -S .* -G Ninja (.*)$")
    separate_arguments(options UNIX_COMMAND "${CMAKE_MATCH_1}")
  endif()
endforeach()
if(files EQUAL 0 OR NOT options)
  message(FATAL_ERROR "nothing is found in apptainer.def: its form has changed")
endif()

execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${WORK_DIR}/source -B ${WORK_DIR}/build -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${CXX_COMPILER} ${options}
  COMMAND_ECHO STDOUT COMMAND_ERROR_IS_FATAL ANY)
# What is installed without having been built.
foreach(entry IN ITEMS README.md LICENSE docs examples experiments)
  if(NOT EXISTS ${WORK_DIR}/source/${entry})
    message(FATAL_ERROR "apptainer.def does not copy ${entry}, which cmake/install.cmake installs")
  endif()
endforeach()
