"""Runs the whole bench and prints one table. Called by run.sh, which has built and installed what this needs."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import bench_client
import bench_flow
import bench_report
from bench_run import CPUS, Eddy, Lttng, MachineTime, NotMeasured, own_seconds, say
from bench_table import NOT_MEASURED, Row, render, summary


@dataclasses.dataclass
class Sizes:
    """How much is done; rounds are repetitions of everything in turns, inner ones are within a process."""

    rounds: int = 5
    inner: int = 5
    pairs: int = 1 << 18
    latency_calls: int = 5_000_000
    kernel_calls: int = 1_000_000
    pace_seconds: int = 10
    search_seconds: int = 2
    bytes_operations: int = 1_250_000
    sample_seconds: int = 15
    report_operations: int = 20_000_000
    growth_operations: tuple = (1_000_000, 10_000_000, 100_000_000)
    growth_files: tuple = (1, 100, 10_000)
    growth_file_operations: int = 10_000_000
    babeltrace_operations: int = 4_000_000


QUICK = Sizes(
    rounds=2, inner=3, pairs=1 << 16, latency_calls=500_000, kernel_calls=300_000, pace_seconds=2, search_seconds=1,
    sample_seconds=5, growth_operations=(1_000_000, 10_000_000), growth_files=(1, 1_000),
    growth_file_operations=2_000_000, babeltrace_operations=1_000_000,
)

GROUPS = ("calls", "latency", "kernel", "loss", "bytes", "memory", "report", "growth", "babeltrace")


def attempt(rows, group, function, *arguments):
    """What cannot be measured is a row that says so, and the rest goes on."""
    try:
        rows += function(*arguments)
    except (NotMeasured, OSError, AssertionError, KeyError, ValueError, IndexError) as error:
        rows.append(Row(group, f"{function.__name__}", "", note=f"{type(error).__name__}: {error}"))


def start_lttng(stack, folder):
    try:
        return stack.enter_context(Lttng(folder))
    except NotMeasured as error:
        say(str(error))
        return None


def measure_recording(rows, folder, sizes, groups):
    """Everything that needs a running collector, and its peer."""
    with contextlib.ExitStack() as stack:
        eddy = stack.enter_context(Eddy(folder / "eddy"))
        lttng = start_lttng(stack, folder / "lttng")
        if "calls" in groups:
            attempt(rows, bench_client.GROUP, bench_client.measure_costs, eddy, lttng, sizes)
        if "latency" in groups:
            attempt(rows, bench_client.LATENCY, bench_client.measure_latency, eddy, sizes)
        if "kernel" in groups:
            attempt(rows, bench_client.KERNEL, bench_client.measure_kernel, eddy, sizes, folder)
        costs = []
        if "loss" in groups:
            attempt(rows, bench_flow.LOSS, bench_flow.measure_losses, eddy, lttng, sizes, costs)
        peers = []
        if "babeltrace" in groups:
            attempt(peers, bench_report.PEERS, bench_report.measure_babeltrace, lttng, sizes)
    rows += costs
    return peers


def measure(folder, npm_folder, sizes, groups):
    rows = []
    peers = []
    if set(groups) & {"calls", "latency", "kernel", "loss", "babeltrace"}:
        try:
            peers = measure_recording(rows, folder, sizes, groups)
        except NotMeasured as error:
            rows.append(Row(bench_client.GROUP, "everything that records", "", note=str(error)))
    if "bytes" in groups:
        attempt(rows, bench_flow.FLOW, bench_flow.measure_generator_bytes, folder / "bytes", sizes)
        attempt(rows, bench_flow.FLOW, bench_flow.measure_sample_bytes, folder / "samples", sizes)
    if "memory" in groups:
        attempt(rows, bench_flow.FLOW, bench_flow.measure_memory, folder / "memory")
    if "report" in groups:
        attempt(rows, bench_report.GROUP, bench_report.measure_report, folder, npm_folder, sizes)
    rows += peers
    if "growth" in groups:
        attempt(rows, bench_report.GROWTH, bench_report.measure_growth, folder, sizes)
    return rows


def machine():
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo", encoding="utf-8") if l.startswith("model name")), "")
    return {"processor": cpu, "processors": len(CPUS), "kernel": platform.release(), "load_average_before": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(prog="bench.py")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--npm", type=pathlib.Path, required=True)
    parser.add_argument("--only", choices=GROUPS, nargs="+", default=GROUPS)
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)

    facts = machine()
    began = time.monotonic()
    machine_time = MachineTime()
    rows = measure(folder, options.npm.resolve(), sizes, options.only)
    busy, stolen = machine_time.passed()
    facts |= {"others_cpu_s": round(max(0, busy - own_seconds())), "stolen_cpu_s": round(stolen)}
    facts |= {"seconds": round(time.monotonic() - began), "quick": options.quick, "load_average_after": os.getloadavg()[0]}
    result = {"machine": facts, "sizes": dataclasses.asdict(sizes), "rows": [row.as_dict() for row in rows]}
    result["summary"] = summary(rows)
    (folder / "bench.json").write_text(json.dumps(result, indent=1) + "\n")

    print("\n" + render(rows))
    counts = result["summary"]
    print(f"\n{facts['processor']}, {facts['processors']} processors, {facts['seconds']} s")
    others, seconds = facts["others_cpu_s"], facts["seconds"]
    print(f"other programs used {others} s of CPU meanwhile, the host took {facts['stolen_cpu_s']} s")
    if others + facts["stolen_cpu_s"] > 0.1 * seconds:
        print("The machine was busy with other work: these figures are not good for more than a smoke test.")
    print(f"targets: {counts['met']} met, {counts['missed']} missed, {counts[NOT_MEASURED.replace(' ', '_')]} not measured")
    print(f"all values: {folder / 'bench.json'}")


if __name__ == "__main__":
    main()
