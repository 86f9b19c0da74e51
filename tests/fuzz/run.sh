#!/usr/bin/env bash
#
# run.sh - builds the fuzz targets with libFuzzer and runs them, one after the other.
#
# New inputs and findings go to the build folder's runs/TARGET; the corpus in the tree is read only. A finding belongs into it,
# with the fix.

set -euo pipefail

usage() {
    cat <<END
usage: tests/fuzz/run.sh MINUTES [TARGET...]

  MINUTES  for each target
  TARGET   names without fuzz_ (default: all there are): $(list_targets | tr '\n' ' ')

EDDY_FUZZ_BUILD_DIR  the build folder (default build/fuzz)

Exit status: 0 without findings, 1 with some, 2 for wrong arguments.
END
}

list_targets() {
    find tests/fuzz -maxdepth 1 -name 'fuzz_*.c' -printf '%f\n' | sed 's/^fuzz_//; s/\.c$//' | sort
}

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

case ${1-} in
--help) usage && exit 0 ;;
'' | *[!0-9]* | 0) usage >&2 && exit 2 ;;
esac
minutes=$1
shift
if [ $# -eq 0 ]; then
    mapfile -t targets < <(list_targets)
else
    targets=("$@")
fi
for target in "${targets[@]}"; do
    if [ ! -f "tests/fuzz/fuzz_$target.c" ]; then
        printf "run: there is no fuzz target '%s'\n" "$target" >&2
        exit 2
    fi
done

build=${EDDY_FUZZ_BUILD_DIR:-build/fuzz}
# What takes 25 s or 2 GiB is a finding too.
options=(-max_total_time=$((minutes * 60)) -rss_limit_mb=2048 -timeout=25 -print_final_stats=1)
export ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

cmake --preset fuzz -B "$build" >/dev/null
cmake --build "$build" --target "${targets[@]/#/fuzz_}"

failed=0
for target in "${targets[@]}"; do
    work=$build/runs/$target
    mkdir -p "$work/corpus"
    if "$build/tests/fuzz_$target" "${options[@]}" -artifact_prefix="$work/" "$work/corpus" \
        "tests/fuzz/corpus/$target" >"$work/log" 2>&1 </dev/null; then
        result=ok
    else
        result=FINDING
        failed=$((failed + 1))
        tail -n 40 "$work/log" >&2
    fi
    printf '%-8s fuzz_%s: %s runs, log in %s\n' "$result" "$target" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")" "$work/log"
done
[ "$failed" -eq 0 ]
