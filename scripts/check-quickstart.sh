#!/usr/bin/env bash
# Runs quickstart.sh as a user with a fresh checkout does, without installing, and looks for what it
# promises: the comparison in the terminal, the report, and a next command that works. On real CIFAR-10
# the comparison is README's, where the instruction set is (another one rounds otherwise).
#
#   scripts/check-quickstart.sh           LOCKSTEP_DATA=DIR: on real CIFAR-10
#
# Works on a copy of the files that git knows, in build-quickstart/, so that neither build/ nor a store
# that lies here is touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

networks=(conv10-64-64 vgg-bn three-class-bn small-alexnet conv32-64-64)

fail() {
    printf 'check-quickstart: %s; see %s\n' "$1" "$output" >&2
    exit 1
}

[[ -z ${LOCKSTEP_DATA-} ]] || LOCKSTEP_DATA=$(cd "$LOCKSTEP_DATA" && pwd)
copy=$PWD/build-quickstart
output=$copy/quickstart.log
# Columns 1 to 6 of the table's lines: name, state, parameters, epochs, accuracies. Sentences may begin
# with a network's name too; they have no state.
figures() {
    local network
    for network in "${networks[@]}"; do
        awk -v name="$network" '$1 == name && $3 + 0 > 0 { print $1, $2, $3, $4, $5, $6 }' "$1"
    done
}

hold_against_readme() {
    local isa
    isa=$("$copy/build/lockstep" query 'select distinct isa from attempts' --format csv --store "$copy/lockstep-store" |
        tail -n +2)
    if [[ -z ${LOCKSTEP_DATA-} || $isa != avx512* ]]; then
        printf 'check-quickstart: not held against README.md, whose figures are of CIFAR-10 with AVX-512\n' >&2
        return 0
    fi
    diff <(figures README.md) <(figures "$output") >&2 || fail "README.md shows another table"
}

# The command behind "next", as it is printed.
try_next_command() {
    local words
    words=$(sed -n 's/^next  *//p' "$output")
    [[ $words == 'build/lockstep run '* ]] || fail "there is no next command"
    (cd "$copy" && eval "$words --dry-run" >/dev/null) || fail "the next command fails: $words"
}

rm -rf "$copy"
mkdir "$copy"
git ls-files -z | tar --create --null --files-from=- | tar --extract --directory="$copy"

"$copy/quickstart.sh" --no-install | tee "$output"
for network in "${networks[@]}"; do
    grep -q "^$network  *finished " "$output" || fail "the comparison does not say that $network is finished"
done
report=$(find "$copy/lockstep-store/reports" -mindepth 1 -maxdepth 1)  # of the one experiment
for file in report.html report.md report.csv pairs.csv; do
    [[ -s $report/$file ]] || fail "there is no $report/$file"
done
hold_against_readme
try_next_command
