#!/bin/bash
# A batch job for Grid Engine (Sun, Son of, Univa, Altair). Everything behind its name goes to
# `lockstep run`:
#
#   qsub examples/sge.sh experiments/cluster.toml --store /scratch/me/store
#
# At the soft time limit Grid Engine sends USR1, and with -notify USR2 a while before any KILL. Lockstep
# then finishes the step, saves it and ends with 75; the script makes 99 of it, and of a crash or a lost
# host, for which the job is requeued. Two attempts in a row that got no further are the last. After a
# lost host of its own Grid Engine reruns it (-r y).
# The parallel environment (here: mpi) is named by the site: qconf -spl lists them.
#$ -N lockstep
#$ -pe mpi 16
#$ -l h_rt=04:00:00
#$ -l s_rt=03:57:00
#$ -notify
#$ -r y
#$ -cwd
#$ -j y
#$ -S /bin/bash

lockstep=${LOCKSTEP:-lockstep}
(($# > 0)) || set -- experiments/cluster.toml

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
counter=lockstep-$JOB_ID-${SGE_TASK_ID:-undefined}.fruitless
fruitless=0
[[ $(kept_steps) != "$before" ]] || fruitless=$(($(cat "$counter" 2>/dev/null || echo 0) + 1))

if ((code == 75 || code > 128)); then # stopped in time; killed, crashed, or mpirun lost a host
    if ((fruitless < 2)); then
        echo "$fruitless" >"$counter"
        exit 99
    fi
    echo "sge.sh: the last two attempts got no further; not requeued" >&2
fi
rm -f "$counter"
exit "$code"
