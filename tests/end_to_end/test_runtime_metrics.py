"""What libeddy samples of a process by itself: for each metric, a program makes the real thing happen, and says how much."""

import collections
import contextlib
import json
import os
import pathlib
import subprocess

import pytest

import programs
import traces

CGROUPS = pathlib.Path("/sys/fs/cgroup")
MIB = 1 << 20


class Recorded:
    """One run: what the program said, and the samples of its process in the order of time."""

    def __init__(self, folder, kind, amount, before_start=None, **variables):
        with programs.Collector(folder) as collector:
            done = subprocess.run(
                programs.support_program("runtime_work", kind, amount, folder),
                env=programs.environment(collector.socket, EDDY_SAMPLE_MS=20, **variables),
                stdout=subprocess.PIPE,
                preexec_fn=before_start,
                timeout=120,
                check=True,
            )
            collector.stop()
        self.said = json.loads(done.stdout)
        self.samples = collections.defaultdict(list)
        self.of_threads = collections.defaultdict(lambda: collections.defaultdict(list))
        files = [p for p in traces.trace_files(collector.output) if p.name.startswith("runtime_work")]
        dumped = subprocess.run([programs.ANALYZER, "dump", *files], check=True, stdout=subprocess.PIPE).stdout
        for row in map(json.loads, dumped.splitlines()):
            if row["type"] == "sample" and "thread" in row:
                self.of_threads[row["name"]][row["thread"]["serial"]].append(row["value"])
            elif row["type"] == "sample":
                self.samples[row["name"]].append(row["value"])

    def grown(self, name):
        """By how much a total grew."""
        values = self.samples[name]
        assert values == sorted(values), name
        return values[-1] - values[0]

    def risen(self, name):
        """How much more a gauge showed at most than at first."""
        return max(self.samples[name]) - self.samples[name][0]


def test_cpu_time_of_process_and_thread(tmp_path):
    run = Recorded(tmp_path, "burn", 500)
    burnt = run.said["did"]
    assert burnt >= 500_000_000
    whole = run.grown("process.cpu.user_time") + run.grown("process.cpu.system_time")
    assert whole >= burnt * 0.98  # the clocks of threads and processes are kept apart in the kernel
    user, system = run.of_threads["process.cpu.user_time"], run.of_threads["process.cpu.system_time"]
    assert max(user[t][-1] + system[t][-1] for t in user) >= burnt
    assert max(run.samples["process.cpu.utilization"]) > 0


def test_voluntary_switches(tmp_path):
    run = Recorded(tmp_path, "sleep", 2000)
    assert run.said["voluntary"] >= 2000 * 0.9  # a sleep may be over before it began
    assert run.grown("process.context_switches.voluntary") >= run.said["voluntary"]
    of_threads = run.of_threads["process.context_switches.voluntary"].values()
    assert max(values[-1] for values in of_threads) >= run.said["voluntary"] * 0.9


def test_who_competes_for_the_cpus_is_switched_and_waits(tmp_path):
    run = Recorded(tmp_path, "compete", 1000)
    assert run.said["involuntary"] > 0 and run.said["did"] > 0
    assert run.grown("process.context_switches.involuntary") >= run.said["involuntary"]
    assert run.grown("process.run_queue.wait") >= run.said["did"] * 0.9
    assert max(values[-1] for values in run.of_threads["process.run_queue.wait"].values()) > 0
    assert max(run.samples["process.threads"]) > 2 * len(os.sched_getaffinity(0))


def test_page_faults(tmp_path):
    run = Recorded(tmp_path, "faults", 64)
    assert run.said["faults"] >= run.said["did"] == 64 * MIB // 4096
    assert run.grown("process.page_faults.minor") >= run.said["faults"]
    assert run.grown("process.page_faults.major") >= 0


def test_a_heap_that_grows(tmp_path):
    run = Recorded(tmp_path, "heap", 64, EDDY_MALLINFO=1)
    for name in ("process.memory.heap_in_use", "process.memory.rss"):
        assert run.risen(name) >= 60 * MIB, name
    if not programs.SANITIZED:  # whose malloc says nothing of itself
        assert max(run.samples["process.memory.malloc_in_use"]) >= 64 * MIB
        assert min(run.samples["process.memory.malloc_free"]) >= 0


