#!/usr/bin/env bash
#
# install_peers.sh - what the bench compares Eddy with, if any of it is missing.
#
# LTTng and babeltrace2 come from Debian, DuckDB from npm into a folder of its own. A peer that cannot be installed is no
# failure: its rows of the table say so. Always exits with 0 but for wrong usage.

set -euo pipefail

usage() {
    cat <<END
usage: tests/bench/install_peers.sh FOLDER

  FOLDER  where the npm packages go
END
}

packages=(lttng-tools liblttng-ust-dev babeltrace2 strace)
duckdb=@duckdb/node-api@1.5.6-r.1
lock_timeout_s=300

[ $# -eq 1 ] || { usage >&2 && exit 2; }
[ "$1" != --help ] || { usage && exit 0; }
folder=$1

say() {
    printf 'install_peers: %s\n' "$*" >&2
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root=(env DEBIAN_FRONTEND=noninteractive)
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n "${as_root[@]}")

# debian PACKAGE...: installs those that are missing.
debian() {
    local package wanted=()

    for package in "$@"; do
        is_installed "$package" || wanted+=("$package")
    done
    [ ${#wanted[@]} -ne 0 ] || return 0
    command -v apt-get >/dev/null || { say "this is not Debian: no ${wanted[*]}" && return 0; }
    say "installing: ${wanted[*]}"
    "${as_root[@]}" apt-get -q update >&2 || say "cannot update the package lists; trying with those there are"
    "${as_root[@]}" apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout="$lock_timeout_s" install \
        "${wanted[@]}" >&2 || say "apt-get could not install: ${wanted[*]}"
}

debian "${packages[@]}"
# Node may have come from elsewhere than Debian.
command -v node >/dev/null || debian nodejs
command -v npm >/dev/null || debian npm

if [ ! -d "$folder/node_modules/@duckdb/node-api" ]; then
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts "$duckdb" >&2 ||
        say "npm could not install $duckdb"
fi
