"""Queues and worker pools in a report: rates, depth, time at capacity, utilization, and Little's law against the program."""

import heapq
import json
import random

import pytest

import programs
from test_report import EPOCH, S, report, run
from test_report_outputs import check
from trace_maker import Batch, end, source, write

MS = 10**6
CAPACITY = 24


def simulate(chance, seconds=20, rate=800, workers=4, service_ms=4.6):
    """Jobs of a pool: (begin, residence, depth on entry, duration); the busy workers and the depth whenever they change."""
    free = [0] * workers
    jobs, now, waiting = [], S, []
    while now < (seconds + 1) * S:
        now += int(chance.expovariate(rate) * S)
        waiting = [leave for leave in waiting if leave > now]
        if len(waiting) >= CAPACITY:
            continue  # turned away
        start = max(now, heapq.heappop(free))
        service = int(chance.expovariate(1) * service_ms * MS) + 1
        heapq.heappush(free, start + service)
        waiting.append(start)
        jobs.append((now, start - now, len(waiting), start - now + service))
    return jobs


def busy_samples(jobs):
    changes = sorted([(b + r, 1) for b, r, _, d in jobs] + [(b + d, -1) for b, _, _, d in jobs])
    busy, samples = 0, []
    for time, change in changes:
        busy += change
        samples.append((time, busy))
    return samples


def depth_at(jobs, time):
    return sum(1 for b, r, _, _ in jobs if b <= time < b + r)


