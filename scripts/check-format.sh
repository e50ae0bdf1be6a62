#!/usr/bin/env bash
# Fails, with the places, if a .cpp or .hpp is not as clang-format leaves it:
#
#   scripts/check-format.sh [--fix]       --fix formats them instead
#
# Needs clang-format 14, as Debian 12 has it: other versions break lines elsewhere. Without that
# version it checks nothing, says so and ends with exit status 77.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=14

case ${1-} in
    '') options=(--dry-run --Werror) ;;
    --fix) options=(-i) ;;
    *)
        printf 'check-format: unknown option %s; the only one is --fix\n' "$1" >&2
        exit 64
        ;;
esac
program=$(command -v "clang-format-$version" || command -v clang-format || true)
if [[ -z $program ]] || ! "$program" --version | grep -q "version $version\."; then
    printf 'skipped: check-format needs clang-format %s (apt-get install clang-format-%s)\n' \
        "$version" "$version"
    exit 77
fi
git ls-files -z '*.cpp' '*.hpp' | xargs -0 "$program" "${options[@]}"
