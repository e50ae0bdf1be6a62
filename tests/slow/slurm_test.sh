#!/usr/bin/env bash
# Runs examples/slurm.sh and slurm_array.sh in a real Slurm: its controller and one node on this machine,
# started for the test and ended after it. No systemd, nothing outside of a folder of its own.
#
#   tests/slow/slurm_test.sh [--install] [--lockstep PROGRAM] [CASE...]      about ten minutes
#
#   --install     gets Debian's packages first: slurmctld slurmd slurm-client munge
#   --lockstep    build/lockstep unless given
#   CASE          of those below (functions case_...); all unless given
#
# Exit status: 0 passed, 1 failed, 77 skipped: it needs root (slurmd does) and the packages.
set -uo pipefail
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
lockstep=$source_folder/build/lockstep
cases=()
while (($# > 0)); do
    case $1 in
        --install)
            apt-get update -q >/dev/null 2>&1
            DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
                slurmctld slurmd slurm-client munge >/dev/null 2>&1
            ;;
        --lockstep) lockstep=${2:?} && shift ;;
        *) cases+=("$1") ;;
    esac
    shift
done
skip() { printf 'skipped: slurm_test needs %s\n' "$1" && exit 77; }
((EUID == 0)) || skip 'root: slurmd starts jobs as their users'
for program in slurmctld slurmd sbatch munged; do
    command -v "$program" >/dev/null ||
        skip "$program (apt-get install slurmctld slurmd slurm-client munge, or --install)"
done
lockstep=$(readlink -f "$lockstep")
[[ -x $lockstep ]] || { printf 'slurm_test: no program %s; build it first\n' "$lockstep" >&2; exit 66; }

# munged wants folders that nobody else can write to: not /tmp itself as a parent, unless forced.
folder=$(mktemp -d "${TMPDIR:-/tmp}/lockstep-slurm.XXXXXX")
export SLURM_CONF=$folder/slurm.conf LOCKSTEP=$lockstep
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
failures=0
case_name=

fail() {
    printf 'slurm_test: %s: FAILED: %s\n' "$case_name" "$1"
    failures=$((failures + 1))
}
check_equal() { [[ $1 == "$2" ]] || fail "$3 is \"$1\", not \"$2\""; }

# Waits for at most so many seconds until `command...` holds.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || { fail "waited in vain: $*"; return 1; }
        sleep 0.5
    done
}

configure() {
    local host
    host=$(hostname -s)
    cat >"$SLURM_CONF" <<END
ClusterName=lockstep-test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
SlurmctldPort=$((20000 + RANDOM % 10000))
SlurmdPort=$((30000 + RANDOM % 2000))
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MailProg=/bin/true
ReturnToService=2
SlurmdTimeout=10
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
KillWait=10
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
}

start_munge() {
    chmod 700 "$folder"
    head -c 1024 /dev/urandom >"$folder/munge.key"
    chmod 400 "$folder/munge.key"
    munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
        --pid-file="$folder/munge.pid" --seed-file="$folder/munge.seed" \
        --log-file="$folder/munge.log" >/dev/null 2>&1 &
    munge=$!
    wait_until 10 test -S "$folder/munge.socket"
}

start_node() {
    slurmd -D >/dev/null 2>&1 &
    node=$!
}

start_slurm() {
    configure
    mkdir "$folder/state" "$folder/spool"
    start_munge
    slurmctld -D >/dev/null 2>&1 &
    controller=$!
    start_node
    wait_until 30 is_node_idle
}
is_node_idle() { [[ $(sinfo -h -o %T 2>/dev/null) == idle ]]; }

munge='' controller='' node=''
end_slurm() {
    trap '' EXIT INT TERM
    scancel --full --signal=KILL --user=root 2>/dev/null
    scancel --user=root 2>/dev/null
    sleep 2
    # shellcheck disable=SC2086 # those that were started
    kill $node $controller $munge 2>/dev/null
    wait
    if ((failures > 0)); then
        printf 'slurm_test: all is kept in %s\n' "$folder"
    else
        rm -rf "$folder"
    fi
}
trap end_slurm EXIT
trap 'exit 130' INT TERM

# An experiment of so many runs and epochs, in a file of this name.
write_experiment() {
    local run
    cat >"$folder/$1.toml" <<END
schema = 1
[experiment]
name = "$1"
[data]
dataset = "synthetic"
training_samples = 640
test_samples = 64
validation = "none"
[train]
batch_size = 32
epochs = $3
END
    for ((run = 1; run <= $2; ++run)); do
        cat >>"$folder/$1.toml" <<END
[[run]]
name = "run-$run"
train = { seeds = [$run] }
layers = [
    { type = "conv2d", filters = 16, kernel_size = 5, padding = "same" },
    { type = "batch_normalization" },
    { type = "conv2d", filters = 32, kernel_size = 5, padding = "same" },
    { type = "flatten" },
    { type = "dense", units = 10, activation = "softmax" },
]
END
    done
}

