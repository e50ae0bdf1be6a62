#!/usr/bin/env bash
# Trainings on several hosts that lie on this machine (host_cluster.sh, host_trainings.sh): the same bits on any number of
# them, and whatever a host, its link, its data, its program or its clock may do.
#
#   tests/slow/hosts_test.sh [--install] [--build FOLDER] [CASE...]      about eight minutes
#
#   --install     gets Debian's packages first: openssh-server iproute2 faketime
#   --build       with lockstep and benchmarks/slow_link; build unless given
#   CASE          of those below (functions case_...); all unless given
#
# Exit status: 0 passed, 1 failed, 77 skipped: it needs root, the packages, and network namespaces.
# The network is the program slow_link's, everywhere: not each kernel has tc's netem.
set -uo pipefail
source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$source_folder/build
cases=()
while (($# > 0)); do
    case $1 in
        --install)
            apt-get update -q >/dev/null 2>&1
            DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
                openssh-server openssh-client iproute2 procps libfaketime >/dev/null 2>&1
            ;;
        --build) build=${2:?} && shift ;;
        *) cases+=("$1") ;;
    esac
    shift
done
skip() { printf 'skipped: hosts_test needs %s\n' "$1" && exit 77; }
((EUID == 0)) || skip 'root: it makes network namespaces'
for program in sshd ssh ip nsenter unshare mpirun; do
    command -v "$program" >/dev/null || skip "$program (apt-get install openssh-server iproute2, or --install)"
done
[[ -c /dev/net/tun ]] || skip '/dev/net/tun: the links are TAP devices'
unshare --net --mount --pid --uts --ipc --time --fork true 2>/dev/null || skip 'namespaces'
[[ ! -e /run/netns/slow-0 ]] || skip 'the names slow-0 ...: another slow_link is running'
slow_link=$(readlink -f "$build/benchmarks/slow_link")
[[ -x $build/lockstep && -x $slow_link ]] ||
    { printf 'hosts_test: build lockstep and slow_link in %s first\n' "$build" >&2; exit 66; }

# Not below /tmp, of which each host has its own.
folder=$(mktemp -d /var/tmp/lockstep-hosts.XXXXXX)
chmod 755 "$folder"
cp "$build/lockstep" "$folder/lockstep"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_plm_rsh_args="-F $folder/ssh_config"
failures=0
case_name=

# shellcheck source=tests/slow/host_cluster.sh
source "$source_folder/tests/slow/host_cluster.sh"
# shellcheck source=tests/slow/host_trainings.sh
source "$source_folder/tests/slow/host_trainings.sh"

end_all() {
    trap '' EXIT INT TERM
    end_network
    if ((failures > 0)); then
        printf 'hosts_test: all is kept in %s\n' "$folder"
    else
        rm -rf "$folder"
    fi
}
trap end_all EXIT
trap 'exit 130' INT TERM

