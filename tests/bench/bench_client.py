"""What Eddy costs the threads that call it, beside two bare time stamps and LTTng-UST."""

import contextlib
import json
import pathlib
import re
import shutil
import subprocess

from bench_run import CPUS, NotMeasured, bench_program, pin_all, run_started, say
from bench_table import Row, at_most, never_above, ratio_at_most

GROUP = "client: CPU of the calling thread"
NO_SOCKET = "/nonexistent/eddy.sock"


class Cost:
    """One kind of call on some threads: its repetitions, and those of its limit measured in turns with it."""

    def __init__(self, what, kind, threads=1, environment=None, stopped=False):
        self.what = what
        self.kind = kind
        self.threads = threads
        self.environment = environment or {}
        self.is_stopped = stopped
        self.values = []
        self.limits = []
        self.lost = 0
        self.made = 0
        self.failure = ""

    def run(self, tracer, sizes):
        """Some more repetitions. Of several threads each counts by itself."""
        command = [bench_program(tracer.program), "cost", self.kind, self.threads, sizes.inner, sizes.pairs]
        environment = {**tracer.environment, **self.environment}
        pin_background(tracer, self.threads)
        with contextlib.ExitStack() as stack:
            stop = stack.enter_context(tracer.session())
            at_start = stack.enter_context(tracer.stopped()) if self.is_stopped else lambda: None
            result = run_started(command, environment, at_start)
            self.lost += stop() if tracer.name == "lttng" else result["lost"]
        if tracer.name == "lttng":
            tracer.drop_trace()
        for thread in result["threads"]:
            self.values += thread["call_ns"]
            self.limits += thread["limit_ns"]
        self.made += self.threads * sizes.inner * sizes.pairs

    def try_run(self, tracer, sizes):
        try:
            self.run(tracer, sizes)
        except NotMeasured as error:
            self.failure = str(error)

    def row(self, limit_name, target=None):
        note = self.failure or (f"{self.lost:,} of {self.made:,} records lost: those calls are cheaper" if self.lost else "")
        return Row(GROUP, self.what, "ns", self.values, limit_name, self.limits, target, note)


def pin_background(tracer, threads):
    """One measured thread has processor 0 for itself; with two everything runs where it can."""
    cpus = CPUS[1:] if threads == 1 and len(CPUS) > 1 else CPUS
    for pid in [tracer.pid, *(tracer.consumers() if tracer.name == "lttng" else [])]:
        pin_all(pid, cpus)


def beside_peer(cost, peer_cost, target):
    """The same values again, compared with the peer's of the same rounds."""
    count = min(len(cost.values), len(peer_cost.values))
    note = peer_cost.failure or (f"LTTng discarded {peer_cost.lost:,} events" if peer_cost.lost else "")
    values = cost.values[:count]
    return Row(GROUP, cost.what, "ns", values, "two LTTng-UST events", peer_cost.values[:count], target, note)


