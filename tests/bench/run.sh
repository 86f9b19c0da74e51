#!/usr/bin/env bash
#
# run.sh - builds Eddy, installs what it is compared with, measures everything and prints one table.
#
# Works from any folder, as root or with sudo, as often as you like. Everything it makes is in build/bench/; all values are
# in build/bench/bench.json. On a machine that does nothing else, please.

set -euo pipefail

usage() {
    cat <<END
usage: tests/bench/run.sh [--quick] [--only GROUP...]

  --quick  few and short repetitions: does everything work?
  --only   calls latency kernel loss bytes memory report growth babeltrace: some of these, at the end of the line

Exit status: 0 if it ran, whatever was met or missed; 1 if it could not be built or run, 2 for wrong options.
END
}

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."
bench=$PWD/build/bench
options=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) options+=(--quick) ;;
    --only) options+=("$@") && break ;;
    --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
    shift
done

# What the caller's environment says about compilers and about Eddy is not what is measured.
unset CC CXX CFLAGS CPPFLAGS LDFLAGS LD_PRELOAD "${!EDDY_@}" "${!LTTNG_@}"

mkdir -p "$bench"
tests/support/install_packages.sh build
tests/bench/install_peers.sh "$bench/npm"
cmake --preset release -B "$bench/build" -DEDDY_BENCH=ON >"$bench/build.log"
cmake --build "$bench/build" --target eddy-collector eddy-analyzer samples/all tests/bench/all >>"$bench/build.log" || {
    tail -n 40 "$bench/build.log" >&2
    exit 1
}

export EDDY_BUILD_DIR=$bench/build EDDY_SOURCE_DIR=$PWD PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 tests/bench/bench.py --folder "$bench" --npm "$bench/npm" "${options[@]}"
