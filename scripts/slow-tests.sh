#!/usr/bin/env bash
# What CI has no time for, one after the other; hours on two cores:
#
#   scripts/slow-tests.sh [--install] [--points N]
#
#   --install   gets what the tests on Slurm and on several hosts need (apt, as root)
#   --points    kill points of the soak; 1000 unless given
#
# The cases tagged [.slow] of all test programs in build/, the jobs on one store, several hosts and a
# real Slurm on this machine, the soak. A line for each in the end; exit status: 0 all passed or
# skipped in words, 1 one failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
install=()
points=1000
while (($# > 0)); do
    case $1 in
        --install) install=(--install) ;;
        --points) points=${2:?} && shift ;;
        *)
            printf 'slow-tests: unknown option %s; there are --install and --points\n' "$1" >&2
            exit 64
            ;;
    esac
    shift
done
[[ -x build/lockstep && -d build/tests ]] || { printf 'slow-tests: ./test.sh first\n' >&2; exit 66; }
if ((EUID == 0)); then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

verdicts=()
failures=0
# try NAME COMMAND...
try() {
    local name=$1 begin=$SECONDS status=0 verdict
    shift
    printf 'slow-tests: %s\n' "$name"
    "$@" || status=$?
    case $status in
        0) verdict=passed ;;
        77) verdict=skipped ;;
        *) verdict="failed (exit status $status)" failures=1 ;;
    esac
    verdicts+=("$(printf 'slow-tests: %-28s %5d s  %s' "$name" "$((SECONDS - begin))" "$verdict")")
}

for program in build/tests/*; do
    [[ -f $program && -x $program ]] || continue
    "$program" --list-tests '[.slow]' 2>/dev/null | grep -Eq '^[1-9][0-9]* matching' || continue
    try "$(basename "$program")" "$program" '[.slow]'
done
try many_jobs_test tests/slow/many_jobs_test.sh build/lockstep
try hosts_test tests/slow/hosts_test.sh "${install[@]}"
try slurm_test tests/slow/slurm_test.sh "${install[@]}"
try soak scripts/soak.sh --points "$points"
printf '%s\n' "${verdicts[@]}"
exit "$failures"