query() { "$lockstep" query "$2" --store "$folder/$1" --format csv 2>/dev/null | tail -n +2; }
final_weights() { (cd "$folder/$1/runs" && sha256sum ./*/final.h5 2>&1); }
field_of_job() { scontrol show job "$1" 2>/dev/null | grep -o "\b$2=[^ ]*" | head -n 1 | cut -d= -f2; }

# submit SCRIPT ARGUMENT...: the job's number. Output in FOLDER/JOB.out.
submit() { (cd "$folder" && sbatch --parsable --output="$folder/%j.out" "$@"); }

# A requeued job waits two minutes for its turn: not here. But the node refuses a job whose credential
# is of the second in which its last attempt was ended.
hurry() {
    sleep 4
    scontrol update "jobid=$1" StartTime=now 2>/dev/null
}
is_job_over() {
    local state
    state=$(field_of_job "$1" JobState)
    [[ $state != PENDING ]] || hurry "$1"
    [[ $state == COMPLETED || $state == FAILED || $state == CANCELLED || $state == TIMEOUT ]]
}
is_requeued() { [[ $(field_of_job "$1" Restarts) -ge 1 && $(field_of_job "$1" JobState) == PENDING ]]; }
has_steps() { [[ $(query "$1" "select count(*) from artifacts where kind = 'checkpoint'") -ge 1 ]]; }
is_training() { grep -q 'Epoch 2/' "$folder/$1/runs/"*/log.txt 2>/dev/null; }

# A job longer than its time limit ends after requeues with the bytes of one that nothing ended.
# USR1 comes up to a minute early, so in a job of a minute at any time of it.
case_time_limit() {
    local begin=${EPOCHREALTIME/[.,]/} epochs job
    write_experiment measured 1 10
    "$lockstep" run "$folder/measured.toml" --store "$folder/measured" --ranks 2 -q >/dev/null 2>&1
    epochs=$((10 * 100 * 1000000 / (${EPOCHREALTIME/[.,]/} - begin))) # of 100 seconds
    write_experiment long 1 "$epochs"
    job=$(submit --time=1 --ntasks=2 --signal=B:USR1@15 "$source_folder/examples/slurm.sh" \
        "$folder/long.toml" --store "$folder/long")
    wait_until 900 is_job_over "$job"
    printf 'slurm_test: %s: %s epochs, %s restarts; attempts: %s\n' "$case_name" "$epochs" \
        "$(field_of_job "$job" Restarts)" \
        "$(query long "select outcome || ' ' || cause from attempts" | tr '\n' ';')"
    check_equal "$(field_of_job "$job" JobState)" COMPLETED 'the job'
    [[ $(field_of_job "$job" Restarts) -ge 1 ]] || fail 'it was never requeued'
    "$lockstep" run "$folder/long.toml" --store "$folder/whole" --ranks 1 -q >/dev/null 2>&1
    check_equal "$(final_weights long)" "$(final_weights whole)" 'final.h5'
}

# Nothing of a stand-in gets further: after two attempts it is over. (205: what mpirun says for a lost node.)
case_no_further() {
    local code job
    for code in 75 205; do
        cat >"$folder/stand-in" <<END
#!/bin/bash
[[ \$1 == run ]] || exit 0
echo "\$@" >>"$folder/attempts-$code"
exit $code
END
        chmod +x "$folder/stand-in"
        job=$(LOCKSTEP=$folder/stand-in submit --ntasks=1 "$source_folder/examples/slurm.sh" \
            x.toml --data 'a folder')
        wait_until 120 is_job_over "$job"
        check_equal "$(wc -l <"$folder/attempts-$code")" 2 "attempts that end with $code"
        check_equal "$(sort -u "$folder/attempts-$code")" 'run x.toml --data a folder' 'the command'
        check_equal "$(field_of_job "$job" ExitCode)" "$code:0" 'the exit code'
    done
}

# scancel --signal=USR1 --full reaches script, program, mpirun and ranks: one wish to stop.
case_scancel_full() {
    write_experiment full 1 100000
    local job
    job=$(submit --time=10 --ntasks=2 "$source_folder/examples/slurm.sh" "$folder/full.toml" \
        --store "$folder/full")
    wait_until 60 is_training full
    scancel --signal=USR1 --full "$job"
    wait_until 60 is_requeued "$job"
    check_equal "$(query full 'select ranks || outcome || substr(cause, 1, 18) from attempts')" \
        '2interruptedstopped on request' 'the attempt'
    scancel "$job"
}

# Three tasks, three runs, one store: whichever task finds nothing left to train, none has failed.
case_array() {
    write_experiment array 3 3
    local job
    job=$(submit --array=1-3 --ntasks=1 "$source_folder/examples/slurm_array.sh" \
        "$folder/array.toml" --store "$folder/array")
    wait_until 300 is_array_over "$job"
    "$lockstep" run "$folder/array.toml" --store "$folder/one-by-one" --ranks 1 -q >/dev/null 2>&1
    check_equal "$(query array 'select state, count(*) from runs group by state')" 'finished,3' 'the runs'
    check_equal "$(final_weights array)" "$(final_weights one-by-one)" 'final.h5'
    check_equal "$(query array 'select count(*) from attempts')" 3 'the attempts'
    check_equal "$(scontrol show job "$job" | grep -o 'ExitCode=[^ ]*' | sort -u)" ExitCode=0:0 'the exit codes'
}
is_array_over() {
    hurry "$1"
    [[ -z $(squeue -h -j "$1" 2>/dev/null) ]]
}

# The host loses power and comes back: Slurm requeues by itself, Lockstep goes on.
case_lost_node() {
    write_experiment lost 1 12
    local job pid
    job=$(submit --time=10 --ntasks=2 "$source_folder/examples/slurm.sh" "$folder/lost.toml" \
        --store "$folder/lost" --set checkpoint.every_minutes=0.01)
    wait_until 60 is_training lost
    kill -KILL "$node"
    for pid in $(job_processes "$job"); do kill -KILL "$pid" 2>/dev/null; done
    sleep 1
    start_node
    wait_until 300 is_job_over "$job"
    check_equal "$(field_of_job "$job" JobState)" COMPLETED 'the job'
    "$lockstep" run "$folder/lost.toml" --store "$folder/not-lost" --ranks 1 -q \
        --set checkpoint.every_minutes=0.01 >/dev/null 2>&1
    check_equal "$(final_weights lost)" "$(final_weights not-lost)" 'final.h5'
}
# Of one job of this Slurm: everything it started, and the slurmstepd above.
job_processes() {
    local entry
    for entry in /proc/[0-9]*/environ; do
        grep -qz "^SLURM_CONF=$folder/" "$entry" 2>/dev/null && grep -qz "^SLURM_JOB_ID=$1\$" "$entry" &&
            echo "${entry//[^0-9]/}"
    done
    pgrep -f "slurmstepd: \[$1\."
}

# `lockstep run` takes the ranks that were allocated.
case_ranks() {
    write_experiment ranks 1 1
    local words
    check_ranks 1 salloc -Q -n1 -c1
    check_ranks 2 salloc -Q -n1 -c2
    check_ranks 2 salloc -Q -n2
    check_ranks 1 srun -Q -n1
    check_ranks 2 srun -Q -n1 -c2
    check_ranks 2 salloc -Q -n1 -c2 srun -Q -n1
    rm -rf "$folder/ranks"
    words=$(srun -Q -n2 "$lockstep" run "$folder/ranks.toml" --store "$folder/ranks" 2>&1)
    check_equal "$?:$(grep -c 'use srun --mpi=pmix' <<<"$words"):$(wc -l <<<"$words")" 69:1:2 \
        'exit code, words and lines of srun without PMI'
    rm -rf "$folder/ranks"
    submit --wait --wrap "'$lockstep' run '$folder/ranks.toml' --store '$folder/ranks' -q" >/dev/null
    check_equal "$?:$(query ranks 'select ranks from attempts')" 0:1 'exit code and ranks of sbatch --wrap'
    if srun --mpi=list 2>&1 | grep -q pmix; then
        rm -rf "$folder/ranks"
        srun -Q --mpi=pmix -n2 "$lockstep" run "$folder/ranks.toml" --store "$folder/ranks" -q >/dev/null 2>&1
        check_equal "$?:$(query ranks 'select ranks from attempts')" 0:2 'exit code and ranks of srun --mpi=pmix'
    fi
}
# check_ranks RANKS COMMAND...: the command, with `lockstep run` behind it.
check_ranks() {
    local expected=$1 words
    shift
    rm -rf "$folder/ranks"
    words=$("$@" "$lockstep" run "$folder/ranks.toml" --store "$folder/ranks" -q 2>&1)
    check_equal "$?:$(query ranks 'select ranks from attempts')" "0:$expected" "exit code and ranks of $*"
    [[ $words != *slots* ]] || fail "$*: words on slots"
}

start_slurm
((${#cases[@]} > 0)) || cases=(ranks no_further scancel_full array lost_node time_limit)
for case_name in "${cases[@]}"; do
    begin=$SECONDS before=$failures
    "case_$case_name"
    ((failures > before)) || printf 'slurm_test: %s: passed in %d s\n' "$case_name" "$((SECONDS - begin))"
done
((failures == 0)) || exit 1
