# lockstep_test(NAME SOURCES file... [LINKS target...] [LABELS label...] [TIMEOUT_SECONDS s]
#               [NEEDS need...] [SOME_NEED need...])
#   one Catch2 program, run by CTest as one test.
# lockstep_mpi_test(NAME SOURCES file... RANKS n... TIMEOUT_SECONDS s [LINKS target...] [LABELS label...]
#                   [SOME_NEED need...])
#   a Catch2 program with MPI's main, run by CTest once for each number of ranks.
#
# What not every machine has is a need (tests/support/needs.hpp): CTest shows a test without it as
# skipped, never as passed.
#   NEEDS       the whole program needs all of these
#   SOME_NEED   its cases tagged [.needs-NEED] do; they are a test of their own, NAME.NEED

# As root Open MPI wants to be told twice. Open MPI 5 complains about network interfaces that one
# machine's ranks never use: the loopback one is enough for them.
set(LOCKSTEP_TEST_ENVIRONMENT
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_btl_tcp_if_include=lo OMP_NUM_THREADS=1)

function(lockstep_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT_SECONDS" "SOURCES;LINKS;LABELS;NEEDS;SOME_NEED")
  lockstep_test_program(${name} lockstep_catch_main
    SOURCES ${test_SOURCES} LINKS ${test_LINKS} SOME_NEED ${test_SOME_NEED})
  if(NOT test_TIMEOUT_SECONDS)
    set(test_TIMEOUT_SECONDS 120)
  endif()
  lockstep_add_test(${name} NEEDS ${test_NEEDS} COMMAND ${name}
    TIMEOUT ${test_TIMEOUT_SECONDS} LABELS ${test_LABELS})
  foreach(need IN LISTS test_SOME_NEED)
    lockstep_add_test(${name}.${need} NEEDS ${need} COMMAND ${name} "[needs-${need}]"
      TIMEOUT ${test_TIMEOUT_SECONDS} LABELS ${test_LABELS})
  endforeach()
endfunction()

function(lockstep_mpi_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT_SECONDS" "SOURCES;LINKS;RANKS;LABELS;SOME_NEED")
  lockstep_test_program(${name} lockstep_mpi_main
    SOURCES ${test_SOURCES} LINKS lockstep::trainer ${test_LINKS} SOME_NEED ${test_SOME_NEED})
  foreach(ranks IN LISTS test_RANKS)
    # Not bound to cores: jobs that run side by side would all be bound to the first ones.
    set(command ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none
                ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:${name}>)
    set(properties TIMEOUT ${test_TIMEOUT_SECONDS} PROCESSORS ${ranks} LABELS mpi ${test_LABELS})
    lockstep_add_test(${name}.${ranks}_ranks COMMAND ${command} ${properties})
    foreach(need IN LISTS test_SOME_NEED)
      lockstep_add_test(${name}.${need}.${ranks}_ranks NEEDS ${need}
        COMMAND ${command} "[needs-${need}]" ${properties})
    endforeach()
  endforeach()
endfunction()

# lockstep_add_test(NAME COMMAND word... [NEEDS need...] TIMEOUT s [PROCESSORS n] [LABELS label...])
# One test of CTest; what it needs is told to its program and is a label too.
function(lockstep_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT;PROCESSORS" "COMMAND;NEEDS;LABELS")
  foreach(need IN LISTS test_NEEDS)
    list(APPEND test_COMMAND --needs ${need})
  endforeach()
  add_test(NAME ${name} COMMAND ${test_COMMAND})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${test_TIMEOUT} LABELS "${test_LABELS};${test_NEEDS}"
    ENVIRONMENT "${LOCKSTEP_TEST_ENVIRONMENT}")
  if(test_NEEDS)
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
  if(test_PROCESSORS)
    set_tests_properties(${name} PROPERTIES PROCESSORS ${test_PROCESSORS})
  endif()
endfunction()

# The program of a test, with the given object library for its main().
function(lockstep_test_program name main)
  cmake_parse_arguments(PARSE_ARGV 2 test "" "" "SOURCES;LINKS;SOME_NEED")
  lockstep_check_needs(${name} "${test_SOURCES}" "${test_SOME_NEED}")
  add_executable(${name} ${test_SOURCES})
  target_link_libraries(${name} PRIVATE ${main} lockstep_test_support lockstep_warnings ${test_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endfunction()

# A case with a need that is not announced would never run.
function(lockstep_check_needs name sources announced)
  set(tagged "")
  foreach(source IN LISTS sources)
    file(STRINGS ${source} lines REGEX "\\[\\.needs-")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE ".*\\[\\.needs-([a-z0-9_]+)\\].*" "\\1" need "${line}")
      list(APPEND tagged ${need})
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES tagged)
  list(SORT tagged)
  list(SORT announced)
  if(NOT "${tagged}" STREQUAL "${announced}")
    message(FATAL_ERROR "${name}: its cases are tagged with the needs \"${tagged}\", "
                        "but SOME_NEED says \"${announced}\"")
  endif()
endfunction()
