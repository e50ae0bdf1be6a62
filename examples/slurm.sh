#!/bin/bash
# A batch job for Slurm: sbatch examples/slurm.sh
# Three minutes before the time is up, Slurm signals this script. Lockstep then finishes the step,
# saves and ends with 75; the job goes back into the queue and goes on where it stopped.
#SBATCH --job-name=lockstep
#SBATCH --ntasks=16
#SBATCH --cpus-per-task=1
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@180

export OMP_NUM_THREADS=1
experiment=${1:-experiments/cluster.toml}

# In the background: bash runs a trap only after a foreground command has ended.
mpirun lockstep run "$experiment" &
pid=$!
trap 'kill -USR1 "$pid"' USR1
while :; do
    wait "$pid"
    code=$?
    kill -0 "$pid" 2>/dev/null || break # else the signal ended the wait, not the job
done

[[ $code -eq 75 ]] && scontrol requeue "$SLURM_JOB_ID"
exit "$code"
