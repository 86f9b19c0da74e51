#!/usr/bin/env bash
#
# install_packages.sh - the Debian packages Eddy needs, if any are missing.
#
# Asks for nothing when all are installed. Otherwise it needs root, or sudo.

set -euo pipefail

usage() {
    cat <<END
usage: tests/support/install_packages.sh [build|test] [--list]

  build   what it takes to build Eddy and run its programs
  test    that, and what the tests and checks need (default)
  --list  print the names of the packages; install nothing
END
}

build_packages=(
    cmake gcc libc6-dev ninja-build pkgconf
    libcjson-dev libinih-dev libprotobuf-c-dev libxxhash-dev libzstd-dev protobuf-c-compiler
)
test_packages=(
    clang clang-format clang-tidy g++ libclang-rt-14-dev
    libcriterion-dev protobuf-compiler shellcheck strace zstd
    python3 python3-hypothesis python3-jsonschema python3-protobuf python3-pytest
)

lock_timeout_s=300 # another apt may be at work, as on a machine that was just started

fail() {
    printf 'install_packages: %s\n' "$*" >&2
    exit 1
}

# missing PACKAGE...: those that are not installed, one a line.
missing() {
    local package

    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
    done
}

# The lock on the package lists is the one apt does not wait for by itself.
update_lists() {
    local until=$((SECONDS + lock_timeout_s)) log

    while ! log=$("${as_root[@]}" apt-get -q update 2>&1); do
        if [[ $log != *"Could not get lock"* ]] || [ "$SECONDS" -ge "$until" ]; then
            printf '%s\ninstall_packages: cannot update the package lists; trying with those there are\n' "$log" >&2
            return
        fi
        sleep 3
    done
}

group="test"
list_only=no
for argument in "$@"; do
    case $argument in
    build | test) group=$argument ;;
    --list) list_only=yes ;;
    --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
done

packages=("${build_packages[@]}")
[ "$group" = build ] || packages+=("${test_packages[@]}")
if [ "$list_only" = yes ]; then
    printf '%s\n' "${packages[@]}"
    exit 0
fi

command -v apt-get >/dev/null ||
    fail "this is not Debian; install what corresponds to: ${packages[*]}"
mapfile -t wanted < <(missing "${packages[@]}")
if [ ${#wanted[@]} -eq 0 ]; then
    printf 'all %d packages are installed\n' "${#packages[@]}"
    exit 0
fi

as_root=(env DEBIAN_FRONTEND=noninteractive)
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        fail "this needs root, and there is no sudo. As root: apt-get install ${wanted[*]}"
    as_root=(sudo "${as_root[@]}")
fi

printf 'installing: %s\n' "${wanted[*]}"
update_lists
"${as_root[@]}" apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout="$lock_timeout_s" install "${wanted[@]}" ||
    fail "apt-get could not install: ${wanted[*]}"
