#!/usr/bin/env bash
# Training speed of the five tutorials, ours at 2 ranks against a PyTorch script at 2 threads, on
# the same CIFAR-10 files, in turns: machines are noisy, and turns share the noise.
#
#   benchmarks/compare_with_torch.sh --peer torch_train.py --data DIR [--rounds N] [--steps N]
#
#   --peer FILE   prints a JSON line with images_per_s_median when called as
#                 FILE --data DIR --model NAME --bench-steps N --threads 2 --channels-last
#   --data DIR    the folder with data_batch_1.bin; default $LOCKSTEP_DATA
#   --rounds N    turns of each network; default 3
#   --steps N     steps measured a turn, in ten blocks; default 600
#
# Prints, for each network, the median over the rounds of images per second of both, and our figure
# divided by theirs. A round's figure is itself the median of its ten blocks.
# PYTHON (default python3) runs the peer; LOCKSTEP (default build/lockstep) is our program.
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

# ours RUN: images per second, the median of ten epochs of steps/10 each; a first one warms up.
ours() {
    local store
    store=$(mktemp -d "$work/store.XXXXXX")
    "$program" run "$root/benchmarks/speed.toml" --store "$store" --ranks 2 --only "$1" --data "$data" \
        --set train.epochs=11 --set train.steps_per_epoch=$((steps / 10)) --quiet \
        >"$work/log" 2>&1 || fail "lockstep failed: $(tail -n 3 "$work/log")" 1
    "$program" query 'SELECT images_per_second FROM epochs WHERE epoch > 1' \
        --store "$store" --format csv | tail -n +2 | median
}

# theirs MODEL: images per second, the median of ten blocks.
theirs() {
    "${PYTHON:-python3}" "$peer" --data "$data" --model "$1" --bench-steps "$steps" \
        --threads 2 --channels-last >"$work/log" 2>&1 ||
        fail "the peer failed: $(tail -n 3 "$work/log")" 1
    sed -n 's/.*"images_per_s_median": *\([0-9.]*\).*/\1/p' "$work/log"
}

compare_network() {
    local name=${1%%:*} model=${1#*:} round
    for ((round = 1; round <= rounds; ++round)); do
        ours "$name" >>"$work/ours.$name"
        theirs "$model" >>"$work/theirs.$name"
    done
    awk -v name="$name" -v ours="$(median <"$work/ours.$name")" \
        -v theirs="$(median <"$work/theirs.$name")" \
        'BEGIN {printf "%-16s %10.0f %10.0f %8.2f\n", name, ours, theirs, ours / theirs}'
}

peer='' data=${LOCKSTEP_DATA-} rounds=3 steps=600
while (($# > 1)); do
    case $1 in
        --peer | --data | --rounds | --steps) printf -v "${1#--}" %s "$2" ;;
        *) fail "unknown option $1" 64 ;;
    esac
    shift 2
done
(($# == 0)) || fail "unknown option $1, or its value is missing" 64
program=${LOCKSTEP:-$root/build/lockstep}
[[ -f $peer ]] || fail "--peer FILE is needed" 64
[[ -f $data/data_batch_1.bin ]] || fail "--data DIR or LOCKSTEP_DATA must hold data_batch_1.bin" 66
[[ -x $program ]] || fail "$program is not built; ./quickstart.sh builds it" 69

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s, %s cores, %s rounds of %s steps, %s\n\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$rounds" "$steps" \
    "$(date -u +%F)"
printf '%-16s %10s %10s %8s\n' network lockstep torch ratio
for network in "${networks[@]}"; do compare_network "$network"; done
