#!/usr/bin/env bash
# Installs onnxruntime for Node.js below a folder, for the test that runs exported networks in it.
# Nothing else needs it.
#
#   scripts/install-onnxruntime.sh DIR
#   NODE_PATH=DIR/node_modules ./test.sh -L interop
#
# Needs Node.js and npm; takes about 300 MB. Does nothing, quickly, when it is there.
set -euo pipefail

version=1.30.0  # the one the test was made with

say() { printf 'onnxruntime: %s\n' "$*" >&2; }

if (($# != 1)); then
    say "which folder? scripts/install-onnxruntime.sh DIR"
    exit 64
fi
folder=$1
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    say "no Node.js with npm here"
    exit 69
fi
if NODE_PATH=$folder/node_modules node --eval "require('onnxruntime-node')" 2>/dev/null; then
    exit 0
fi
mkdir -p "$folder"
# Without its install script, which would fetch libraries for graphics cards.
npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error \
    "onnxruntime-node@$version" >&2