class Handover:
    """Begun on one thread, ended on another: both running at the same time, or one after the other."""

    def __init__(self, how, what, target):
        self.how = how
        self.what = what
        self.target = target
        self.values = []
        self.limits = []
        self.trips = []
        self.lost = 0
        self.failure = ""

    def try_run(self, eddy, sizes):
        pin_background(eddy, 2)
        done = subprocess.run(
            [bench_program("bench_handover"), self.how, str(sizes.inner), str(sizes.pairs)],
            env=eddy.environment, capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            self.failure = done.stderr.strip()[:200] or f"status {done.returncode}"
            return
        result = json.loads(done.stdout)
        self.values += [b + e for b, e in zip(result["begin_ns"], result["end_ns"])]
        self.limits += result["limit_ns"]
        self.trips += result["round_trip_ns"]
        self.lost += result["lost"]

    def row(self):
        note = self.failure
        if self.trips:
            note = f"a cache line goes to the other processor and back in {min(self.trips):.0f} to {max(self.trips):.0f} ns"
            note += f"; {self.lost:,} records lost" if self.lost else ""
        return Row(GROUP, self.what, "ns", self.values, "two time stamps", self.limits, self.target, note)


def measure_costs(eddy, lttng, sizes):
    """All kinds of calls, in rounds, so that a slow spell of the machine meets all of them."""
    disabled = {"EDDY_DISABLE": "1"}
    pair = Cost("begin + end, 1 thread", "pair")
    pair2 = Cost("begin + end, 2 threads", "pair", 2)
    peer, peer2 = Cost("", "pair"), Cost("", "pair", 2)
    handovers = [
        Handover("together", "begin on one thread, end on another, both running", ratio_at_most(1.4)),
        Handover("apart", "begin on one thread, later end on another", None),
    ]
    states = Cost("begin, two state changes, end", "states")
    others = [
        (Cost("begin, two attributes, end", "attributes"), "two time stamps", None),
        (Cost("begin + end, exported functions", "exported"), "two time stamps", None),
        (Cost("begin + end, no collector", "pair", environment={"EDDY_SOCKET": NO_SOCKET}), "two time stamps", None),
        (Cost("begin + end, collector stopped", "pair", stopped=True), "two time stamps", None),
        (Cost("gauge", "gauge"), "one time stamp", None),
        (Cost("record (timed elsewhere)", "record"), "one time stamp", None),
        (Cost("disabled pair, eddy.h", "disabled", environment=disabled), "an empty loop", at_most(0.5)),
        (Cost("disabled pair, exported functions", "disabled_exported", environment=disabled), "an empty loop", at_most(4)),
    ]
    for i in range(sizes.rounds):
        say(f"calls, round {i + 1} of {sizes.rounds}")
        for cost in [pair, pair2, states, *(c for c, _, _ in others)]:
            cost.try_run(eddy, sizes)
        for handover in handovers:
            handover.try_run(eddy, sizes)
        for cost in [peer, peer2]:
            if lttng is None:
                cost.failure = "LTTng is not installed or does not start"
            else:
                cost.try_run(lttng, sizes)
    return [
        pair.row("two time stamps", ratio_at_most(1.2)),
        pair2.row("two time stamps", ratio_at_most(1.2)),
        beside_peer(pair, peer, ratio_at_most(0.2)),
        beside_peer(pair2, peer2, ratio_at_most(0.2)),
        *(handover.row() for handover in handovers),
        states.row("four time stamps", ratio_at_most(1.15)),
        *(cost.row(limit, target) for cost, limit, target in others),
    ]


# --- Latency ---

LATENCY = "client: latency of single calls"


def measure_latency(eddy, sizes):
    runs = {False: [], True: []}
    failure = ""
    for i in range(sizes.rounds):
        say(f"latency, round {i + 1} of {sizes.rounds}")
        for is_stopped in (False, True):
            pin_background(eddy, 1)
            with contextlib.ExitStack() as stack:
                at_start = stack.enter_context(eddy.stopped()) if is_stopped else lambda: None
                try:
                    command = [bench_program("bench_latency"), sizes.latency_calls]
                    runs[is_stopped].append(run_started(command, eddy.environment, at_start))
                except NotMeasured as error:
                    failure = str(error)
    rows = []
    for rank, name in enumerate(("50 %", "99 %", "99.9 %", "99.99 %")):
        running, stopped, nothing = (
            [run[what]["p50_p99_p999_p9999_ns"][rank] for run in which]
            for which, what in ((runs[False], "both"), (runs[True], "both"), (runs[False], "nothing"))
        )
        target = ratio_at_most(1.2) if rank == 3 else None
        rows.append(Row(LATENCY, f"{name} of calls, collector running", "ns", running, "calling nothing", nothing, None, failure))
        rows.append(Row(LATENCY, f"{name} of calls, collector stopped", "ns", stopped, "running", running, target, failure))
    for is_stopped, name in ((False, "running"), (True, "stopped")):
        longer = [float(run["both"]["over_1_ms"]) for run in runs[is_stopped]]
        nothing = [float(run["nothing"]["over_1_ms"]) for run in runs[is_stopped]]
        switches = [run["involuntary_switches"] for run in runs[is_stopped]]
        note = f"the thread was preempted {switches} times" if any(longer) else ""
        rows.append(Row(LATENCY, f"calls above 1 ms, collector {name}", "calls", longer, "calling nothing", nothing, None, note))
    return rows


# --- What the kernel sees ---

KERNEL = "client: what the kernel does for the calling thread"


def calls_between_marks(trace):
    """System calls of the thread that named itself, between its two marks: names with counts."""
    thread = re.search(r'^(\d+) .*prctl\(PR_SET_NAME, "bench-from"', trace, re.M)
    if thread is None:
        raise NotMeasured("strace saw no mark")
    own = re.findall(rf"^{thread[1]} +(?:[\d.]+ +)?(?:<\.\.\. )?(\w+)[ (](.*)$", trace, re.M)
    names = []
    is_inside = False
    for name, rest in own:
        if name == "prctl" and "bench-from" in rest:
            is_inside = True
        elif name == "prctl" and "bench-until" in rest:
            return {n: names.count(n) for n in sorted(set(names))}
        elif is_inside and name != "getrusage" and "resumed>" not in rest:
            names.append(name)
    raise NotMeasured("strace saw no second mark")


def trace_calls(eddy, sizes, path):
    """System calls of a run of bench_latency under strace, by name."""
    if shutil.which("strace") is None:
        raise NotMeasured("strace is not installed")
    command = ["strace", "-f", "-q", "-e", "signal=none", "-o", str(path), bench_program("bench_latency"), sizes.kernel_calls]
    run_started(command, eddy.environment)
    return calls_between_marks(path.read_text())


def measure_kernel(eddy, sizes, folder):
    others, futexes, faults = [], [], []
    note = ""
    try:
        for i in range(sizes.rounds):
            say(f"system calls, round {i + 1} of {sizes.rounds}")
            names = trace_calls(eddy, sizes, pathlib.Path(folder) / "strace.txt")
            futexes.append(float(names.pop("futex", 0)))
            others.append(float(sum(names.values())))
            if names:
                note = f"the others: {names}"
            untraced = run_started([bench_program("bench_latency"), sizes.kernel_calls], eddy.environment)
            faults.append(float(untraced["page_faults"]))
    except NotMeasured as error:
        note = str(error)
    pairs = f"of {sizes.kernel_calls:,} operations"
    return [
        Row(KERNEL, f"wakes (futex) {pairs}", "calls", futexes, note="at most one per sleep of the flusher"),
        Row(KERNEL, f"other system calls {pairs}", "calls", others, target=never_above(0), note=note),
        Row(KERNEL, f"page faults {pairs}", "faults", faults, target=never_above(0)),
    ]
