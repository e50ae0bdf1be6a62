#!/usr/bin/env bash
# Holds the rooms' code to the rules of .clang-tidy:
#
#   scripts/check-tidy.sh [FILE...]       default: every .cpp of liveness, trainer, storage, reports, pipeline
#
# Needs a configured build/ (./test.sh, or cmake --preset release) and clang-tidy 14, as Debian 12 has
# it: other versions see other things. Without that version it checks nothing, says so and ends with
# exit status 77. Tests and headers are seen where a room includes them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=14

program=$(command -v "clang-tidy-$version" || command -v clang-tidy || true)
if [[ -z $program ]] || ! "$program" --version | grep -q "version $version\."; then
    printf 'skipped: check-tidy needs clang-tidy %s (apt-get install clang-tidy-%s)\n' \
        "$version" "$version"
    exit 77
fi
if [[ ! -f build/compile_commands.json ]]; then
    printf 'check-tidy: no build/compile_commands.json; run ./test.sh or cmake --preset release\n' >&2
    exit 66
fi
if (($# == 0)); then
    mapfile -t files < <(git ls-files 'liveness/*.cpp' 'trainer/*.cpp' 'storage/*.cpp' 'reports/*.cpp' 'pipeline/*.cpp')
    set -- "${files[@]}"
fi
# Its count of what it found in other people's headers is of no use here.
printf '%s\0' "$@" | xargs -0 -n 4 -P "$(nproc)" "$program" -p build --quiet \
    2> >(grep -v ' warnings\? generated\.$' >&2)
