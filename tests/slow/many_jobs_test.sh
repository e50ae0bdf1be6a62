#!/bin/bash
# Eight jobs of four tasks at once on one store: every run is trained once, no job ends with an
# error, nothing is left behind. On demand:
#
#     tests/slow/many_jobs_test.sh build/lockstep [JOBS] [TASKS] [SEEDS]
#
# Each task is a rank that trains the next run by itself (ranks_per_run = 1). 24 runs unless SEEDS
# says otherwise. Prints its counts; exits with 1 if anything is not as it must be.
set -u
lockstep=$(realpath "$1")
jobs=${2:-8} tasks=${3:-4} seeds=${4:-24}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
store=$work/store
list=$(seq -s, 1 "$seeds")
cat > "$work/many.toml" <<TOML
schema = 1
[experiment]
name = "many"
[data]
dataset = "synthetic"
training_samples = 2003
test_samples = 50
validation = "none"
[train]
batch_size = 16
epochs = 3
[parallel]
ranks_per_run = 1
[[run]]
name = "tiny"
train = { seeds = [$list], optimizer = "sgd" }
layers = [
    { type = "conv2d", filters = 4, kernel_size = 3, strides = 2, activation = "relu" },
    { type = "flatten" },
    { type = "dense", units = 10, activation = "softmax" },
]
TOML
failures=0
check() { # WHAT FOUND EXPECTED
    echo "$1: $2"
    [ "$2" = "$3" ] || { echo "    not $3"; failures=$((failures + 1)); }
}
rows() { "$lockstep" query "$1" --store "$store" --format csv | tail -n +2; }

pids=()
for job in $(seq "$jobs"); do
    "$lockstep" run "$work/many.toml" --ranks "$tasks" --store "$store" --quiet \
        > "$work/out$job" 2>&1 &
    pids+=($!)
done
errors=0
for job in $(seq "$jobs"); do
    wait "${pids[job - 1]}"
    code=$?
    # 76: the last runs were still others' when this job had nothing left to do
    if [ $code != 0 ] && [ $code != 76 ]; then
        errors=$((errors + 1))
        echo "job $job ended with $code:"
        tail -5 "$work/out$job"
    fi
done
check "jobs that ended with an error" $errors 0
check "runs finished" "$(rows "select count(*) from runs where state = 'finished'")" "$seeds"
check "attempts" "$(rows "select count(*) from attempts")" "$seeds"
check "epochs" "$(rows "select count(*) from epochs")" $((3 * seeds))
echo "jobs that trained runs: $(rows "select count(distinct job_token) from attempts") of $jobs"
"$lockstep" fsck --store "$store" > "$work/fsck" 2>&1
check "fsck" $? 0
check "temporary, spooled and token files" \
    "$(find "$store" -name '*.tmp.*' -o -name 'spool-*' -o -name 'shared*' | wc -l)" 0
check "processes" "$(pgrep -fc "run $work/many.toml")" 0

"$lockstep" run "$work/many.toml" --ranks 1 --store "$work/alone" --quiet > /dev/null 2>&1
check "training alone ends with" $? 0
differing=0
for final in "$work"/alone/runs/*/final.h5; do
    cmp -s "$final" "$store/runs/$(basename "$(dirname "$final")")/final.h5" ||
        differing=$((differing + 1))
done
check "runs whose weights differ from those trained alone" $differing 0
[ $failures = 0 ] && echo passed
exit $((failures > 0))