def write_trace(path, jobs, gauge_of=None, pool_of=None, session=1, depth_period=None):
    """A trace of the jobs, one batch a second by end; gauges are those of the jobs gauge_of and pool_of."""
    ident = bytes([session]) * 16
    last = max(b + d for b, _, _, d in jobs)
    batches = []
    samples = [("pool.workers.busy", t, v) for t, v in busy_samples(pool_of)] if pool_of else []
    if pool_of:
        samples.append(("pool.workers.total", jobs[0][0], 4))
    if gauge_of:
        times = range(jobs[0][0] + 11 * MS, last, depth_period or 20 * MS)
        samples += [("pool.queue.depth", t, depth_at(gauge_of, t)) for t in times]
    for sequence in range(last // S + 1):
        batch = Batch(ident, sequence + 1, clock_ns=S, offset_ns=EPOCH)
        low, high = sequence * S, (sequence + 1) * S
        for begin, residence, depth, duration in jobs:
            if low <= begin + duration < high:
                batch.operation("job", begin, duration, states={"queued": residence, "running": duration - residence},
                                queue=("pool.queue", CAPACITY, depth, residence))
        for name, time, value in samples:
            if low <= time < high:
                batch.sample(name, time, value)
        if batch.operations or batch.samples:
            batches.append(batch)
    for sequence, batch in enumerate(batches):
        batch.sequence = sequence + 1
    return write(path, [source(ident), *batches, end(ident, len(batches) + 1)])


@pytest.fixture(name="jobs", scope="module")
def _jobs():
    return simulate(random.Random(11))


@pytest.fixture(name="whole", scope="module")
def _whole(tmp_path_factory, jobs):
    path = tmp_path_factory.mktemp("whole") / "pool-1-000.trace.zst"
    return write_trace(path, jobs, gauge_of=jobs, pool_of=jobs)


def test_rates_depth_and_time_at_capacity(whole, jobs):
    found = report(whole)
    check(json.dumps(found, sort_keys=True))
    (queue,) = found["queues"]
    flow = queue["flow"]
    first, last = jobs[0][0], max(b + r for b, r, _, _ in jobs)
    assert flow["enters_per_s"]["mean"] == pytest.approx(len(jobs) / ((last - first) / S), rel=1e-9)
    assert flow["leaves_per_s"]["mean"] == pytest.approx(flow["enters_per_s"]["mean"])
    assert flow["depth"]["mean"] == pytest.approx(sum(r for _, r, _, _ in jobs) / (last - first), rel=1e-9)
    times = range(first, last, 5 * MS)
    depths = sorted(depth_at(jobs, t) for t in times)
    assert flow["depth"]["p50"] == pytest.approx(depths[len(depths) // 2], abs=1)
    assert flow["full_ratio"] == pytest.approx(depths.count(CAPACITY) / len(depths), abs=0.02) and flow["full_ratio"] > 0.01
    assert flow["empty_ratio"] == pytest.approx(depths.count(0) / len(depths), abs=0.02)
    assert flow["full_entries"] == sum(d == CAPACITY for _, _, d, _ in jobs)
    windows = flow["over_time"]
    assert sum(w["entered"] for w in windows) == sum(w["left"] for w in windows) == len(jobs)
    assert sum(w["depth"] for w in windows) * flow["window_ns"] == pytest.approx(sum(r for _, r, _, _ in jobs), rel=1e-9)
    text = run(whole).stdout.decode()
    assert "Pools" in text and "Little" not in text
    assert "## Pools" in run("--markdown", "-", whole).stdout.decode()


def test_utilization_is_that_of_time(whole, jobs):
    (pool,) = report(whole)["pools"]
    assert (pool["name"], pool["workers"]) == ("pool", 4)
    samples = busy_samples(jobs)
    held = [(b[0] - a[0], a[1]) for a, b in zip(samples, samples[1:])]
    total = sum(t for t, _ in held)
    assert pool["known_ns"] == pytest.approx(total, rel=1e-3)
    assert pool["busy_mean"] == pytest.approx(sum(t * v for t, v in held) / total, rel=1e-3)
    assert pool["utilization"]["mean"] == pytest.approx(pool["busy_mean"] / 4)
    assert pool["all_busy_ratio"] == pytest.approx(sum(t for t, v in held if v == 4) / total, abs=1e-3)


# --- Little's law ---


def little(*files):
    (queue,) = report(*files)["queues"]
    return queue["flow"]["little"]


def test_littles_law_holds_in_a_complete_trace(whole, jobs):
    law = little(whole)
    assert law["verdict"] == "holds" and abs(law["deviation"]) < 0.01
    assert law["identity_error"] <= 1e-9
    assert law["depth"] == pytest.approx(law["rate_per_s"] * law["residence_ns"] / S, rel=1e-9)
    assert law["entry_ratio"] == pytest.approx(1, abs=0.01) and law["gauge_ratio"] == pytest.approx(1, abs=0.02)
    assert law["residence_ns"] == pytest.approx(sum(r for _, r, _, _ in jobs) / len(jobs))


@pytest.mark.parametrize("with_gauge", [False, True])
def test_a_tenth_of_the_dequeues_gone_is_said_with_its_size(tmp_path, jobs, with_gauge):
    for seed in range(5):
        chance = random.Random(seed)
        kept = [job for job in jobs if chance.random() >= 0.1]
        path = write_trace(tmp_path / f"pool-{seed}-000.trace.zst", kept, gauge_of=jobs if with_gauge else None)
        law = little(path)
        assert law["verdict"] == "missing" and law["deviation"] == pytest.approx(1 / 0.9 - 1, abs=0.03)
        assert law["identity_error"] <= 1e-9
        assert ("gauge_ratio_reason" in law) is not with_gauge
    text = run(path).stdout.decode()
    assert "pool.queue held" in text and "Little" in text


def test_a_queue_that_nobody_leaves_is_a_surplus(tmp_path, jobs):
    """The hook that says that an operation runs is missing for every fourth: it seems to be in the queue to its end."""
    late = [(b, d if i % 4 == 0 else r, n, d) for i, (b, r, n, d) in enumerate(jobs)]
    law = little(write_trace(tmp_path / "pool-1-000.trace.zst", late, gauge_of=jobs))
    assert law["verdict"] == "surplus" and law["deviation"] < -0.05


def test_what_the_grid_cannot_see_is_not_judged(tmp_path):
    """An hour of stays of a microsecond: cells are longer than what is in them."""
    jobs = [(S + i * 30 * MS + k * 700, 500, 1, 900) for i in range(2000) for k in range(3)]
    jobs.append((3600 * S, 500, 1, 900))
    law = little(write_trace(tmp_path / "pool-1-000.trace.zst", jobs))
    assert law["verdict"] in ("not_judged", "holds") and law["identity_error"] <= 1e-9


def test_processes_have_depths_of_their_own(tmp_path):
    files = []
    for session in range(1, 4):
        jobs = simulate(random.Random(session), seconds=5)
        files.append(write_trace(tmp_path / f"pool-{session}-000.trace.zst", jobs, gauge_of=jobs, pool_of=jobs, session=session))
    law = little(*files)
    assert law["verdict"] == "holds" and law["entry_ratio"] == pytest.approx(1, abs=0.01)
    expected = run("--quiet", "--json", "-", "--jobs", "1", *files).stdout
    assert json.loads(expected)["pools"][0]["workers"] == 12
    for jobs in (2, 5):
        random.Random(jobs).shuffle(files)
        assert run("--quiet", "--json", "-", "--jobs", str(jobs), *files).stdout == expected


# --- A program ---


@pytest.mark.parametrize("fault", ["none", "pool-exhaustion"])
def test_the_sample_pool_obeys_the_law(tmp_path, fault):
    collector = [str(programs.COLLECTOR), "record", "--output", str(tmp_path)]
    sample = [str(programs.BUILD_DIR / "samples/thread_pool"), "--seconds", "3", "--fault", fault, "--folder", str(tmp_path)]
    done = programs.subprocess.run([*collector, "--", *sample], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    found = report("--load", tmp_path)
    arrivals = {n["name"]: n["arrivals"] for n in found["load"]["by_operation"]}
    assert arrivals["pool.submit"]["pairs"] > 100 and not arrivals["pool.submit"]["coordinated_omission_risk"]  # Poisson
    (queue,) = found["queues"]
    law = queue["flow"]["little"]
    assert law["verdict"] in ("holds", "not_judged") and law["identity_error"] <= 1e-9, law
    (pool,) = found["pools"]
    assert pool["name"] == "pool" and pool["workers"] == 4 and 0 < pool["utilization"]["mean"] < 1
    if fault == "pool-exhaustion":
        assert pool["all_busy_ratio"] > 0.02