def test_malloc_is_asked_only_if_the_environment_says_so(tmp_path):
    run = Recorded(tmp_path, "heap", 1)
    assert not [name for name in run.samples if "malloc" in name]


def test_volume_of_files_and_sockets(tmp_path):
    for kind in ("files", "sockets"):
        run = Recorded(tmp_path / kind, kind, 16)
        assert run.grown("process.io.write_bytes") >= 16 * MIB
        assert run.grown("process.io.read_bytes") >= 16 * MIB
        assert run.grown("process.io.write_calls") >= 16
        assert run.grown("process.io.read_calls") >= 16


def test_volume_of_disks(tmp_path):
    run = Recorded(tmp_path, "files", 16)
    if run.said["disk_written"] == 0:
        pytest.skip(f"{tmp_path} is on no disk")
    assert run.grown("process.io.disk_write_bytes") >= run.said["disk_written"] >= 16 * MIB
    assert run.grown("process.io.disk_read_bytes") >= 0


def test_open_descriptors(tmp_path):
    run = Recorded(tmp_path, "descriptors", 200)
    opened = max(run.samples["process.open_descriptors"])
    assert opened >= 200
    if len(run.samples["process.open_descriptors"]) > 2:  # older kernels: counted too seldom to see both
        assert run.risen("process.open_descriptors") == 200
    assert set(run.samples["process.open_descriptors.limit"]) == {os.sysconf("SC_OPEN_MAX")}


# --- Control groups ---

PLACES = {
    "cpu": [(CGROUPS, {"cpu.max": "20000 100000"}), (CGROUPS / "cpu", {"cpu.cfs_quota_us": "20000"})],
    "memory": [(CGROUPS, {"memory.max": str(512 * MIB)}), (CGROUPS / "memory", {"memory.limit_in_bytes": str(512 * MIB)})],
}


@contextlib.contextmanager
def control_group(controller):
    """A group with a limit, v2 or v1, to be removed; skips the test where nobody may make one."""
    problems = []
    for root, limits in PLACES[controller]:
        group = root / f"eddy-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError as error:
            problems.append(str(error))
            continue
        try:
            for file, value in limits.items():
                if not (group / file).exists():
                    raise FileNotFoundError(f"no {group / file}")
                (group / file).write_text(value)
            yield group
            return
        except FileNotFoundError as error:
            problems.append(str(error))
        finally:
            group.rmdir()
    pytest.skip("; ".join(problems))


def numbers(path):
    return {key: int(value) for key, value in (line.split() for line in path.read_text().splitlines())}


def test_throttling(tmp_path):
    with control_group("cpu") as group:
        run = Recorded(tmp_path, "burn", 300, before_start=lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
        stat = numbers(group / "cpu.stat")
    throttled_ns = stat["throttled_time"] if "throttled_time" in stat else stat["throttled_usec"] * 1000
    assert stat["nr_throttled"] > 0
    # From the first sample to the last one; what comes before and behind is little.
    assert throttled_ns * 0.5 < run.grown("process.cgroup.cpu.throttled_time") <= throttled_ns
    assert 0 < run.grown("process.cgroup.cpu.throttled_periods") <= stat["nr_throttled"]
    assert set(run.samples["process.cgroup.cpu.limit"]) == {0.2}


def test_memory_limit(tmp_path):
    with control_group("memory") as group:
        run = Recorded(tmp_path, "heap", 64, before_start=lambda: (group / "cgroup.procs").write_text(str(os.getpid())))
    assert set(run.samples["process.cgroup.memory.limit"]) == {512 * MIB}
    assert run.risen("process.cgroup.memory.usage") >= 60 * MIB


def test_without_a_limit_nothing_is_said_of_groups(tmp_path):
    run = Recorded(tmp_path, "burn", 1)
    limits = [p for p in run.samples if p.startswith("process.cgroup.")]
    groups = pathlib.Path("/proc/self/cgroup").read_text()
    if limits and any(line.split(":")[2] != "/" for line in groups.splitlines()):
        pytest.skip("this process itself is limited")
    assert not limits
