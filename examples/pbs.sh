#!/bin/bash
# A batch job for PBS (OpenPBS, PBS Pro; Torque wants `-l nodes=2:ppn=8`). qsub passes no arguments to a
# script, so what goes to `lockstep run` stands in a variable:
#
#   LOCKSTEP_ARGS='experiments/cluster.toml --store /scratch/me/store' qsub -V examples/pbs.sh
#
# Words with blanks, quotes or backslashes stand in '...' or "...": docs/batch.md.
#
# PBS tells a job nothing before its time is up (then TERM, and KILL some seconds later), so Lockstep
# watches the time itself: it saves in time and ends with 75. Users may not rerun a job here: the
# script submits the next one, unless two in a row got no further. After a lost node PBS reruns it (-r y).
#PBS -N lockstep
#PBS -l select=2:ncpus=8:mpiprocs=8
#PBS -l walltime=04:00:00
#PBS -j oe
#PBS -r y

walltime=04:00:00 # as above; Torque tells it in seconds
[[ -z ${PBS_WALLTIME-} ]] || walltime=${PBS_WALLTIME}s
script=examples/pbs.sh # from the folder it is submitted in, for the next job

cd "$PBS_O_WORKDIR" || exit 66
lockstep=${LOCKSTEP:-lockstep}
if (($# == 0)); then
    # xargs reads the quotes, and neither expands nor runs anything.
    lines=$(xargs printf '%s\n' <<<"${LOCKSTEP_ARGS:-experiments/cluster.toml}") || {
        echo "pbs.sh: LOCKSTEP_ARGS: a quote is left open" >&2
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
"$lockstep" run "$@" --max-walltime "$walltime" &
pid=$!
trap 'kill -USR1 "$pid"' USR1 USR2
while :; do
    wait "$pid"
    code=$?
    kill -0 "$pid" 2>/dev/null || break # else the signal ended the wait, not the job
done

# How many jobs in a row, this one the last, have got no further; the next one is told.
fruitless=0
[[ $(kept_steps) != "$before" ]] || fruitless=$((${LOCKSTEP_FRUITLESS:-0} + 1))

if ((code == 75 || code > 128)); then # stopped in time; killed, crashed, or mpirun lost a node
    if ((fruitless < 2)); then
        # Each word in quotes, without a backslash, which PBS may take away.
        LOCKSTEP_ARGS=$(printf '%s\n' "$@" | sed "s/'/'\"'\"'/g; s/^/'/; s/\$/'/" | paste -sd ' ')
        export LOCKSTEP_ARGS LOCKSTEP_FRUITLESS=$fruitless
        qsub -V "$script"
    else
        echo "pbs.sh: the last two jobs got no further; no other is submitted" >&2
    fi
fi
exit "$code"
