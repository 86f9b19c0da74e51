"""What becomes of the records: losses at a given rate, CPU and bytes per operation, memory of the collector."""

import contextlib
import json
import pathlib
import re
import subprocess

import programs
from bench_run import CPUS, Eddy, NotMeasured, bench_program, fresh_folder, pin_all, resident_bytes, run_json, run_started, say
from bench_table import Row, at_most, never_above

LOSS = "loss"
FLOW = "flusher and collector"
RATE = 1_000_000
THREADS = 2
FASTEST = 16 * RATE
SEARCH_STEPS = 4
CLIENTS = (1, 100, 10_000)
CAUSES = ("unknown", "ring_full", "no_slot", "no_ring", "reentry", "out_of_range", "outbox_full", "after_shutdown")


def pace(tracer, rate, seconds, how):
    """RATE operations a second on each of two threads. Returns what was made and lost, and what it cost."""
    command = [bench_program(tracer.program), "pace", rate, seconds, THREADS, how]
    pin_all(tracer.pid, CPUS)
    before = tracer.cpu_ns()
    with tracer.session() as stop:
        result = run_started(command, tracer.environment)
        result["lost"] = stop() if tracer.name == "lttng" else result["lost"]
        result["collector_cpu_ns"] = tracer.cpu_ns() - before
    if tracer.name == "lttng":
        tracer.drop_trace()
    else:
        empty_output(tracer)
    return result


def empty_output(eddy):
    """Finished traces are of no more use."""
    for path in eddy.collector.output.glob("*.trace.zst"):
        path.unlink()


def is_lossless(result, rate):
    return result["lost"] == 0 and result["made"] / result["seconds"] > 0.95 * rate * THREADS


def highest_rate(tracer, seconds):
    """Doubles the rate until something is lost or not made, then halves the interval."""
    best, low, high = 0.0, 0, RATE
    while high <= FASTEST:
        result = pace(tracer, high, seconds, "resting")
        if not is_lossless(result, high):
            break
        best, low, high = result["made"] / result["seconds"], high, 2 * high
    if high > FASTEST:
        return best
    for _ in range(SEARCH_STEPS):
        middle = (low + high) // 2
        result = pace(tracer, middle, seconds, "resting")
        if is_lossless(result, middle):
            best, low = result["made"] / result["seconds"], middle
        else:
            high = middle
    return best


def loss_rows(results, target, name):
    rows = []
    for how, text in (("resting", "threads sleep between bursts"), ("busy", "threads never sleep")):
        runs = results[how]
        what = f"{name}: lost at 1 M/s on each of 2 threads, {text}"
        note = ""
        if runs:
            rate = min(r["made"] / r["seconds"] for r in runs)
            note = f"made: {sum(r['made'] for r in runs):,} operations, at least {rate / 1e6:.2f} M/s"
            missed = sum(r["missed"] for r in runs)
            note += f"; {missed:,} not made, since the thread was not on a processor" if missed else ""
            causes = [sum(counts) for counts in zip(*(r["lost_by_cause"] for r in runs if "lost_by_cause" in r))]
            note += "".join(f"; {name}: {count:,}" for name, count in zip(CAUSES, causes) if count)
        rows.append(Row(LOSS, what, "records", [float(r["lost"]) for r in runs], target=target, note=note))
    return rows


def measure_tracer(tracer, sizes):
    """(results of the paced runs, highest rates without loss, why not)"""
    results = {"resting": [], "busy": []}
    rates = []
    if tracer is None:
        return results, rates, "LTTng is not installed or does not start"
    try:
        for i in range(sizes.rounds):
            say(f"losses of {tracer.name}, round {i + 1} of {sizes.rounds}")
            for how, runs in results.items():
                runs.append(pace(tracer, RATE, sizes.pace_seconds, how))
            rates.append(highest_rate(tracer, sizes.search_seconds))
    except NotMeasured as error:
        return results, rates, str(error)
    return results, rates, ""


def per_operation(results, key):
    return [r[key] / r["made"] for r in results["resting"]]


def measure_losses(eddy, lttng, sizes, ret_costs):
    """Rows of losses; ret_costs gets those of the CPU that the same runs cost behind the callers."""
    ours, rates, failure = measure_tracer(eddy, sizes)
    theirs, peer_rates, peer_failure = measure_tracer(lttng, sizes)
    rows = loss_rows(ours, never_above(0), "Eddy")
    rows += loss_rows(theirs, None, "LTTng")
    rows[0].note = rows[0].note or failure
    rows[2].note = rows[2].note or peer_failure
    note = "of both threads together; callers sleep between bursts"
    rows.append(Row(LOSS, "highest rate without loss", "op/s", rates, "LTTng", peer_rates, note=failure or note))
    consumer = per_operation(theirs, "collector_cpu_ns")
    ret_costs += [
        Row(FLOW, "flusher, all work, per operation", "ns", per_operation(ours, "background_cpu_ns"), "LTTng's consumer",
            consumer, at_most(25), failure or "at 2 M op/s; with what it samples of the process"),
        Row(FLOW, "collector per operation", "ns", per_operation(ours, "collector_cpu_ns"), target=at_most(1),
            note=failure or "with what it samples of the machine once a second"),
    ]
    return rows


