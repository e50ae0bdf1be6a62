#!/usr/bin/env bash
# Kills trainings at random moments, until as many kill points are tried as asked for:
#
#   scripts/soak.sh [--points N] [--folder DIR] [--lockstep PROGRAM] [--seed N]
#
#   --points      in all, with those the folder has already; 100 unless given
#   --folder      keeps the counts, and what a failure left; build-soak/ unless given
#   --lockstep    build/lockstep unless given
#   --seed        of the kills' order (their moments hang on the machine too); of the clock unless given
#
# A trial trains the five networks of scripts/soak.toml. It is killed up to eight times, with SIGKILL,
# on 1 to 4 ranks, with restarts and without: at a random moment a rank, all ranks, mpirun, or what
# was started; or a rank at a fault point (LOCKSTEP_FAULT), in a step, a checkpoint, a commit, or
# while it takes up what the kill before left. Each time the same command goes on, and in the end
# every final.h5 must have the bytes of a training that nothing ended, and `lockstep fsck` find nothing
# in the store. After each kill no process may be left; after each trial no shared memory, temporary
# file or session folder of Open MPI.
#
# Ended in its midst it goes on with the next trial, when it is started again. Exit status: 0 all as
# it must be, 1 there were failures (their stores are in DIR/failed-N/, told with how they came).
set -uo pipefail
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

points_wanted=100
folder=$source_folder/build-soak
lockstep=$source_folder/build/lockstep
seed=$(date +%s)
arguments=("$@")
while (($# > 0)); do
    case $1 in
        --points) points_wanted=${2:?} ;;
        --folder) folder=${2:?} ;;
        --lockstep) lockstep=${2:?} ;;
        --seed) seed=${2:?} ;;
        *)
            printf 'soak: unknown option %s; there are --points, --folder, --lockstep and --seed\n' "$1" >&2
            exit 64
            ;;
    esac
    shift 2
done

# In a namespace of its own /dev/shm holds what these trainings put there, and nothing else.
if [[ -z ${SOAK_OWN_NAMESPACE-} ]]; then
    for how in '--mount' '--mount --map-root-user'; do
        # shellcheck disable=SC2086  # two options
        if unshare $how mount -t tmpfs -o size=1g tmpfs /dev/shm 2>/dev/null; then
            # shellcheck disable=SC2016,SC2086
            SOAK_OWN_NAMESPACE=1 exec unshare $how bash -c \
                'mount -t tmpfs -o size=1g tmpfs /dev/shm && exec "$0" "$@"' \
                "$(readlink -f "${BASH_SOURCE[0]}")" "${arguments[@]}"
        fi
    done
    printf 'soak: no namespace of our own: /dev/shm is not looked at\n'
fi

mkdir -p "$folder/tmp" || exit 73
folder=$(cd "$folder" && pwd)
lockstep=$(readlink -f "$lockstep")
[[ -x $lockstep ]] || { printf 'soak: no program %s; build it first\n' "$lockstep" >&2; exit 66; }
exec {lock}>"$folder/lock"
flock -n "$lock" || { printf 'soak: another one is at work in %s\n' "$folder" >&2; exit 73; }
RANDOM=$((seed % 32768))
export LOCKSTEP_SOAK=$folder TMPDIR=$folder/tmp # by the first, every process is found again
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
store=$folder/store
log=$folder/output.log
experiment=$source_folder/scripts/soak.toml

count_of() { cat "$folder/$1" 2>/dev/null || echo 0; }
count_up() { echo $(($(count_of "$1") + ${2:-1})) >"$folder/$1"; }

# Of processes that soak's trainings started, this script and its own children aside.
ours() {
    local entry pid
    for entry in /proc/[0-9]*/environ; do
        pid=${entry#/proc/} pid=${pid%/environ}
        grep -qz "^LOCKSTEP_SOAK=$folder\$" "$entry" 2>/dev/null || continue
        case $(cat "/proc/$pid/comm" 2>/dev/null) in
            lockstep | mpirun | orted | prted | prterun) ;;
            *) continue ;;
        esac
        [[ $(cut -d' ' -f3 "/proc/$pid/stat" 2>/dev/null) == [ZX] ]] || echo "$pid"
    done
}

# Of those, the processes of one name.
named() {
    local pid
    for pid in $(ours); do
        [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "$1" ]] && echo "$pid"
    done
}

ranks() {
    local pid
    for pid in $(named lockstep); do
        grep -qz '^--as-rank$' "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
    done
}

# start RANKS RESTARTS [FAULT]
start() { LOCKSTEP_FAULT=${3-} "$lockstep" run "$experiment" --store "$store" --ranks "$1" --max-restarts "$2" {lock}>&- >>"$log" 2>&1 & }

