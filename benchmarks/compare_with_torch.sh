#!/usr/bin/env bash
# Training speed of the five tutorials, or of networks named, ours at 2 ranks against one or more
# PyTorch scripts, on the same CIFAR-10 files, in turns: machines are noisy, and turns share the noise.
#
#   benchmarks/compare_with_torch.sh --peer NAME=COMMAND [--peer NAME=COMMAND ...] --data DIR
#                                    [--file FILE --network RUN:MODEL [--network RUN:MODEL ...]]
#                                    [--rounds N] [--steps N]
#
#   --peer NAME=COMMAND
#                 a heading of the table, without spaces, and words to run, with their options:
#                     --peer f32="python3 torch_train.py --threads 2 --channels-last"
#                     --peer bf16="python3 torch_train.py --threads 2 --channels-last --bf16"
#                 It prints a JSON line with images_per_s_median when called as
#                 COMMAND --data DIR --model NAME --bench-steps N
#   --data DIR    the folder with data_batch_1.bin; default $LOCKSTEP_DATA
#   --file FILE   our experiment file; default speed.toml beside this script
#   --network RUN:MODEL
#                 a run of that file, and the peers' word for its network
#   --rounds N    turns of each network; default 3
#   --steps N     steps measured a turn, in ten blocks; default 600
#
# Prints, for each network, the median over the rounds of images per second of ours and of each
# peer, and our figure divided by that of the best peer. A round's figure is itself the median of its
# ten blocks. LOCKSTEP (default build/lockstep) is our program.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Our run's name and the peer's model.
networks=(
    conv10-64-64:cnn_10_64_64
    vgg-bn:vgg_bn
    three-class-bn:three_class_bn
    small-alexnet:small_alexnet
    conv32-64-64:cnn_32_64_64
)

fail() {
    printf 'compare: %s\n' "$1" >&2
    exit "$2"
}

median() { sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# ours RUN: images per second of whole steps, the median of ten blocks. As the peers: nothing is
# stored meanwhile.
ours() {
    "$program" bench step "$file" --ranks 2 --only "$1" --data "$data" \
        --steps $((steps / 10)) --rounds 10 --format json >"$work/json" 2>"$work/log" ||
        fail "lockstep failed: $(tail -n 3 "$work/log")" 1
    sed -n 's/.*"images_per_second": *\([0-9.]*\).*/\1/p' "$work/json" | head -n 1
}

# theirs MODEL COMMAND: images per second, the median of ten blocks.
theirs() {
    local -a command
    read -ra command <<<"$2"
    "${command[@]}" --data "$data" --model "$1" --bench-steps "$steps" >"$work/log" 2>&1 ||
        fail "the peer failed: $2: $(tail -n 3 "$work/log")" 1
    local speed
    speed=$(sed -n 's/.*"images_per_s_median": *\([0-9.]*\).*/\1/p' "$work/log")
    [[ -n $speed ]] || fail "the peer printed no images_per_s_median: $2" 1
    printf '%s\n' "$speed"
}

compare_network() {
    local name=${1%%:*} model=${1#*:} round peer
    for ((round = 1; round <= rounds; ++round)); do
        ours "$name" >>"$work/$name.ours"
        for peer in "${!peer_names[@]}"; do
            theirs "$model" "${peer_commands[peer]}" >>"$work/$name.$peer"
        done
    done
    local -a speeds=("$(median <"$work/$name.ours")")
    for peer in "${!peer_names[@]}"; do speeds+=("$(median <"$work/$name.$peer")"); done
    printf '%s\n' "${speeds[@]}" | awk -v name="$name" -v headings="${peer_names[*]}" '
        {speed[NR] = $1}
        END {
            split(headings, heading, " ")
            best = 2
            printf "%-16s %10.0f", name, speed[1]
            for (i = 2; i <= NR; ++i) {
                printf " %10.0f", speed[i]
                if (speed[i] > speed[best]) best = i
            }
            printf " %8.2f  %s\n", speed[1] / speed[best], heading[best - 1]
        }'
}

add_peer() {
    [[ $1 =~ ^([A-Za-z0-9._-]+)=(.*[^ ].*)$ ]] || fail "--peer needs NAME=COMMAND, not $1" 64
    peer_names+=("${BASH_REMATCH[1]}")
    peer_commands+=("${BASH_REMATCH[2]}")
}

peer_names=() peer_commands=() named=()
data=${LOCKSTEP_DATA-} rounds=3 steps=600 file=$root/benchmarks/speed.toml
while (($# > 1)); do
    case $1 in
        --peer) add_peer "$2" ;;
        --network) named+=("$2") ;;
        --data | --file | --rounds | --steps) printf -v "${1#--}" %s "$2" ;;
        *) fail "unknown option $1" 64 ;;
    esac
    shift 2
done
(($# == 0)) || fail "unknown option $1, or its value is missing" 64
((${#named[@]} == 0)) || networks=("${named[@]}")
program=${LOCKSTEP:-$root/build/lockstep}
((${#peer_names[@]} > 0)) || fail "--peer NAME=COMMAND is needed" 64
[[ -f $data/data_batch_1.bin ]] || fail "--data DIR or LOCKSTEP_DATA must hold data_batch_1.bin" 66
[[ -x $program ]] || fail "$program is not built; ./quickstart.sh builds it" 69

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s, %s cores, %s rounds of %s steps, %s\n\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$rounds" "$steps" \
    "$(date -u +%F)"
printf '%-16s %10s' network lockstep
printf ' %10s' "${peer_names[@]}"
printf ' %8s  best peer\n' ratio
for network in "${networks[@]}"; do compare_network "$network"; done
