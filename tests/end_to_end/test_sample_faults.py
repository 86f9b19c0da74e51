"""Faults of production, switched on in the samples, show in the report where a reader would look for them.

All are compared with a healthy run of the same length, or within one run: how long anything takes depends on the machine.
"""

import functools
import signal
import subprocess

import pytest

import programs

SAMPLES = programs.BUILD_DIR / "samples"
UNTRACED = programs.environment("/nonexistent/eddy.sock", EDDY_DISABLE="1")
SECONDS = "2.5"


class Report:
    """What the analyzer says of one recorded run, and what the program printed."""

    def __init__(self, folder, printed):
        self.json, done = programs.report(folder)
        assert done.returncode == 0, done.stderr
        assert self.json["quality"]["coverage_ratio"] == 1
        self.printed = printed
        self.operations = {o["name"]: o for o in self.json["operations"]}
        self.queues = {q["name"]: q for q in self.json["queues"]}

    def total_ns(self, name):
        operation = self.operations[name]
        return operation["duration"]["mean_ns"] * operation["count"]

    def states_ns(self, name):
        """The sum of the times that operations of this name spent in each state."""
        states = self.operations[name]["states"] or {}
        times = {state: known["time"] for state, known in states.items() if known is not None}
        return {state: time["mean_ns"] * time["count"] for state, time in times.items() if time["count"] > 0}

    def share(self, name, state):
        return self.states_ns(name).get(state, 0) / self.total_ns(name)

    def mean_ns(self, name, state):
        return self.states_ns(name).get(state, 0) / self.operations[name]["count"]

    def longest_state(self, name):
        states = self.states_ns(name)
        return max(states, key=states.get)

    def residence_ns(self, queue):
        return self.queues[queue]["residence"]["mean_ns"]

    def metric(self, name):
        """Of the whole process; the machine and single threads have series of their own."""
        return next(m for m in self.json["metrics"] if m["name"] == name and not m["is_per_thread"])


def record(folder, *command):
    return [str(programs.COLLECTOR), "record", "-o", str(folder), "--", *[str(c) for c in command]]


