#!/usr/bin/env bash
# Runs quickstart.sh as a user with a fresh checkout does, without installing, and looks for what it
# promises: the comparison in the terminal, and the report.
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
rm -rf "$copy"
mkdir "$copy"
git ls-files -z | tar --create --null --files-from=- | tar --extract --directory="$copy"

"$copy/quickstart.sh" --no-install | tee "$output"
for network in "${networks[@]}"; do
    grep -q "^$network  *finished " "$output" || fail "the comparison does not say that $network is finished"
done
report=$copy/lockstep-store/reports/quickstart
for file in report.html report.md report.csv; do
    [[ -s $report/$file ]] || fail "there is no $report/$file"
done
