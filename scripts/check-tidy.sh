#!/usr/bin/env bash
# Holds the rooms' code to the rules of .clang-tidy:
#
#   scripts/check-tidy.sh [FILE...]       default: every .cpp of liveness, trainer, storage, reports, pipeline
#
# Needs a configured build/ (./test.sh, or cmake --preset release) and clang-tidy 14, as Debian 12 has
# it: other versions see other things. Without that version it checks nothing, says so and ends with
# exit status 77. Tests and headers are seen where a room includes them.
#
# Most of the time goes into the headers of the standard library, so the files of a folder are read
# together, six by six. Where that finds something, or does not compile since two of them have the same
# name for different things, the halves are read, down to single files: only what is found there counts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=14
at_once=6

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
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# read_together FILE...: as one file, compiled as the first is; silent.
read_together() {
    local place command
    place=$(mktemp -d "$folder/XXXXXX")
    command=$(grep -F -- "-c $PWD/$1\"" build/compile_commands.json | head -n 1) || return
    printf "#include \"$PWD/%s\"\n" "$@" >"$place/together.cpp"
    printf '[{"directory": "%s/build",\n%s\n"file": "%s/together.cpp"}]\n' "$PWD" \
        "${command/"-c $PWD/$1\""/"-c $place/together.cpp\""}" "$place" >"$place/compile_commands.json"
    "$program" -p "$place" --quiet --config-file=.clang-tidy "$place/together.cpp" >/dev/null 2>&1
}

check() {
    local half=$(($# / 2)) status=0
    if (($# == 1)); then
        # Its count of what it found in other people's headers is of no use here.
        "$program" -p build --quiet "$1" 2> >(grep -v ' warnings\? generated\.$' >&2)
        return
    fi
    read_together "$@" && return
    check "${@:1:half}" || status=1
    check "${@:half+1}" || status=1
    return "$status"
}

# Which files are read together, a line each. What Highway compiles for several targets includes itself.
groups() {
    local file last='' group=()
    for file in "$@"; do
        if grep -q foreach_target "$file"; then
            printf '%s\n' "$file"
            continue
        fi
        if [[ ${file%/*} != "$last" ]] || ((${#group[@]} == at_once)); then
            printf '%s\n' "${group[*]}"
            group=()
        fi
        group+=("$file")
        last=${file%/*}
    done
    printf '%s\n' "${group[*]}"
}

export -f check read_together
export folder program
# shellcheck disable=SC2016  # each shell's own arguments
groups "$@" | sed '/^$/d' | xargs -d '\n' -n 1 -P "$(nproc)" bash -c 'check $0'