@pytest.fixture(scope="module", name="pool")
def run_pool_once_per_fault(tmp_path_factory):
    @functools.cache
    def run(fault):
        folder = tmp_path_factory.mktemp(f"pool-{fault}")
        done = subprocess.run(
            record(
                folder / "traces",
                SAMPLES / "thread_pool", "--seconds", SECONDS, "--folder", folder, "--fault", fault,
            ),  # fmt: skip
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert [p.name for p in folder.iterdir()] == ["traces"]
        return Report(folder / "traces", done.stdout)

    return run


@pytest.fixture(scope="module", name="server")
def run_server_once_per_fault(tmp_path_factory):
    @functools.cache
    def run(fault):
        folder = tmp_path_factory.mktemp(f"server-{fault}")
        server = subprocess.Popen(
            record(folder / "traces", SAMPLES / "key_value_server", "--seconds", "60", "--fault", fault),
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            port = server.stdout.readline().split()[1]
            load = subprocess.run(
                [str(SAMPLES / "load_generator"), "--port", port, "--seconds", SECONDS],
                env=UNTRACED,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert load.returncode == 0, load.stdout + load.stderr
        finally:
            server.send_signal(signal.SIGTERM)
            printed = server.communicate(timeout=30)[0]
        assert server.returncode == 0
        return Report(folder / "traces", printed)

    return run


@pytest.mark.parametrize("name", ["thread_pool", "key_value_server"])
def test_help_names_the_faults_and_others_are_refused(name):
    usage = subprocess.run([str(SAMPLES / name), "--help"], capture_output=True, text=True, check=True).stdout
    refused = subprocess.run(
        [str(SAMPLES / name), "--fault", "flood"], env=UNTRACED, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2 and refused.stdout == ""
    listed = refused.stderr.split("wants one of none ")[1].split(", not")[0].split()
    assert len(listed) >= 2
    assert all(f"\n  {fault} " in usage for fault in listed)


def test_healthy_operations_say_all_the_time_what_they_do(pool, server):
    for report in (pool("none"), server("none")):
        assert len(report.operations) >= 6
        for name in set(report.operations) - {"server.loop"}:  # whose rounds say no state: they are busy throughout
            known = sum(ns for state, ns in report.states_ns(name).items() if state != "other")
            assert known / report.total_ns(name) > 0.95, name


def test_a_convoy_waits_for_its_lock(pool):
    healthy, faulted = pool("none"), pool("convoy")
    assert healthy.share("pool.archive", "waiting_lock") < 0.05
    assert faulted.longest_state("pool.archive") == "waiting_lock"
    assert faulted.share("pool.archive", "waiting_lock") > 0.3
    # Who is at work is not slower for it than by the better compression: it is the others who wait.
    assert faulted.mean_ns("pool.archive", "waiting_lock") > 3 * faulted.mean_ns("zstd.compress", "running")


def test_a_slow_disk_is_waited_for(pool):
    healthy, faulted = pool("none"), pool("slow-disk")
    written = "process.io.write_bytes"
    assert "file.checkpoint" not in healthy.operations
    assert faulted.metric(written)["total"] > 5 * healthy.metric(written)["total"]
    assert faulted.longest_state("pool.archive") == "waiting_io"
    assert faulted.total_ns("file.checkpoint") > 0.3 * faulted.states_ns("pool.archive")["waiting_io"]


def test_throttled_threads_could_run_and_do_not(pool):
    healthy, faulted = pool("none"), pool("throttle")

    def wait_per_run(report):
        parts = ("process.cpu.user_time", "process.cpu.system_time")
        return report.metric("process.run_queue.wait")["total"] / sum(report.metric(p)["total"] for p in parts)

    assert "limited to " in faulted.printed and "limited to " not in healthy.printed
    assert wait_per_run(faulted) > max(5, 2 * wait_per_run(healthy))
    assert faulted.longest_state("zstd.compress") == "running"
    assert faulted.mean_ns("zstd.compress", "running") > 2 * healthy.mean_ns("zstd.compress", "running")


def test_an_exhausted_pool_lets_others_wait_in_its_queue(pool):
    healthy, faulted = pool("none"), pool("pool-exhaustion")
    assert "pool.repack" not in healthy.operations
    assert faulted.longest_state("pool.archive") == "queued"
    assert faulted.longest_state("pool.repack") == "running"
    assert faulted.mean_ns("pool.archive", "queued") > 4 * healthy.mean_ns("pool.archive", "queued")
    assert faulted.residence_ns("pool.queue") > 4 * healthy.residence_ns("pool.queue")
    assert faulted.operations["pool.repack"]["count"] % 4 == 0, "each time one for each worker"


def test_whoever_stands_behind_a_blocking_lookup_waits_in_the_queue(server):
    healthy, faulted = server("none"), server("blocking-dns")
    assert "dns.lookup" not in healthy.operations
    assert faulted.longest_state("dns.lookup") == "waiting_io"
    for name in ("kv.get", "kv.digest"):
        assert faulted.longest_state(name) == "queued"
        assert faulted.mean_ns(name, "queued") > 10 * healthy.mean_ns(name, "queued")
    assert faulted.residence_ns("kv.pending") > 10 * healthy.residence_ns("kv.pending")
    # All that time the loop was held by lookups that few requests made.
    assert faulted.operations["dns.lookup"]["count"] < faulted.operations["kv.put"]["count"] / 2
    assert faulted.total_ns("dns.lookup") > 0.8 * faulted.states_ns("kv.put")["running"]


def test_a_leak_grows_with_each_request(server):
    healthy, faulted = server("none"), server("leak")

    def growth_per_get(report):
        heap = report.metric("process.memory.heap_in_use")["values"]
        return (heap["max"] - heap["min"]) / report.operations["kv.get"]["count"]

    assert growth_per_get(faulted) > 4 * growth_per_get(healthy)


def test_faults_lose_no_work(pool, server):
    for fault in ("convoy", "slow-disk", "throttle", "pool-exhaustion"):
        report = pool(fault)
        assert report.printed.endswith("; 0 failed\n")
        jobs = int(report.printed.splitlines()[-1].split()[1])
        done = sum(report.operations[n]["count"] for n in ("pool.archive", "pool.repack") if n in report.operations)
        assert done == jobs > 10
    for fault in ("blocking-dns", "leak"):
        report = server(fault)
        served = int(report.printed.splitlines()[-1].split()[1])
        assert sum(o["count"] for n, o in report.operations.items() if n.startswith("kv.")) == served > 1000


# --- In the time budget ---


def slowest(report, name):
    """The slowest cohort that holds operations: above p99 where there are enough."""
    return [c for c in report.operations[name]["budget"]["cohorts"] if c["count"] > 0][-1]


@pytest.mark.parametrize(
    "fault,part", [("convoy", "waiting_lock"), ("slow-disk", "waiting_io"), ("pool-exhaustion", "queued")]
)
def test_the_budget_of_the_slowest_names_the_fault(pool, fault, part):
    healthy = slowest(pool("none"), "pool.archive")["parts"]
    faulted = slowest(pool(fault), "pool.archive")["parts"]
    assert max(faulted, key=lambda name: faulted[name]["mean_ns"]) == part
    assert faulted[part]["share"] > 0.4
    assert faulted[part]["mean_ns"] > 3 * healthy[part]["mean_ns"]


def test_the_budget_estimates_what_throttling_took(pool):
    faulted = pool("throttle")
    cohort = faulted.operations["zstd.compress"]["budget"]["all"]
    estimates = {name: known["mean_ns"] for name, known in cohort["running_estimates"].items()}
    running = cohort["parts"]["running"]["mean_ns"]
    assert 0.5 * running < estimates["not_on_cpu"] <= running
    if "every 100 ms" in faulted.printed:  # by a control group, not by a busy neighbour
        assert 0.05 * running < estimates["throttled"] <= running  # by another account than not_on_cpu


def test_budgets_of_healthy_samples_leave_little_unaccounted(pool, server):
    for report in (pool("none"), server("none")):
        for name, operation in report.operations.items():
            if operation["budget"] is not None:
                assert operation["budget"]["all"]["parts"]["unaccounted"]["share"] < 0.05, name
