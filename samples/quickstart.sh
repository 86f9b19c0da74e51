#!/usr/bin/env bash
#
# quickstart.sh - from a fresh Debian 12 to a first report.
#
# Installs the packages that are missing, builds, starts a collector of its own, runs the samples
# under it as programs run in production, stops everything and reports on what was collected. It ends
# only processes it started. Call it from any folder, as often as you like: each run replaces the
# files of the one before.

set -euo pipefail

usage() {
    cat <<END
usage: samples/quickstart.sh [--seconds N] [--output DIR] [--build-dir DIR]

  --seconds N      how long the samples run (default 15)
  --output DIR     where traces, logs and reports go (default build/quickstart)
  --build-dir DIR  use what is built there; neither installs nor builds anything
END
}

step() {
    printf '\n== %s\n' "$*"
}

fail() {
    printf '\nquickstart: %s\n' "$*" >&2
    exit 1
}

refuse() {
    printf 'quickstart: %s\n' "$*" >&2
    usage >&2
    exit 2
}

# ---- Options ----

repository=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
seconds=15
output=$repository/build/quickstart
build=$repository/build/release
must_build=yes

while [ $# -gt 0 ]; do
    case $1 in
    --help) usage && exit 0 ;;
    --seconds) seconds=${2-} ;;
    --output) output=${2-} ;;
    --build-dir) build=${2-} must_build=no ;;
    *) refuse "unknown option '$1'" ;;
    esac
    [ -n "${2-}" ] || refuse "$1 needs a value"
    shift 2
done
[[ $seconds =~ ^[1-9][0-9]{0,4}$ ]] || refuse "--seconds wants a whole number, not '$seconds'"

collector=$build/collector/daemon/eddy-collector
analyzer=$build/analyzer/eddy-analyzer
samples=$build/samples

# ---- Whatever happens, nothing is left running ----

scratch=$(mktemp -d /tmp/eddy-quickstart.XXXXXX) # short: the path of a socket has 107 bytes at most

clean_up() {
    local pid

    for pid in $(jobs -pr); do
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf -- "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- Running programs ----

# start NAME PROGRAM ARGUMENT...: in the background. Its output goes to a log, its pid to $pid.
start() {
    local name=$1

    shift
    "$@" >"$output/logs/$name.log" 2>&1 </dev/null &
    pid=$!
}

# fail_with_log NAME WHAT: what the program said, and the end.
fail_with_log() {
    cat "$output/logs/$1.log" >&2
    fail "$1 $2: what it said stands above"
}

# await NAME PID COMMAND...: until the command succeeds, ten seconds at most.
await() {
    local name=$1 awaited_pid=$2 i

    shift 2
    for ((i = 0; i < 200; i++)); do
        "$@" >/dev/null 2>&1 && return
        kill -0 "$awaited_pid" 2>/dev/null || break
        sleep 0.05
    done
    fail_with_log "$name" "did not start"
}

# finish NAME PID: waits for its end and shows its last line.
finish() {
    wait "$2" || fail_with_log "$1" "failed"
    tail -n 1 "$output/logs/$1.log"
}

# ---- The steps ----

prepare_build() {
    local log=$scratch/build.log

    step "Packages"
    "$repository/tests/support/install_packages.sh" build ||
        fail "packages are missing, see above; an ordinary user needs sudo to install them"
    step "Build in $build"
    if ! (cd "$repository" && cmake --preset release && cmake --build --preset release --target \
        eddy-collector eddy-analyzer hello key_value_server load_generator thread_pool) >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        fail "the build failed: the end of its output stands above"
    fi
    tail -n 1 "$log"
}

prepare_output() {
    mkdir -p -- "$output/traces" "$output/logs" || fail "cannot write to '$output': see --output"
    output=$(cd -- "$output" && pwd)
    rm -f -- "$output"/traces/*.trace.zst "$output"/traces/*.trace.zst.partial "$output"/logs/*.log \
        "$output"/report.json "$output"/report.md
}

start_collector() {
    step "Collector: $collector run --socket $scratch/eddy.sock --output $output/traces"
    start eddy-collector "$collector" run --socket "$scratch/eddy.sock" --output "$output/traces"
    collector_pid=$pid
    await eddy-collector "$collector_pid" "$collector" stats --socket "$scratch/eddy.sock"
}

# The programs need nothing but the name of the socket.
run_samples() {
    local port server_pid load_pid pool_pid hello_pid

    step "Samples: a server, its load, a thread pool and hello, for $seconds s"
    export EDDY_SOCKET=$scratch/eddy.sock EDDY_LABELS=run=quickstart
    start key_value_server "$samples/key_value_server" --seconds $((seconds + 60))
    server_pid=$pid
    await key_value_server "$server_pid" grep '^port ' "$output/logs/key_value_server.log"
    port=$(awk '/^port / { print $2 }' "$output/logs/key_value_server.log")

    start load_generator "$samples/load_generator" --port "$port" --seconds "$seconds"
    load_pid=$pid
    start thread_pool "$samples/thread_pool" --seconds "$seconds" --folder "$scratch"
    pool_pid=$pid
    start hello "$samples/hello"
    hello_pid=$pid

    finish hello "$hello_pid"
    finish load_generator "$load_pid"
    finish thread_pool "$pool_pid"
    kill -TERM "$server_pid"
    finish key_value_server "$server_pid"
    unset EDDY_SOCKET EDDY_LABELS
}

# The daemon says of every client what it sent and lost; on SIGTERM it writes what it has and closes the files.
stop_collector() {
    step "What the collector took: $collector stats"
    "$collector" stats --socket "$scratch/eddy.sock" | tee "$output/logs/stats.log"
    kill -TERM "$collector_pid"
    wait "$collector_pid" || fail_with_log eddy-collector "failed"
}

report() {
    step "Report: $analyzer report $output/traces"
    "$analyzer" report "$output/traces" --json "$output/report.json" --markdown "$output/report.md" ||
        fail "no report, see above; the traces are in $output/traces"
}

say_what_is_next() {
    cat <<END

== Done
traces    $output/traces/*.trace.zst
reports   $output/report.md   for a ticket
          $output/report.json for programs
logs      $output/logs

Next:
  any trace with stock tools    zstd -dc FILE | protoc --decode=eddy.Trace -I $repository/proto trace.proto
  are the files whole?          $analyzer verify $output/traces
  one record per line           $analyzer dump $output/traces | head
  record a single program       $collector record -o DIR -- $samples/thread_pool --seconds 5
  instrument your own           $repository/samples/hello.c, then the other samples beside it
END
}

[ $must_build = no ] || prepare_build
for program in "$collector" "$analyzer" "$samples/hello"; do
    [ -x "$program" ] || fail "'$program' is not there: build first, or leave out --build-dir"
done
prepare_output
start_collector
run_samples
stop_collector
report
say_what_is_next
