"""Who held up whom: made traces against a plain search, and the samples at fault."""

import random
import subprocess

import pytest

import programs
import trace_maker

OFFSET_NS = 1_790_000_000_000_000_000
SESSION = bytes(range(16))
LOOP, WORKER = (11, "loop"), (12, "worker")


def write(folder, batches):
    return trace_maker.write(folder / "app-1-00010203-000.trace.zst", [trace_maker.source(SESSION), *batches])


def blame_of(path, *options):
    found, done = programs.report(path, options=options)
    assert done.returncode == 0, done.stderr
    return found["blame"]


def batch(sequence):
    made = trace_maker.Batch(SESSION, sequence, clock_ns=10**9, offset_ns=OFFSET_NS)
    for thread in ((1, "begins"), LOOP, WORKER):  # the same serials in all batches
        made.thread(*thread)
    return made


def waiter(into, name, begin, waited, duration, thread, **details):
    states = {"queued": waited, "running": duration - waited, **details.pop("states", {})}
    into.operation(name, begin, duration, thread=(1, "begins"), end_thread=thread, states=states, queue=("inbox", 8, 1, waited), **details)


def test_delays_pairs_and_exemplars(tmp_path):
    first, second = batch(1), batch(2)
    ms = 1_000_000
    first.long_run("slow", 10 * ms, 5 * ms, 77, LOOP)
    waiter(first, "quick", 11 * ms, 4 * ms, 5 * ms, LOOP)  # waits for the rest of it
    waiter(second, "quick", 9 * ms, 6 * ms, 7 * ms, LOOP)  # for all of it, and told in a later batch
    waiter(second, "quick", 11 * ms, 4 * ms, 5 * ms, WORKER)  # another thread took it
    waiter(second, "slow", 14 * ms, 1 * ms, 2 * ms, LOOP)
    waiter(second, "unplaced", 10 * ms, 2 * ms, 9 * ms, LOOP, states={"other": 1 * ms})
    waiter(second, "short", 10 * ms, 99_999, ms, LOOP)
    waiter(second, "itself", 10 * ms, 2 * ms, 4 * ms, LOOP, id=77)
    blame = blame_of(write(tmp_path, [first, second]))
    assert (blame["long_runs"], blame["long_runs_ns"], blame["omitted_long_runs"]) == (1, 5 * ms, 0)
    assert (blame["waits"], blame["omitted_waits"], blame["unplaced_waits"]) == (5, 0, 1)
    assert [(p["holder"], p["delayed"], p["delays"], p["delay_ns"]) for p in blame["pairs"]] == [
        ("slow", "quick", 2, 9 * ms),
        ("slow", "slow", 1, 1 * ms),
    ]
    (run,) = blame["pairs"][0]["longest"]
    assert (run["length_ns"], run["delay_ns"], run["delayed_operations"], run["process"]) == (5 * ms, 9 * ms, 2, 0)
    assert run["begin_realtime_ns"] == str(10 * ms + OFFSET_NS)
    assert run["thread"]["tid"] == 11 and run["place"]["row"] == 0 and run["place"]["frame_offset_bytes"] > 0
    assert blame["pairs"][0]["tail_ratio"] is None and blame["pairs"][0]["tail_ratio_reason"] == "too_few"


def test_the_tail_is_told_apart(tmp_path):
    """One operation in fifty waits for a long run: it is all that is above p99, and its wait is nearly all of it."""
    made = batch(1)
    for i in range(1000):
        begin = i * 100_000_000
        is_slow = i % 50 == 0
        waited = 40_000_000 if is_slow else 200_000
        waiter(made, "work", begin, waited, waited + 1_000_000, LOOP)
        if is_slow:
            made.long_run("holder", begin, waited, i, LOOP)
    (pair,) = blame_of(write(tmp_path, [made]))["pairs"]
    assert (pair["delays"], pair["delay_ns"]) == (20, 20 * 40_000_000)
    assert pair["tail_ratio"] == pytest.approx(40 / 41, rel=1e-9)


def test_random_traces_against_a_plain_search(tmp_path):
    chance = random.Random(5)
    batches = [batch(i + 1) for i in range(4)]
    runs, waits = [], []
    for made in batches:
        for _ in range(60):
            run = (chance.randrange(10**9), chance.randrange(10**6, 10**8), chance.choice("abc"), chance.choice([LOOP, WORKER]))
            made.long_run(run[2], run[0], run[1], len(runs), run[3])
            runs.append(run)
            wait = (chance.randrange(10**9), chance.randrange(100_000, 10**8), chance.choice("xyz"), chance.choice([LOOP, WORKER]))
            waiter(made, wait[2], wait[0], wait[1], wait[1] + chance.randrange(1, 10**6), wait[3])
            waits.append(wait)
    expected = {}
    for begin, length, holder, thread in runs:
        for wait_begin, waited, delayed, wait_thread in waits:
            common = min(begin + length, wait_begin + waited) - max(begin, wait_begin)
            if thread == wait_thread and common > 0:
                count, total = expected.get((holder, delayed), (0, 0))
                expected[holder, delayed] = (count + 1, total + common)
    path = write(tmp_path, batches)
    reports = [blame_of(path, "--jobs", jobs) for jobs in ("1", "4")]
    assert reports[0] == reports[1]
    assert {(p["holder"], p["delayed"]): (p["delays"], p["delay_ns"]) for p in reports[0]["pairs"]} == expected
    delays = [p["delay_ns"] for p in reports[0]["pairs"]]
    assert delays == sorted(delays, reverse=True)


def test_without_long_runs_nothing_is_said(tmp_path):
    made = batch(1)
    waiter(made, "work", 0, 5_000_000, 6_000_000, LOOP)
    path = write(tmp_path, [made])
    assert blame_of(path)["pairs"] == []
    for options in ([], ["--markdown", "-"]):
        done = subprocess.run([programs.ANALYZER, "report", "--quiet", *options, path], stdout=subprocess.PIPE, check=True)
        assert b"work" in done.stdout and b"Who held up whom" not in done.stdout