# --- Bytes ---

def measure_generator_bytes(folder, sizes):
    """The same bytes in every run: one measurement is enough."""
    made = run_json([bench_program("make_operations"), "traces", fresh_folder(folder), 1, sizes.bytes_operations])
    entropy = run_json([bench_program("make_operations"), "entropy", sizes.bytes_operations])
    limits = run_json([bench_program("bench_limits"), *folder.iterdir()])
    return [
        Row(FLOW, "bytes on disk per operation, invented operations", "B", [made["bytes"] / made["operations"]],
            "entropy of the source", [entropy["bytes"]], at_most(5.0)),
        Row(FLOW, "the same columns as one zstd block after the other", "B", [limits["recompressed_bytes"] / made["operations"]],
            "entropy of the source", [entropy["bytes"]]),
        Row(FLOW, "zstd level 1 alone, per operation", "ns", [limits["compress_ns"] / made["operations"]]),
        Row(FLOW, "memcpy of the plaintext, per operation", "ns", [limits["copy_ns"] / made["operations"]]),
    ]


def rows_by_executable(output):
    """(executable, operations, other records, bytes) of what 'verify' says of a folder."""
    done = subprocess.run([str(programs.ANALYZER), "verify", str(output)], capture_output=True, text=True, check=False)
    sums = {}
    for path, operations, samples, marks in re.findall(
        r"(\S+\.trace\.zst): \S+ batch(?:es)?, (\S+) operations?, (\S+) samples?, (\S+) marks?", done.stdout
    ):
        name = re.sub(r"-\d+-[0-9a-f]{8}-\d+\.trace\.zst$", "", pathlib.Path(path).name)
        counts = [int(n.replace(",", "")) for n in (operations, samples, marks)]
        one = sums.setdefault(name, [0, 0, 0])
        one[0] += counts[0]
        one[1] += counts[1] + counts[2]
        one[2] += pathlib.Path(path).stat().st_size
    return [(name, *one) for name, one in sorted(sums.items())]


def measure_sample_bytes(folder, sizes):
    """The samples of the project, as quickstart.sh runs them."""
    fresh_folder(folder)
    done = subprocess.run(
        [str(programs.SOURCE_DIR / "samples/quickstart.sh"), "--build-dir", str(programs.BUILD_DIR), "--output", str(folder),
         "--seconds", str(sizes.sample_seconds)],
        capture_output=True, text=True, check=False,
    )
    traces = folder / "traces"
    found = rows_by_executable(traces) if traces.is_dir() else []
    rows = []
    for name, operations, others, size in found:
        if operations > 0:
            note = f"{operations:,} operations; {others:,} samples and marks are paid for by them too"
            rows.append(Row(FLOW, f"bytes on disk per operation, {name}", "B", [size / operations], note=note))
    return rows or [
        Row(FLOW, "bytes on disk per operation, samples", "B", note=f"quickstart.sh: {done.stderr.strip()[-200:] or done.returncode}")
    ]


# --- Memory ---

def memory_with(eddy, count):
    """Resident bytes of the collector with so many idle clients; how many there were."""
    with subprocess.Popen(
        [bench_program("bench_clients"), str(eddy.collector.socket), str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as clients:
        connected = json.loads(clients.stdout.readline())["connected"]
        resident = resident_bytes(eddy.pid)
        clients.stdin.close()
    return resident, connected


def measure_memory(folder):
    config = fresh_folder(folder) / "collector.conf"
    config.write_text("[Socket]\nMaxConnectionsPerUser=0\n")
    rows = []
    for count in CLIENTS:
        what = f"collector's memory with {count:,} idle clients"
        target = at_most(64) if count == max(CLIENTS) else None
        say(what)
        with contextlib.ExitStack() as stack:
            try:
                eddy = stack.enter_context(Eddy(folder / f"{count}", "--config", config))
                resident, connected = memory_with(eddy, count)
                note = "" if connected == count else f"only {connected:,} were let in"
                rows.append(Row(FLOW, what, "MiB", [resident / 2**20], target=target, note=note))
            except (NotMeasured, json.JSONDecodeError) as error:
                rows.append(Row(FLOW, what, "MiB", target=target, note=str(error)))
    return rows

