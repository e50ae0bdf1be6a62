# lockstep_test(NAME SOURCES file... [LINKS target...] [LABELS label...] [TIMEOUT_SECONDS s])
#   one Catch2 program, run by CTest as one test.
# lockstep_mpi_test(NAME SOURCES file... RANKS n... TIMEOUT_SECONDS s [LINKS target...] [LABELS label...])
#   a Catch2 program with MPI's main, run by CTest once for each number of ranks.

# As root Open MPI wants to be told twice. Open MPI 5 complains about network interfaces that one
# machine's ranks never use: the loopback one is enough for them.
set(LOCKSTEP_TEST_ENVIRONMENT
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  OMPI_MCA_btl_tcp_if_include=lo OMP_NUM_THREADS=1)

function(lockstep_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT_SECONDS" "SOURCES;LINKS;LABELS")
  lockstep_test_program(${name} catch_main.cpp SOURCES ${test_SOURCES} LINKS ${test_LINKS})
  if(NOT test_TIMEOUT_SECONDS)
    set(test_TIMEOUT_SECONDS 120)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${test_TIMEOUT_SECONDS} LABELS "${test_LABELS}"
    ENVIRONMENT "${LOCKSTEP_TEST_ENVIRONMENT}")
endfunction()

function(lockstep_mpi_test name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "TIMEOUT_SECONDS" "SOURCES;LINKS;RANKS;LABELS")
  lockstep_test_program(${name} mpi_main.cpp
    SOURCES ${test_SOURCES} LINKS lockstep::trainer ${test_LINKS})
  foreach(ranks IN LISTS test_RANKS)
    # Not bound to cores: jobs that run side by side would all be bound to the first ones.
    add_test(NAME ${name}.${ranks}_ranks
             COMMAND ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none
                     ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:${name}>)
    set_tests_properties(${name}.${ranks}_ranks PROPERTIES
      TIMEOUT ${test_TIMEOUT_SECONDS} PROCESSORS ${ranks} LABELS "mpi;${test_LABELS}"
      ENVIRONMENT "${LOCKSTEP_TEST_ENVIRONMENT}")
  endforeach()
endfunction()

# The program of a test, with the given file of tests/support/ for its main().
function(lockstep_test_program name main)
  cmake_parse_arguments(PARSE_ARGV 2 test "" "" "SOURCES;LINKS")
  add_executable(${name} ${test_SOURCES} ${PROJECT_SOURCE_DIR}/tests/support/${main})
  target_link_libraries(${name} PRIVATE lockstep_test_support lockstep_warnings ${test_LINKS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
endfunction()