# The same bits on any number of hosts and ranks.
case_same_bits() {
    write_experiment short 3
    reference short
    local shape
    for shape in '1 1' '2 1' '4 1' '2 2' '4 2'; do
        # shellcheck disable=SC2086 # two words
        train "short-${shape/ /x}" short $shape
        check_equal "$(code_of "short-${shape/ /x}" 60)" 0 "exit code on ${shape/ /x}"
        check_equal "$(query "short-${shape/ /x}" 'select ranks from attempts')" $((${shape% *} * ${shape#* })) ranks
        check_same_bits "short-${shape/ /x}" short
    done
    train_bare short-bare short 2 2
    check_equal "$(code_of short-bare 60)" 0 'exit code under mpirun'
    check_same_bits short-bare short
    check_nothing_left
}

# The scripts for batch systems that tell the hosts in a file: a line a rank, whatever cores a host has.
case_batch() {
    write_experiment long 40
    reference long
    printf 'slow-0\nslow-1\n' >"$folder/nodes"
    run_script pbs PBS_JOBID=7 PBS_NODEFILE="$folder/nodes" PBS_O_WORKDIR="$folder"
    run_script lsf LSB_JOBID=7 LSB_DJOB_HOSTFILE="$folder/nodes" LSB_DJOB_NUMPROC=2
    check_nothing_left
}
# run_script SYSTEM VARIABLE...
run_script() {
    rm -f "$folder/$1.end"
    (
        on 0 env "${@:2}" LOCKSTEP="$folder/lockstep" LOCKSTEP_ARGS="$folder/long.toml --store $folder/$1" \
            bash "$source_folder/examples/$1.sh" >"$folder/$1.out" 2>"$folder/$1.err"
        echo "$?:$EPOCHREALTIME" >"$folder/$1.end"
    ) &
    wait_until 60 is_training "$1" || return
    check_equal "$(on 1 pgrep -fc 'lockstep run'):$(query "$1" 'select ranks from attempts')" 1:2 'ranks on slow-1, and all'
    check_equal "$(code_of "$1" 60)" 0 'exit code'
    check_same_bits "$1" long
}
# A host whose processes all end at once, while its link stays up.
case_killed_host() {
    start_training killed || return
    power_off 1
    check_lost killed 45
}
# A host that loses power: nobody hears of it again.
case_silent_host() {
    start_training silent || return
    cut_off 1
    power_off 1
    check_lost silent 45
    heal
}
# The same with a hosts' power back before the training is started again.
case_rebooted_host() {
    start_training rebooted --max-restarts 3 || return
    cut_off 1
    power_off 1
    heal
    start_host 1
    check_equal "$(code_of rebooted 90)" 0 'exit code'
    check_words rebooted 'start again'
    check_same_bits rebooted long
    check_nothing_left
}
# A rank alone on another host, and mpirun's daemon there.
case_killed_rank() {
    start_training killed-rank --max-restarts 1 || return
    on 1 pkill -KILL -f 'lockstep run'
    check_equal "$(code_of killed-rank 60)" 0 'exit code'
    check_words killed-rank 'rank 1 (slow-1.*) was killed by signal 9' # with its process, once slow-1 has told of it
    check_same_bits killed-rank long
    check_nothing_left
}
case_killed_daemon() {
    start_training killed-daemon --max-restarts 1 || return
    on 1 pkill -KILL "orted|prted"
    check_equal "$(code_of killed-daemon 60)" 0 'exit code'
    check_words killed-daemon 'slow-1 no longer answers'
    check_same_bits killed-daemon long
    on 1 sh -c 'rm -rf /tmp/ompi.slow-1.0 /tmp/prted.slow-1.*' # its files stay there until somebody clears /tmp
    check_nothing_left
}
# One that stays away: restarts that cannot reach it are given up, and the job can be resumed.
case_host_away() {
    start_training away --max-restarts 3 || return
    power_off 1
    code_of away 90 >/dev/null
    check_words away 'host slow-1 no longer answers; the ranks start again'
    check_words away 'host slow-1 cannot be reached: Connection refused; the same'
    check_lost away 1
}
# One that is away from the beginning.
case_host_missing() {
    write_experiment long 40
    power_off 1
    train missing long 2 1
    check_equal "$(code_of missing 60)" 69 'exit code'
    check_words missing 'host slow-1 cannot be reached: Connection refused'
    start_host 1
    check_nothing_left
}
# The host from which the training was started: what is left of it on the others ends by itself.
case_first_host() {
    start_training first-host || return
    cut_off 0
    power_off 0
    wait_until 60 is_quiet 1 && tell "quiet on slow-1 after $(seconds_since "$begun" "$EPOCHREALTIME") s"
    heal
    start_host 0
    check_resumed first-host
}
# A network in two parts, both of which live.
case_partition() {
    start_training partition || return
    cut_off 1
    check_lost partition 60
    heal
}
# A network that is whole again before anyone takes the other part for dead.
case_short_partition() {
    start_training short-partition || return
    cut_off 1
    sleep 15
    heal
    check_equal "$(code_of short-partition 90)" 0 'exit code'
    check_equal "$(query short-partition 'select count(*) from attempts')" 1 attempts
    check_same_bits short-partition long
    check_nothing_left
}

# Data, programs, stores and clocks that differ on one host.
case_other_data() {
    local file
    for file in data_batch_{1..5} test_batch; do
        mkdir -p "$folder/images" "$folder/images-other"
        { printf '\3' && head -c 3072 /dev/urandom; } >"$folder/images/$file.bin"
        { printf '\4' && tail -c +2 "$folder/images/$file.bin"; } >"$folder/images-other/$file.bin"
    done
    write_experiment images 1 "dataset = \"cifar10\"
path = \"$folder/images\"
validation = \"none\""
    on 1 mount --bind "$folder/images-other" "$folder/images"
    check_refused other-data images 65 'slow-1.* reads other data'
    on 1 umount "$folder/images"
    mkdir -p "$folder/nothing"
    on 1 mount --bind "$folder/nothing" "$folder/images"
    check_refused no-data images 66 'slow-1'
    on 1 umount "$folder/images"
    train same-data images 2 1
    check_equal "$(code_of same-data 60)" 0 'exit code with the same data'
    reference images
    check_same_bits same-data images
    check_nothing_left
}
case_other_program() {
    local id=$folder/build-id
    objcopy --dump-section .note.gnu.build-id="$id" "$folder/lockstep" "$folder/lockstep-other"
    printf '\1\2\3\4' | dd of="$id" bs=1 seek=20 conv=notrunc status=none
    objcopy --update-section .note.gnu.build-id="$id" "$folder/lockstep" "$folder/lockstep-other"
    on 1 mount --bind "$folder/lockstep-other" "$folder/lockstep"
    write_experiment short 3
    check_refused other-program short 69 'rank 1 (slow-1) is lockstep .*01020304.* but rank 0 (slow-0)'
    on 1 umount "$folder/lockstep"
    on 1 mount --bind /bin/true "$folder/lockstep" # ... and one that is none of ours
    train no-program short 2 1 --max-restarts 0 --stall-timeout 5s
    check_equal "$(code_of no-program 60)" 75 'exit code'
    check_words no-program 'rank 0 (slow-0) has waited 5 s for all of them to start'
    on 1 umount "$folder/lockstep"
    check_nothing_left
}
# Runs side by side, on hosts that do not see the same store: /tmp is each host's own.
case_other_store() {
    write_experiment beside 3 '' '' '[1, 2]'
    sed -i 's/^\[train\]/[parallel]\nranks_per_run = 1\n[train]/' "$folder/beside.toml"
    write_hosts 2 1
    on 0 "$folder/lockstep" run "$folder/beside.toml" --store /tmp/store --hostfile "$folder/hosts-2x1" \
        >"$folder/other-store.out" 2>"$folder/other-store.err"
    check_equal $? 66 'exit code'
    check_words other-store 'slow-1 does not see the store'
    on 0 rm -r /tmp/store
    reference beside
    train beside-2x1 beside 2 1
    check_equal "$(code_of beside-2x1 60)" 0 'exit code on one store'
    check_same_bits beside-2x1 beside
    check_nothing_left
}
# An hour ahead, and an hour behind the host that writes.
case_other_clock() {
    local library
    library=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
    [[ -n $library ]] || { tell 'skipped: it needs libfaketime'; return; }
    write_experiment short 3
    reference short
    local ahead
    for ahead in +1h -1h; do
        power_off 1
        start_host 1 -o "SetEnv=LD_PRELOAD=$library FAKETIME=$ahead FAKETIME_DONT_FAKE_MONOTONIC=1"
        tell "slow-1: $(on 0 ssh -F "$folder/ssh_config" slow-1 date +%T), slow-0: $(on 0 date +%T)"
        train "clock$ahead" short 2 1
        check_equal "$(code_of "clock$ahead" 60)" 0 'exit code'
        check_same_bits "clock$ahead" short
        # What slow-1 began, slow-0 takes up.
        write_experiment long 40
        reference long
        printf 'slow-1 slots=2\n' >"$folder/hosts-other" # mpirun's own host comes first where it is named
        train "clock-stopped$ahead" long 2 1 --hostfile "$folder/hosts-other"
        wait_until 60 is_training "clock-stopped$ahead"
        on 0 pkill -USR1 -f 'lockstep run'
        check_equal "$(code_of "clock-stopped$ahead" 60)" 75 'exit code of a stop'
        check_equal "$(query "clock-stopped$ahead" 'select host from attempts')" slow-1 'the host of rank 0'
        train "clock-stopped$ahead" long 2 1
        check_equal "$(code_of "clock-stopped$ahead" 60)" 0 'exit code of the same command'
        check_same_bits "clock-stopped$ahead" long
        check_nothing_left
    done
    power_off 1
    start_host 1
}
# A network of 5 ms and 50 Mbit/s that loses a frame of a hundred.
case_slow_link() {
    end_network
    start_network --one-way-us 5000 --gbit 0.05 --mtu 1500 --loss 1 || return
    write_experiment short 3
    reference short
    train slow-2x1 short 2 1
    check_equal "$(code_of slow-2x1 120)" 0 'exit code'
    check_same_bits slow-2x1 short
    train slow-2x2 short 2 2
    check_equal "$(code_of slow-2x2 120)" 0 'exit code'
    check_same_bits slow-2x2 short
    check_nothing_left
    end_network
    start_network
}

# Under an mpirun of the user's, with the keepalives that docs/batch.md tells.
kKeepalives='--mca oob_tcp_keepalive_time 10 --mca oob_tcp_keepalive_intvl 5 --mca oob_tcp_keepalive_probes 3'
case_bare_killed() {
    start_bare bare-killed || return
    power_off 1
    check_lost_bare bare-killed 15
}
case_bare_silent() {
    # shellcheck disable=SC2086 # words
    start_bare bare-silent $kKeepalives || return
    cut_off 1
    check_lost_bare bare-silent 45
}
make_keys
start_network || exit 1
((${#cases[@]} > 0)) || cases=(same_bits batch killed_host silent_host rebooted_host killed_rank killed_daemon host_away host_missing first_host partition short_partition other_data
    other_program other_store other_clock slow_link bare_killed bare_silent)
for case_name in "${cases[@]}"; do
    begin=$SECONDS before=$failures
    "case_$case_name"
    ((failures > before)) || printf 'hosts_test: %s: passed in %d s\n' "$case_name" "$((SECONDS - begin))"
done
((failures == 0)) || exit 1
