#!/usr/bin/env bash
# From a fresh machine to a first comparison of five networks:
#
#   ./quickstart.sh [--data DIR] [--ranks N] [--no-install]
#
#   --data DIR     CIFAR-10 in its binary version: the folder with data_batch_1.bin, or one above
#                  it. Default: $LOCKSTEP_DATA, then data/, then a download into data/. Without
#                  any of them: Fashion-MNIST from Debian's package dataset-fashion-mnist, with
#                  networks for its images; without that: the built-in synthetic images
#   --ranks N      ranks to train with. Default: one per core
#   --no-install   leave the system's packages alone: cmake, a compiler and the libraries are there
#
# Installs packages (apt), builds build/lockstep, trains experiments/quickstart.toml (on
# Fashion-MNIST experiments/fashion-mnist.toml), prints the comparison and where everything lies. Asks nothing; a second call skips what is done.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

say() { printf 'quickstart: %s\n' "$*" >&2; }
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }
usage_error() {
    say "$1"
    usage >&2
    exit 64
}

# Prints the folder with CIFAR-10's batch files: the given one or one right below it.
batch_folder() {
    local folder
    for folder in "$1" "$1"/*/; do
        if [[ -f $folder/data_batch_1.bin && -f $folder/test_batch.bin ]]; then
            (cd "$folder" && pwd)
            return 0
        fi
    done
    return 1
}

# Whether Debian's package of Fashion-MNIST is there, or can be had.
has_fashion_mnist() {
    local image_file=/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
    [[ -f $image_file ]] && return
    [[ $install == yes ]] && scripts/install-packages.sh --with-images && [[ -f $image_file ]]
}

# Sets `images` to cifar10, fashion-mnist or synthetic, and for the first `data` to its folder.
find_data() {
    local wanted=${data:-${LOCKSTEP_DATA-}}
    if [[ -n $wanted ]]; then
        [[ $wanted == /* ]] || wanted=$called_from/$wanted
        data=$(batch_folder "$wanted") || {
            say "no CIFAR-10 (data_batch_1.bin ... test_batch.bin) in $wanted or right below it"
            exit 66
        }
    elif ! data=$(batch_folder data) && scripts/fetch-cifar10.sh data; then
        data=$(batch_folder data)
    fi
    if [[ -n $data ]]; then
        images=cifar10
    elif has_fashion_mnist; then
        images=fashion-mnist
    fi
}

# Nothing is downloaded for a build that can not begin.
require_tools() {
    local missing=()
    command -v cmake >/dev/null || missing+=(cmake)
    command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null || missing+=(g++)
    command -v ninja >/dev/null || command -v make >/dev/null || missing+=(ninja-build)
    ((${#missing[@]} > 0)) || return 0
    command -v curl >/dev/null || missing+=(curl)
    say "there is no ${missing[*]} here: leave --no-install out, or see \"Without root\" in README.md"
    exit 69
}

build() {
    local cores minutes
    cores=$(nproc)
    minutes=$((12 / cores + 1))  # 5.9 on two cores of an EPYC
    say "building build/lockstep (Release, $cores cores): the first time about $minutes min if they do nothing else"
    local options=(-DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF)
    [[ -z ${CI-} ]] || options+=(-DLOCKSTEP_WARNINGS_AS_ERRORS=ON)
    if [[ ! -f build/CMakeCache.txt ]] && command -v ninja >/dev/null; then
        options+=(-G Ninja)
    fi
    cmake -S . -B build "${options[@]}" >/dev/null
    cmake --build build --target lockstep --parallel "$cores"
}

train() {
    local options=() none='no CIFAR-10 here and none could be fetched'
    case $images in
        cifar10)
            say "training on CIFAR-10 in $data"
            options+=(--data "$data")
            ;;
        fashion-mnist)
            say "$none: training on Fashion-MNIST of the package dataset-fashion-mnist instead"
            experiment=fashion-mnist
            options+=(--set train.epochs=2)
            ;;
        synthetic)
            say "$none, nor Fashion-MNIST: training on synthetic images instead"
            options+=("${synthetic[@]}" --set data.training_samples=25000 --set data.test_samples=5000)
            ;;
    esac
    [[ -z $ranks ]] || options+=(--ranks "$ranks")
    build/lockstep run "experiments/$experiment.toml" "${options[@]}"
}

where_everything_lies() {
    local next=tutorials given='' on=''
    case $images in
        cifar10) printf -v given ' --data %q' "$data" ;;
        fashion-mnist)
            printf '\nThese figures are of Fashion-MNIST, not of CIFAR-10: ./quickstart.sh --data DIR\n'
            next=fashion-mnist
            on=', on Fashion-MNIST'
            ;;
        synthetic)
            printf '\nThese figures are of synthetic images, not of CIFAR-10: ./quickstart.sh --data DIR\n'
            printf -v given ' %s' "${synthetic[@]}"
            on=', on synthetic images'
            ;;
    esac
    cat <<EOT

program      $PWD/build/lockstep           (build/lockstep help)
experiment   $PWD/experiments/$experiment.toml
store        $PWD/lockstep-store           (build/lockstep ls; build/lockstep compare)
next         build/lockstep run experiments/$next.toml$given
             the five networks at full length$on
EOT
    if [[ $called_from != "$PWD" ]]; then
        printf 'in           %s           (where these commands are to be given)\n' "$PWD"
    fi
}

synthetic=(--set data.dataset=synthetic)
experiment=quickstart
images=synthetic
data=
ranks=
install=yes
while (($# > 0)); do
    case $1 in
        --data | --ranks)
            (($# > 1)) || usage_error "$1 needs a value"
            printf -v "${1#--}" %s "$2"
            shift
            ;;
        --data=*) data=${1#*=} ;;
        --ranks=*) ranks=${1#*=} ;;
        --no-install) install=no ;;
        -h | --help) usage; exit 0 ;;
        *) usage_error "unknown option $1" ;;
    esac
    shift
done

if [[ $install == yes ]]; then
    scripts/install-packages.sh
else
    require_tools
fi
find_data
build
train
where_everything_lies