# Waits until `command...` fails, for so many seconds. Exit status 1: it still holds.
wait_while() {
    local end=$((SECONDS + $1))
    shift
    while "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}
are_processes_left() { [[ -n $(ours) ]]; }
is_alive() { [[ -d /proc/$1 && $(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null) != Z ]]; }

# kill_one WHAT SUPERVISOR: the victims get SIGKILL.
kill_one() {
    local victims
    case $1 in
        rank) victims=$(ranks | shuf -n 1 --random-source=<(yes $RANDOM)) ;;
        ranks) victims=$(ranks) ;;
        mpirun) victims=$(named mpirun; named prterun) ;; # as Open MPI 4 and 5 name it
        *) victims=$2 ;;
    esac
    # With one rank the program trains itself.
    # shellcheck disable=SC2086  # several
    kill -KILL ${victims:-$2} 2>/dev/null
}

fail() {
    count_up failures
    local kept
    kept=$folder/failed-$(count_of failures)
    printf 'soak: FAILED: %s\n  kills: %s\n  kept: %s\n' "$1" "$history" "$kept" | tee -a "$folder/failures.txt"
    rm -rf "$kept"
    mkdir "$kept"
    cp -r "$store" "$log" "$kept/" 2>/dev/null
    is_broken=1
}

# What must be gone soon after a kill.
check_processes() {
    wait_while 30 are_processes_left && return
    local pid left=
    [[ -n $(ours) ]] || return # at the last moment
    for pid in $(ours); do left+=" $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-60)[$pid]"; done
    fail "left after a kill: $left"
    # shellcheck disable=SC2046
    kill -KILL $(ours) 2>/dev/null
    wait_while 15 are_processes_left
}

check_files() {
    local left
    left=$(find "$TMPDIR" -mindepth 1 -maxdepth 2 | head -n 5)
    [[ -z ${SOAK_OWN_NAMESPACE-} ]] || left+=$(find /dev/shm -mindepth 1 | head -n 5)
    left+=$(find "$store" -name '*.tmp*' -o -name '*-journal' | head -n 5)
    if [[ -n $left ]]; then
        count_up littered
        printf 'soak: LEFT BEHIND: %s\n  kills: %s\n' "${left//$'\n'/ }" "$history" | tee -a "$folder/failures.txt"
    fi
    find "$TMPDIR" -mindepth 1 -delete
    [[ -z ${SOAK_OWN_NAMESPACE-} ]] || find /dev/shm -mindepth 1 -delete
}

