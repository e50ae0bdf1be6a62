#!/usr/bin/env bash
# Installs the system packages that Lockstep is built from, where any is missing.
#
#   scripts/install-packages.sh [--with-images | --with-tests | --with-checks]
#
#   --with-images   also Fashion-MNIST (30 MB): real images for a machine that does not reach CIFAR-10
#   --with-tests    also what the tests need
#   --with-checks   also that, and what .ci/run uses: ccache, shells, locales, a browser (which is big), packaging tools,
#                   clang-format and clang-tidy, on Debian 12 alone (other systems have other versions, which
#                   see other things)
#
# Debian 12, Debian 13, Ubuntu 24.04; as root, or through sudo. Asks nothing. Does nothing, quickly,
# when everything is there. Why each library: docs/decisions/0002-libraries.md
set -euo pipefail

tools=(cmake ninja-build g++ ca-certificates curl)
packaging=(dpkg-dev file)  # what `cmake --build build --target package` runs
libraries=(libdnnl-dev libopenmpi-dev openmpi-bin libhwy-dev librandom123-dev
    libhdf5-dev libsqlite3-dev libsqlitecpp-dev
    libtomlplusplus-dev libcli11-dev libfmt-dev nlohmann-json3-dev libssl-dev zlib1g-dev libzip-dev
    libpng-dev libjpeg-dev libjs-chart.js)
images=(dataset-fashion-mnist)
tests=(catch2 "${images[@]}")
checks=(ccache chromium fish lintian locales nodejs python3 zsh clang-format-14 clang-tidy-14)

say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$1"; exit "$2"; }

# Prints those of the given packages that are not installed.
missing_of() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null) == 'ii '* ]] ||
            printf '%s\n' "$package"
    done
}

can_be_root() {
    ((EUID == 0)) || { command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; }
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

refuse_without_root() {
    say "these packages are missing, and installing them needs root or sudo:"
    say "    apt-get install ${missing[*]}"
    fail "where others provide them: --no-install; see \"Without root\" in README.md" 77
}

# Prints "debian 12".
system_name() {
    # shellcheck source=/dev/null
    (. /etc/os-release && printf '%s %s' "$ID" "${VERSION_ID:-}")
}

warn_of_untried_system() {
    case $(system_name) in
        'debian 12' | 'debian 13' | 'ubuntu 24.04') ;;
        *) say "this is \"$(system_name)\"; tried are Debian 12, Debian 13 and Ubuntu 24.04. Going on." ;;
    esac
}

main() {
    local wanted=("${tools[@]}" "${packaging[@]}" "${libraries[@]}")
    case ${1-} in
        '') ;;
        --with-images) wanted+=("${images[@]}") ;;
        --with-tests) wanted+=("${tests[@]}") ;;
        --with-checks)
            wanted+=("${tests[@]}")
            [[ $(system_name) != 'debian 12' ]] || wanted+=("${checks[@]}")
            ;;
        *) fail "unknown option $1; there are --with-images, --with-tests and --with-checks" 64 ;;
    esac
    if ! command -v apt-get >/dev/null; then
        fail "no apt here. Install by hand (cmake >= 3.25, g++ >= 12): ${wanted[*]}" 69
    fi

    mapfile -t missing < <(missing_of "${wanted[@]}")
    ((${#missing[@]} > 0)) || return 0
    warn_of_untried_system
    can_be_root || refuse_without_root
    say "apt-get install ${missing[*]}"
    as_root apt-get update -q >/dev/null || say "the package lists could not be renewed. Going on."
    as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes \
        apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 \
        "${missing[@]}" >/dev/null
    say "done"
}

missing=()
main "$@"
