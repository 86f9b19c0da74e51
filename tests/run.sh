#!/usr/bin/env bash
#
# run.sh - installs what is needed, builds Eddy in every way it is built, and runs every test.
#
# Works from any folder, as root or with sudo, as often as you like. Builds in build/; the output of each step is kept
# in build/logs/.

set -euo pipefail

usage() {
    cat <<END
usage: tests/run.sh [--quick]

  --quick   the release build and its tests only: no clang-format, clang-tidy, sanitizers and clang

Exit status: 0 if everything passed, 1 if anything failed, 2 for wrong options.
END
}

quick=no
for argument in "$@"; do
    case $argument in
    --quick) quick=yes ;;
    --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
    esac
done

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
logs=build/logs
if ! mkdir -p "$logs" 2>/dev/null || [ ! -w "$logs" ] || [ ! -w build ]; then
    printf "run: cannot write to '%s': did another user build here? Remove it, or call this as that user\n" "$PWD/build" >&2
    exit 1
fi
rm -f -- "$logs"/*.log

# What the caller's environment says about compilers and about Eddy is not what is tested.
unset CC CXX CFLAGS CPPFLAGS LDFLAGS ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS LSAN_OPTIONS LD_PRELOAD
unset "${!EDDY_@}" "${!CTEST_@}"

passed=0
failed=0
summary=()

# note RESULT SECONDS WHAT: one line now, and the same in the table at the end.
note() {
    local line

    printf -v line '%-8s %5d s  %s' "$@"
    summary+=("$line")
    printf '%s\n' "$line"
}

log_of() {
    printf '%s/%s.log' "$logs" "${1// /-}"
}

show_end_of() {
    printf -- '---- the end of %s ----\n' "$1" >&2
    tail -n 60 "$1" >&2
    printf -- '----\n' >&2
}

# step WHAT COMMAND...: a step that passes or fails as a whole. Returns its result.
step() {
    local what=$1 began=$SECONDS log

    shift
    log=$(log_of "$what")
    if "$@" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        note ok $((SECONDS - began)) "$what"
    else
        failed=$((failed + 1))
        show_end_of "$log"
        note FAILED $((SECONDS - began)) "$what"
        return 1
    fi
}

# tests WHAT PRESET LABEL CTEST_OPTION...: the tests of a label, each counted. No test at all is a failure too.
tests() {
    local what=$1 preset=$2 label=$3 began=$SECONDS log status=0 bad total

    shift 3
    log=$(log_of "$what")
    "${launcher[@]}" ctest --test-dir "build/$preset" -L "^$label\$" --no-tests=error --output-on-failure "$@" \
        >"$log" 2>&1 </dev/null || status=$?
    read -r bad total < <(sed -n 's/.* \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$log") || true
    total=${total:-0} bad=${bad:-0}
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then # ctest itself failed
        bad=1 total=$((total + 1))
    fi
    passed=$((passed + total - bad))
    failed=$((failed + bad))
    if [ "$bad" -eq 0 ]; then
        note ok $((SECONDS - began)) "$what: $total passed"
    else
        show_end_of "$log"
        note FAILED $((SECONDS - began)) "$what: $bad of $total failed"
    fi
}

configure_and_build() {
    cmake --preset "$1" && cmake --build --preset "$1"
}

check_scripts() {
    find .ci tests samples -type f \( -name '*.sh' -o -path .ci/run \) -print0 | xargs -0 shellcheck
}

release() {
    step "release build" configure_and_build release || return 0
    tests "release unit" release unit -j2
    tests "release stress" release stress
    tests "release end to end" release end_to_end -j2
}

# AddressSanitizer and UndefinedBehaviorSanitizer
asan() {
    step "asan build" configure_and_build asan || return 0
    tests "asan unit" asan unit -j2
    tests "asan end to end" asan smoke -j2
}

# ThreadSanitizer of gcc 12 does not start where the kernel randomises addresses by more than 28 bits.
tsan() {
    step "tsan build" configure_and_build tsan || return 0
    if setarch -R true 2>/dev/null; then
        launcher=(setarch -R)
    fi
    tests "tsan stress" tsan stress
    launcher=()
}

launcher=()
began=$SECONDS
export DEBIAN_FRONTEND=noninteractive

step "packages" tests/support/install_packages.sh test || {
    printf 'run: packages are missing, so nothing can be built\n\n%d passed, %d failed\n' "$passed" "$failed"
    exit 1
}
step "includes" tests/check_includes.sh || true
step "scripts" check_scripts || true
release
if [ "$quick" = no ]; then
    # compile_commands.json of a build that could not be configured is not there, and the step says so.
    step "format and clang-tidy" tests/check_format.sh build/release || true
    asan
    tsan
    step "clang build" configure_and_build clang || true
fi

printf '\nSummary\n'
printf '%s\n' "${summary[@]}"
printf '%d s in all; logs in %s\n' $((SECONDS - began)) "$PWD/$logs"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
