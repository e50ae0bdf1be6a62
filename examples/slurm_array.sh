#!/bin/bash
# A job array for Slurm: tasks that train the runs of one experiment into one store, each whatever
# run comes next. Everything behind its name goes to `lockstep run`:
#
#   sbatch examples/slurm_array.sh experiments/cluster.toml --store "$SCRATCH/lockstep-store"
#   sbatch --array=1-32%8 examples/slurm_array.sh mine.toml         eight at a time
#
# Each task is stopped in time, requeued and given up for itself, as in slurm.sh.
#SBATCH --job-name=lockstep
#SBATCH --array=1-4
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=1
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@180

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
counter=lockstep-$SLURM_JOB_ID.fruitless
fruitless=0
[[ $(kept_steps) != "$before" ]] || fruitless=$(($(cat "$counter" 2>/dev/null || echo 0) + 1))

((code != 76)) || code=0 # the array's other tasks train all that is left
if ((code == 75 || code > 128)); then # stopped in time; killed, crashed, or mpirun lost a node
    if ((fruitless < 2)); then
        echo "$fruitless" >"$counter"
        scontrol requeue "$SLURM_JOB_ID" && exit "$code"
    else
        echo "slurm_array.sh: the last two attempts got no further; not requeued" >&2
    fi
fi
rm -f "$counter"
exit "$code"
