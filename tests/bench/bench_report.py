"""What a report costs: beside DuckDB on the same operations, zstd alone, and babeltrace2 on LTTng's trace."""

import pathlib
import re
import shutil
import subprocess

import programs
from bench_run import (
    CPUS, SOURCE, NotMeasured, bench_program, forget_pages, fresh_folder, on_cpus, run_json, run_measured, run_started, say,
)
from bench_table import Row, at_least, at_most, ratio_at_least, ratio_at_most

GROUP = "analyzer: report"
GROWTH = "analyzer: how a report grows"
PEERS = "analyzer: peers on one core"
FILES = 16
MIB = 2**20


def make_traces(folder, files, operations):
    """Trace files of invented operations, about that many in all."""
    say(f"making {operations:,} operations in {files:,} files")
    made = run_json([bench_program("make_operations"), "traces", fresh_folder(folder), files, operations // files])
    return made["operations"]


def has_report():
    return subprocess.run([str(programs.ANALYZER), "report", "--help"], capture_output=True, check=False).returncode == 0


def run_report(folder, jobs, scratch):
    """Everything that a report has by default, as JSON to a file."""
    if not has_report():
        raise NotMeasured("eddy-analyzer has no verb 'report'")
    command = [programs.ANALYZER, "report", "--quiet", "--jobs", jobs, "--json", scratch / "report.json", folder]
    return run_measured(command, CPUS[:jobs])


def speed(run, operations, of="cpu_s"):
    return operations / run[of] / 1e6


def run_limits(folder):
    return run_json([bench_program("bench_limits"), *sorted(folder.iterdir())], preexec_fn=on_cpus(CPUS[:1]))


# --- DuckDB ---

class DuckDb:
    """Queries in a process of their own, which measures itself; starting it is not counted."""

    def __init__(self, npm_folder, data_folder, files, operations):
        self.npm = npm_folder
        self.parquet = data_folder / f"{files}x{operations // files}.parquet"
        self.files = files
        self.operations = operations
        if shutil.which("node") is None or not (npm_folder / "node_modules/@duckdb/node-api").is_dir():
            raise NotMeasured("DuckDB is not installed")

    def command(self, *arguments):
        return ["node", str(SOURCE / "bench_duckdb.js"), str(self.npm), *[str(a) for a in arguments]]

    def convert(self):
        """The operations never change, so neither does the file."""
        if self.parquet.exists():
            return
        say(f"making {self.parquet.name}")
        partial = self.parquet.with_name(f"unfinished-{self.parquet.name}")
        with subprocess.Popen(
            [bench_program("make_operations"), "csv", str(self.files), str(self.operations // self.files)], stdout=subprocess.PIPE
        ) as csv:
            result = run_json(self.command("convert", partial), stdin=csv.stdout)
        if result["operations"] != self.operations // self.files * self.files:
            raise NotMeasured(f"DuckDB read {result['operations']} of {self.operations} operations")
        partial.rename(self.parquet)

    def query(self, kind, cpus):
        result = run_json(self.command(kind, self.parquet, len(cpus), 1), preexec_fn=on_cpus(cpus))
        return {"cpu_ns": result["cpu_ns"][0], "peak_bytes": result["peak_bytes"]}


# --- 20 M operations in 16 files ---

class Runs:
    """The values of one way to run, round by round."""

    def __init__(self):
        self.values = []
        self.failure = ""

    def add(self, run):
        try:
            self.values.append(run())
        except NotMeasured as error:
            self.failure = str(error)

    def of(self, key):
        return [value[key] for value in self.values]


def measure_report(folder, npm_folder, sizes):
    operations = make_traces(folder / "traces", FILES, sizes.report_operations)
    runs = {name: Runs() for name in ("warm", "two", "cold", "exact", "histogram", "zstd")}
    traces = folder / "traces"
    try:
        duckdb = DuckDb(npm_folder, folder, FILES, operations)
        duckdb.convert()
    except NotMeasured as error:
        duckdb = None
        runs["exact"].failure = runs["histogram"].failure = str(error)
    for i in range(sizes.rounds + 1):
        say(f"reports, round {i} of {sizes.rounds}" if i else "reports, warming up")
        turn = {name: Runs() for name in runs} if i == 0 else runs
        turn["warm"].add(lambda: run_report(traces, 1, folder))
        turn["two"].add(lambda: run_report(traces, min(2, len(CPUS)), folder))
        if duckdb is not None:
            for kind in ("exact", "histogram"):
                turn[kind].add(lambda kind=kind: duckdb.query(kind, CPUS[:1]))
        turn["zstd"].add(lambda: run_limits(traces))
        forget_pages(traces)
        turn["cold"].add(lambda: run_report(traces, 1, folder))
    shutil.rmtree(traces)
    return report_rows(runs, operations)


def report_rows(runs, operations):
    warm, two = runs["warm"], runs["two"]
    what = f"{operations / 1e6:g} M operations in {FILES} files"
    one_core = [speed(v, operations) for v in warm.values]
    exact = [operations / ns * 1e3 for ns in runs["exact"].of("cpu_ns")]
    histogram = [operations / ns * 1e3 for ns in runs["histogram"].of("cpu_ns")]
    zstd = [operations / ns * 1e3 for ns in runs["zstd"].of("decompress_ns")]
    walls = [operations / v["wall_s"] / 1e6 for v in warm.values]
    peak = [max(a, b) / MIB for a, b in zip(warm.of("peak_bytes"), two.of("peak_bytes"))]
    unit = "M op/s"
    return [
        Row(GROUP, f"{what}, 1 core, per CPU second", unit, one_core, "zstd -d alone", zstd, at_least(100), warm.failure),
        Row(GROUP, f"{what}, 1 core, per CPU second", unit, one_core, "DuckDB, exact", exact, ratio_at_least(2.5),
            runs["exact"].failure),
        Row(GROUP, f"{what}, 1 core, per CPU second", unit, one_core, "DuckDB, histogram", histogram, None,
            runs["histogram"].failure),
        Row(GROUP, f"{what}, 2 cores, by the clock", unit, [operations / v["wall_s"] / 1e6 for v in two.values],
            "1 core", walls, ratio_at_least(1.9), two.failure),
        Row(GROUP, f"{what}, 1 core, cold, by the clock", unit, [operations / v["wall_s"] / 1e6 for v in runs["cold"].values],
            "warm", walls, None, runs["cold"].failure),
        Row(GROUP, f"{what}, greatest resident size", "MiB", peak, target=at_most(256), note=warm.failure),
        Row(PEERS, "DuckDB, exact quantiles, Parquet with zstd", unit, exact, note=runs["exact"].failure),
        Row(PEERS, "DuckDB, mergeable histogram", unit, histogram, note=runs["histogram"].failure),
        Row(PEERS, "zstd -d alone, the same files", unit, zstd, note=runs["zstd"].failure),
        Row(PEERS, "memcpy of the plaintext", unit, [operations / ns * 1e3 for ns in runs["zstd"].of("copy_ns")]),
    ]


# --- Growth ---

def measure_one_size(folder, files, operations, scratch):
    made = make_traces(folder, files, operations)
    try:
        run_report(folder, 1, scratch)
        run = run_report(folder, 1, scratch)
    finally:
        shutil.rmtree(folder)
    return made, run


def measure_growth(folder, sizes):
    rows = []
    for what, cases in (("operations", [(FILES, n) for n in sizes.growth_operations]),
                        ("files", [(n, sizes.growth_file_operations) for n in sizes.growth_files])):
        first = None
        for files, operations in cases:
            name = f"{operations / 1e6:g} M operations in {files:,} files"
            target = at_most(256) if what == "operations" else None
            try:
                made, run = measure_one_size(folder / "growth", files, operations, folder)
            except NotMeasured as error:
                rows += [Row(GROWTH, f"{name}: CPU per operation", "ns", note=str(error)),
                         Row(GROWTH, f"{name}: greatest resident size", "MiB", target=target)]
                continue
            time_ns, peak = run["cpu_s"] / made * 1e9, run["peak_bytes"] / MIB
            first = first or (time_ns, peak)
            rows += [Row(GROWTH, f"{name}: CPU per operation", "ns", [time_ns], "the smallest", [first[0]]),
                     Row(GROWTH, f"{name}: greatest resident size", "MiB", [peak], "the smallest", [first[1]], target)]
        if what == "operations" and len(rows) > 2 and rows[-1].values:
            last = rows[-1]
            rows.append(Row(GROWTH, "memory, most operations against fewest", "MiB", last.values, "the smallest",
                            last.peer_values, ratio_at_most(1.1)))
    return rows


# --- babeltrace2 ---

def make_lttng_trace(lttng, operations):
    with lttng.session() as stop:
        seconds = max(1, operations // 500_000)
        run_started([bench_program(lttng.program), "pace", 500_000, seconds, 1, "resting"], lttng.environment)
        stop()
    return lttng.trace


def count_events(trace, cpus):
    done = subprocess.run(
        ["babeltrace2", str(trace), "--component=c:sink.utils.counter"], capture_output=True, text=True, check=False,
        preexec_fn=on_cpus(cpus),
    )
    return int(re.findall(r"(\d+) Event messages", done.stdout)[-1])


def measure_babeltrace(lttng, sizes):
    what = "babeltrace2, reading LTTng's trace, two events an operation"
    try:
        if lttng is None:
            raise NotMeasured("LTTng is not installed or does not start")
        if shutil.which("babeltrace2") is None:
            raise NotMeasured("babeltrace2 is not installed")
        trace = make_lttng_trace(lttng, sizes.babeltrace_operations)
        events = count_events(trace, CPUS[:1])
        size = sum(p.stat().st_size for p in pathlib.Path(trace).rglob("*") if p.is_file() and "index" not in p.parts)
        runs = [
            run_measured(["/usr/bin/babeltrace2", str(trace), "--component=c:sink.utils.counter"], CPUS[:1])
            for _ in range(sizes.rounds)
        ]
        lttng.drop_trace()
    except NotMeasured as error:
        return [Row(PEERS, what, "M op/s", note=str(error))]
    note = f"decoding and counting only; {events:,} events"
    return [
        Row(PEERS, what, "M op/s", [events / 2 / r["cpu_s"] / 1e6 for r in runs], note=note),
        Row(PEERS, "bytes on disk per operation, LTTng", "B", [size / (events / 2)], note="packets are padded to whole pages"),
    ]
