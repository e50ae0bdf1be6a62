#!/usr/bin/env bash
# What hosts_test.sh does on the hosts of host_cluster.sh, and what it checks; for it to source.
# shellcheck disable=SC2154 # folder, case_name, host_of, kKeepalives are its own

fail() {
    printf 'hosts_test: %s: FAILED: %s\n' "$case_name" "$1"
    failures=$((failures + 1))
}
tell() { printf 'hosts_test: %s: %s\n' "$case_name" "$1"; }
check_equal() { [[ $1 == "$2" ]] || fail "$3 is \"$1\", not \"$2\""; }
check_words() { grep -q "$2" "$folder/$1.err" || fail "no \"$2\" in: $(tail -n 4 "$folder/$1.err")"; }

# Waits for at most so many seconds until `command...` holds.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || { fail "waited in vain: $*"; return 1; }
        sleep 0.1
    done
}

# A hostfile of so many hosts with so many ranks each.
write_hosts() {
    local host
    for ((host = 0; host < $1; ++host)); do printf 'slow-%s slots=%s\n' "$host" "$2"; done >"$folder/hosts-$1x$2"
}

# An experiment with batch normalization and dropout, whose every bit depends on every other; $2 epochs.
write_experiment() {
    cat >"$folder/$1.toml" <<END_OF_FILE
schema = 1
[experiment]
name = "$1"
[data]
${3:-dataset = \"synthetic\"
training_samples = 320
test_samples = 64
validation = \"none\"}
[train]
batch_size = 32
epochs = $2
optimizer = "adam"
${4:-}
[[run]]
name = "net"
train = { seeds = ${5:-[1]} }
layers = [
    { type = "conv2d", filters = 8, kernel_size = 3, padding = "same", activation = "relu" },
    { type = "batch_normalization" },
    { type = "max_pooling2d" },
    { type = "dropout", rate = 0.25 },
    { type = "flatten" },
    { type = "dense", units = 10, activation = "softmax" },
]
END_OF_FILE
}

final_weights() { (cd "$folder/$1/runs" && sha256sum ./*/final.h5 2>&1); }
query() { on 0 "$folder/lockstep" query "$2" --store "$folder/$1" --format csv 2>/dev/null | tail -n +2; }
epochs_of() { grep -ch 'Epoch' "$folder/$1/runs/"*/log.txt 2>/dev/null | head -n 1; }
is_training() { [[ $(epochs_of "$1") -ge 3 ]]; }

# train STORE EXPERIMENT HOSTS RANKS-ON-EACH [OPTION...]: in the background, from slow-0.
train() {
    local store=$1 experiment=$2 hosts=$3 each=$4
    shift 4
    write_hosts "$hosts" "$each"
    rm -f "$folder/$store.end"
    (
        on 0 "$folder/lockstep" run "$folder/$experiment.toml" --store "$folder/$store" \
            --hostfile "$folder/hosts-${hosts}x$each" --progress plain "$@" \
            >"$folder/$store.out" 2>"$folder/$store.err"
        echo "$?:$EPOCHREALTIME" >"$folder/$store.end"
    ) &
}
# The same by an mpirun of the user's.
train_bare() {
    local store=$1 experiment=$2 hosts=$3 each=$4
    shift 4
    write_hosts "$hosts" "$each"
    rm -f "$folder/$store.end"
    (
        on 0 mpirun -n $((hosts * each)) --hostfile "$folder/hosts-${hosts}x$each" "$@" \
            "$folder/lockstep" run "$folder/$experiment.toml" --store "$folder/$store" --progress plain \
            >"$folder/$store.out" 2>"$folder/$store.err"
        echo "$?:$EPOCHREALTIME" >"$folder/$store.end"
    ) &
}
has_ended() { [[ -s $folder/$1.end ]]; }
# Waits for the end, for so many seconds at most: its exit code.
code_of() {
    wait_until "$2" has_ended "$1" || return
    cut -d: -f1 "$folder/$1.end"
}
seconds_since() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b - a }'; }
end_of() { cut -d: -f2 "$folder/$1.end"; }

# Nothing of a training is left on the hosts that are up: processes, memory, session folders.
check_nothing_left() {
    local host left
    for host in "${!host_of[@]}"; do
        wait_until 30 is_quiet "$host" || fail "processes on slow-$host: $(on "$host" pgrep -la 'lockstep|orted|prted|mpirun|prterun')"
        left=$(on "$host" find /dev/shm /tmp -mindepth 1 ! -name is-up)
        [[ -z $left ]] || fail "left on slow-$host: $(head -n 3 <<<"$left")"
    done
}
is_quiet() { ! processes_on "$1" >/dev/null; }

# What a training of one rank on one host gives.
reference() {
    [[ ! -d $folder/$1-alone ]] || return 0
    on 0 "$folder/lockstep" run "$folder/$1.toml" --store "$folder/$1-alone" --ranks 1 -q >/dev/null 2>&1
}
check_same_bits() { check_equal "$(final_weights "$1")" "$(final_weights "$2-alone")" "final.h5 of $1"; }

# check_refused STORE EXPERIMENT CODE WORDS: before anything is trained.
check_refused() {
    train "$1" "$2" 2 1
    check_equal "$(code_of "$1" 60)" "$3" 'exit code'
    check_words "$1" "$4"
    check_nothing_left
}

# start_training STORE [OPTION...]: on two hosts of one rank, until both train.
start_training() {
    write_experiment long 40
    reference long
    rm -rf "${folder:?}/$1"
    train "$1" long 2 1 --max-restarts 0 "${@:2}"
    wait_until 60 is_training "$1" || return
    processes_on 1 >/dev/null || fail 'slow-1 trains nothing'
    begun=$EPOCHREALTIME
}
# check_lost STORE SECONDS: the job ends within them, names the host and can be resumed.
check_lost() {
    local code
    code=$(code_of "$1" "$2")
    tell "exit code $code after $(seconds_since "$begun" "$(end_of "$1")") s"
    # mpirun hears of the end of a host, or Lockstep of its silence, whichever is first.
    [[ $code == 205 || $code == 75 ]] || fail "exit code $code"
    check_words "$1" 'slow-1'
    check_words "$1" 'the same command goes on'
    check_resumed "$1"
}
# The same command goes on where the host is back, with the same bytes.
check_resumed() {
    if [[ -n ${host_of[1]-} ]]; then
        wait_until 60 is_quiet 1 && tell "quiet on slow-1 after $(seconds_since "$begun" "$EPOCHREALTIME") s"
    fi
    heal
    [[ -n ${host_of[1]-} ]] || start_host 1
    check_nothing_left
    train "$1" long 2 1
    check_equal "$(code_of "$1" 60)" 0 'exit code of the same command'
    check_same_bits "$1" long
    check_nothing_left
}

# start_bare STORE [OPTION OF mpirun...]
start_bare() {
    write_experiment long 40
    reference long
    rm -rf "${folder:?}/$1"
    train_bare "$1" long 2 1 "${@:2}"
    wait_until 60 is_training "$1" || return
    begun=$EPOCHREALTIME
}
check_lost_bare() {
    local code
    code=$(code_of "$1" "$2")
    tell "exit code $code after $(seconds_since "$begun" "$(end_of "$1")") s"
    [[ $code != 0 ]] || fail 'exit code 0'
    check_words "$1" 'slow-1'
    check_resumed "$1"
}
