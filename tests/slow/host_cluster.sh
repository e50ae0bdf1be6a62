#!/usr/bin/env bash
# A cluster of hosts on this machine, for hosts_test.sh to source: network namespaces joined by
# benchmarks/slow_link (delay, rate, loss, cut), each with its own host name, processes, /tmp, /dev/shm,
# time since boot, and an sshd, by which mpirun starts its daemons as it does anywhere. What lies below
# $folder is shared by all, as a cluster's file system is.
#
#   start_network [OPTION OF slow_link...]; end_network      hosts slow-0, slow-1, ...: 10.77.0.1, ...
#   start_host N [OPTION OF sshd...]; power_off N            processes alone: the link stays
#   cut_off N...; heal                                       N... and the others hear nothing of each other
#   on N COMMAND...                                          runs it there
#
# Needs: folder, slow_link (set by the caller), root, iproute2, util-linux, openssh.
# shellcheck disable=SC2154 # those two

kHosts=4
declare -A host_of=() # process that is a host's first, seen from here
network=

make_keys() {
    ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
    cat >"$folder/sshd_config" <<END_OF_CONFIG
HostKey $folder/key
AuthorizedKeysFile $folder/key.pub
StrictModes no
PermitRootLogin prohibit-password
UsePAM no
PidFile none
END_OF_CONFIG
    cat >"$folder/ssh_config" <<END_OF_CONFIG
IdentityFile $folder/key
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
END_OF_CONFIG
    printf '127.0.0.1 localhost\n' >"$folder/etc-hosts"
    for ((host = 0; host < kHosts; ++host)); do
        printf '10.77.0.%s slow-%s\n' $((host + 1)) "$host" >>"$folder/etc-hosts"
    done
    sed 's/^root:[^:]*/root:*/' /etc/shadow >"$folder/etc-shadow" # a locked root may not come by key either
}

start_network() {
    : >"$folder/cut"
    "$slow_link" --hosts "$kHosts" --cut "$folder/cut" "$@" sleep infinity >/dev/null 2>"$folder/network.log" &
    network=$!
    wait_until 10 is_network_up || { cat "$folder/network.log"; return 1; }
    local host
    for ((host = 0; host < kHosts; ++host)); do start_host "$host"; done
}
is_network_up() { ip -n "slow-$((kHosts - 1))" -o link show up 2>/dev/null | grep -q "slow-"; }

end_network() {
    local host
    for host in "${!host_of[@]}"; do power_off "$host"; done
    [[ -n $network ]] || return 0
    pkill -P "$network" -x sleep
    wait "$network" 2>/dev/null
    network=
}

start_host() {
    local offset=$(($1 * 86400)) parent
    rm -rf "$folder/tmp-$1" # a boot clears it
    mkdir "$folder/tmp-$1"
    # shellcheck disable=SC2016 # it is the host's shell that expands
    ip netns exec "slow-$1" unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc \
        --time --monotonic "$offset" --boottime "$offset" \
        bash -c '
            folder=$1
            hostname "slow-$2"
            mount --bind "$folder/tmp-$2" /tmp
            mount -t tmpfs none /dev/shm
            mount -t tmpfs none /run && mkdir /run/sshd
            mount --bind "$folder/etc-hosts" /etc/hosts
            mount --bind "$folder/etc-shadow" /etc/shadow
            /usr/sbin/sshd -D -f "$folder/sshd_config" "${@:3}" &
            touch "/tmp/is-up"
            while :; do wait; sleep 1; done # the first process takes what others leave
        ' bash "$folder" "$@" >/dev/null 2>&1 &
    parent=$!
    disown "$parent"
    wait_until 10 has_child "$parent"
    host_of[$1]=$(pgrep -P "$parent")
    wait_until 10 answers "$1"
}
has_child() { pgrep -P "$1" >/dev/null; }
answers() { on "$1" ssh -F "$folder/ssh_config" "slow-$1" true 2>/dev/null; }

# At once and without a word, as when the power fails; what is on the link still arrives.
power_off() {
    [[ -n ${host_of[$1]-} ]] || return 0
    kill -KILL "${host_of[$1]}"
    while [[ -d /proc/${host_of[$1]} ]]; do sleep 0.05; done
    unset "host_of[$1]"
}

cut_off() {
    printf '%s\n' "$*" >"$folder/cut"
    sleep 0.1
}
heal() { cut_off ''; }

on() {
    local host=$1
    shift
    nsenter --target "${host_of[$host]}" --mount --uts --ipc --net --pid --time --wd="$folder" "$@"
}

# Processes of Lockstep and Open MPI on a host that is up.
processes_on() { on "$1" pgrep -f 'lockstep run|orted|prted|mpirun|prterun'; }
