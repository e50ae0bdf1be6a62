#!/usr/bin/env bash
# Downloads CIFAR-10 (binary version, 170 MB) from its author's page, checks it and unpacks it.
#
#   scripts/fetch-cifar10.sh DIR      ->  DIR/cifar-10-batches-bin/data_batch_1.bin, ...
#
# Does nothing when DIR has it already. Nothing is left in DIR unless the digest is right.
# Exit status: 0 ready, 69 no network or no curl, 65 the archive is not the official one.
#
# A. Krizhevsky: Learning multiple layers of features from tiny images. 2009.
set -euo pipefail

url=https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz
sha256=c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd

say() { printf 'cifar10: %s\n' "$*" >&2; }

# download FILE: gives up after 10 s without a connection, or 30 s below 10 kB/s.
download() {
    if ! command -v curl >/dev/null; then
        say "curl is missing"
        return 1
    fi
    curl --fail --location --silent --show-error --connect-timeout 10 \
        --speed-limit 10000 --speed-time 30 --output "$1" "$url" 2>"$1.log" || {
        say "$(tail -n 1 "$1.log")"
        return 1
    }
}

main() {
    local directory=${1:?usage: fetch-cifar10.sh DIR}
    local folder=$directory/cifar-10-batches-bin
    [[ ! -f $folder/test_batch.bin ]] || return 0
    mkdir -p "$directory"
    work=$(mktemp -d "$directory/.fetch.XXXXXX")
    trap 'rm -rf "$work"; rmdir --ignore-fail-on-non-empty "${work%/*}"' EXIT

    say "downloading $url"
    download "$work/archive" || exit 69
    if ! printf '%s  %s\n' "$sha256" "$work/archive" | sha256sum --check --status; then
        say "the archive is not the official one: its sha256 is not $sha256"
        exit 65
    fi
    tar -xzf "$work/archive" -C "$work"
    rm -rf "$folder"
    mv "$work/cifar-10-batches-bin" "$folder"
    say "ready in $folder"
}

work=
main "$@"
