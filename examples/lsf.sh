#!/bin/bash
# A batch job for LSF. A script that bsub reads gets no arguments, so what goes to `lockstep run` stands
# in a variable:
#
#   LOCKSTEP_ARGS='experiments/cluster.toml --store /scratch/me/store' bsub < examples/lsf.sh
#
# Words with blanks, quotes or backslashes stand in '...' or "...": docs/batch.md.
#
# Three minutes before the time is up LSF sends USR1. Lockstep then finishes the step, saves it and
# ends with 75, for which LSF requeues the job (-Q); the script makes 75 of a crash and of a lost node
# too, and LSF reruns it after a lost one of its own (-r). Two attempts in a row that got no further end
# with 1, for which it does not.
#BSUB -J lockstep
#BSUB -n 16
#BSUB -W 4:00
#BSUB -wa USR1
#BSUB -wt 3
#BSUB -Q 75
#BSUB -r
#BSUB -o lockstep-%J.out

lockstep=${LOCKSTEP:-lockstep}
if (($# == 0)); then
    # xargs reads the quotes, and neither expands nor runs anything.
    lines=$(xargs printf '%s\n' <<<"${LOCKSTEP_ARGS:-experiments/cluster.toml}") || {
        echo "lsf.sh: LOCKSTEP_ARGS: a quote is left open" >&2
        exit 64
    }
    mapfile -t words <<<"$lines"
    set -- "${words[@]}"
fi

store='lockstep-store'
for ((i = 1; i <= $#; ++i)); do
    case ${!i} in
        --store=*) store=${!i#--store=} ;;
        --store) ((++i)) && store=${!i-} ;;
    esac
done

# The checkpoints' digests: they change with every step that is kept.
kept_steps() {
    "$lockstep" query "select run, sha256 from artifacts where kind = 'checkpoint' order by run" \
        --store "$store" --format csv 2>/dev/null | tail -n +2
}

before=$(kept_steps)
# In the background: bash runs a trap only after a foreground command has ended. It starts mpirun
# itself, with the ranks that were allocated; mpirun's own words go to mpirun.log in the store.
"$lockstep" run "$@" &
pid=$!
trap 'kill -USR1 "$pid"' USR1 USR2
while :; do
    wait "$pid"
    code=$?
    kill -0 "$pid" 2>/dev/null || break # else the signal ended the wait, not the job
done

# How many attempts in a row, this one the last, have got no further.
counter=lockstep-$LSB_JOBID-${LSB_JOBINDEX:-0}.fruitless
fruitless=0
[[ $(kept_steps) != "$before" ]] || fruitless=$(($(cat "$counter" 2>/dev/null || echo 0) + 1))

if ((code == 75 || code > 128)); then # stopped in time; killed, crashed, or mpirun lost a node
    if ((fruitless < 2)); then
        echo "$fruitless" >"$counter"
        echo "lsf.sh: ended with $code; to be requeued" >&2
        exit 75
    fi
    echo "lsf.sh: ended with $code; the last two attempts got no further; not requeued" >&2
    code=1
fi
rm -f "$counter"
exit "$code"
