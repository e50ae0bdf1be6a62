#!/usr/bin/env bash
# Installs what is missing, builds everything into build/ and passes the tests:
#
#   ./test.sh [--no-install] [CTEST OPTION...]       for example: ./test.sh -L mpi
#
# LOCKSTEP_DATA=DIR       also the tests on real CIFAR-10 (label cifar10)
# LOCKSTEP_ORACLE=DIR     also the tests against golden steps of other programs (label oracle)
# LOCKSTEP_REQUIRE=NEEDS  these, as "cifar10,oracle,onnxruntime", must be here: tests without them
#                         fail. Otherwise they are skipped and listed at the end
# CI=true                 warnings are errors
set -euo pipefail

# A relative path would point elsewhere from inside a test.
for variable in LOCKSTEP_DATA LOCKSTEP_ORACLE; do
    [[ -z ${!variable-} ]] || export "$variable=$(cd "${!variable}" && pwd)"
done
cd "$(dirname "${BASH_SOURCE[0]}")"

if [[ ${1-} == --no-install ]]; then
    shift
else
    scripts/install-packages.sh --with-tests
fi

options=(-DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=ON)
[[ -z ${CI-} ]] || options+=(-DLOCKSTEP_WARNINGS_AS_ERRORS=ON)
if [[ ! -f build/CMakeCache.txt ]] && command -v ninja >/dev/null; then
    options+=(-G Ninja)
fi
cmake -S . -B build "${options[@]}"
cmake --build build --parallel "$(nproc)"

# Open MPI starts nothing for root unless told twice.
if ((EUID == 0)); then
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# Many tests wait most of the time: two more than there are processors.
jobs=$(($(nproc) + 2))
log=build/Testing/Temporary/LastTest.log
rm -f "$log"
status=0
ctest --test-dir build --output-on-failure --no-tests=error --parallel "$jobs" "$@" || status=$?

# A test without what it needs is no passed one: its program told what is missing.
if [[ -f $log ]] && skipped=$(grep --text '^skipped: ' "$log" | sort -u); then
    printf '\nNot everything was tested here:\n%s\n' "$skipped"
fi
exit "$status"