final_weights() { (cd "$1/runs" && sha256sum ./*/final.h5); }

check_results() {
    [[ $(final_weights "$store" 2>&1) == "$(cat "$folder/reference.sha256")" ]] && return
    fail "other weights than an uninterrupted training's: $(final_weights "$store" 2>&1 |
        diff - "$folder/reference.sha256" | tr '\n' ' ')"
}

check_store() {
    local told
    told=$("$lockstep" fsck --store "$store" 2>&1) && return
    fail "fsck ends with $?: ${told//$'\n'/; }"
}

make_reference() {
    [[ ! -s $folder/reference.sha256 ]] || return 0
    rm -rf "$store"
    local begin=${EPOCHREALTIME/[.,]/}
    start 1 0
    wait $! || { printf 'soak: the training fails without kills too; see %s\n' "$log" >&2; exit 70; }
    echo $(((${EPOCHREALTIME/[.,]/} - begin) / 1000)) >"$folder/reference.milliseconds"
    final_weights "$store" >"$folder/reference.sha256"
}

# One start, killed. Exit status 1: it had ended before.
kill_point() {
    local ranks=$1 what=$2 milliseconds=$3 restarts=$4 supervisor code
    start "$ranks" "$restarts"
    supervisor=$!
    sleep "$((milliseconds / 1000)).$(printf %03d $((milliseconds % 1000)))"
    if ! is_alive "$supervisor"; then
        wait "$supervisor" && return 1
        fail "exit code $? of a start that was not killed"
        return 1
    fi
    history+="${history:+;} $ranks ranks, $restarts restarts, $what after $milliseconds ms"
    kill_one "$what" "$supervisor"
    if ! wait_while 300 is_alive "$supervisor"; then
        fail "the command has not ended five minutes after the kill"
        kill -KILL "$supervisor"
    fi
    wait "$supervisor" 2>/dev/null
    code=$?
    history+=" -> $code"
    count_up points
    count_up "points.$what"
    check_processes
}

# random_fault RANKS ATTEMPT: sets `fault`. Rank 0 alone writes checkpoints and rows. The first few of them come while it takes up a run.
random_fault() {
    local points point most
    points=(init data.load step.begin step.after_forward exchange exchange.hop step.after_update evaluation epoch.end finalize
        ckpt.serialize ckpt.before_fsync ckpt.before_rename ckpt.after_rename
        db.begin db.before_commit db.after_commit)
    point=${points[RANDOM % ${#points[@]}]}
    case $point in
        init | data.load | finalize) most=1 ;;
        ckpt.* | db.* | epoch.end) most=$((RANDOM % 2 ? 8 : 40)) ;;
        *) most=400 ;;
    esac
    fault="$point@rank=$(case $point in ckpt.* | db.*) echo 0 ;; *) echo $((RANDOM % $1)) ;; esac)"
    fault+="@count=$((RANDOM % most + 1))@attempt=$2:kill"
}

# One start, a rank of which is killed at a fault point, and again after each restart. Exit status 1:
# the training has come to its end.
fault_point() {
    local ranks=$1 restarts=$2 fault faults='' attempt supervisor code told kills
    told=$(stat -c %s "$log")
    for ((attempt = 1; attempt <= restarts + 1; ++attempt)); do
        random_fault "$ranks" "$attempt"
        faults+="${faults:+;}$fault"
    done
    start "$ranks" "$restarts" "$faults"
    supervisor=$!
    if ! wait_while 300 is_alive "$supervisor"; then
        fail "the command has not ended after five minutes with $faults"
        kill -KILL "$supervisor"
    fi
    wait "$supervisor" 2>/dev/null
    code=$?
    history+="${history:+;} $ranks ranks, $restarts restarts, $faults -> $code"
    check_processes
    # Restarts are told; the last kill, or that of one rank, is the exit code.
    kills=$(tail -c "+$((told + 1))" "$log" | grep -c 'the ranks start again')
    ((code == 0)) || ((++kills))
    while ((kills-- > 0)); do
        fault=${faults%%;*}
        faults=${faults#*;}
        count_up points
        count_up "points.fault.${fault%%@*}"
    done
    ((code == 0 || code == 137)) || fail "exit code $code"
    ((code != 0))
}

trial() {
    local targets=(rank ranks mpirun supervisor) kill=0 longest
    longest=$(($(cat "$folder/reference.milliseconds") * 2 / 3))
    ((longest < 4000)) || longest=4000
    rm -rf "$store"
    history='' is_broken=
    : >"$log"
    while ((++kill <= 8)) && [[ -z $is_broken ]]; do
        if ((RANDOM % 2)); then
            fault_point $((RANDOM % 4 + 1)) $((RANDOM % 2 * 2)) || break
        else
            kill_point $((RANDOM % 4 + 1)) "${targets[RANDOM % 4]}" \
                $((RANDOM % longest)) $((RANDOM % 2)) || break
        fi
    done
    if [[ -z $is_broken ]]; then
        start $((RANDOM % 4 + 1)) 3
        wait $! || fail "exit code $? of the last start"
    fi
    [[ -n $is_broken ]] || check_processes
    [[ -n $is_broken ]] || check_results
    [[ -n $is_broken ]] || check_store
    check_files
    count_up trials
    rm -rf "$store"
    tell_counts "$history"
}

tell_counts() {
    printf 'soak: %d of %d kill points, %d trials, %d failures, %d left files behind (seed %d)%s\n' \
        "$(count_of points)" "$points_wanted" "$(count_of trials)" "$(count_of failures)" \
        "$(count_of littered)" "$seed" "${1:+:$1}"
}

end() {
    trap '' INT TERM EXIT
    # shellcheck disable=SC2046
    kill -KILL $(ours) 2>/dev/null
    exit "$1"
}
trap 'end 130' INT TERM
exec 2> >(grep -v ': line .* Killed ' >&2) # bash tells the end of each child that is killed

# "rank 12, ranks 9, ..."
tell_kinds() {
    local file kinds=
    for file in "$folder"/points.*; do
        [[ -f $file ]] && kinds+="${kinds:+, }${file##*/points.} $(cat "$file")"
    done
    printf 'soak: kill points: %s\n' "$kinds"
}

# The counts are of every program that was tried in this folder; another one may be built meanwhile.
note_program() {
    local program
    program=$("$lockstep" --version | head -n 1)
    program+=", sha256 $(sha256sum "$lockstep" | cut -c1-12)"
    grep -qxF "$program" "$folder/programs.txt" 2>/dev/null || echo "$program" >>"$folder/programs.txt"
}

note_program
make_reference
while (($(count_of points) < points_wanted)); do trial; done
note_program
tell_counts
tell_kinds
sed 's/^/soak: program: /' "$folder/programs.txt"
(($(count_of failures) + $(count_of littered) == 0)) || exit 1
