"""Stretches in which an operation held a thread for long are in the trace, with whom, where, when and for how long."""

import collections
import json
import subprocess

import pytest

import programs
import traces

HOLD_MS = 20


def record(folder, **variables):
    """What the program says of its stretches, and the folder of its traces."""
    with programs.Collector(folder) as collector:
        done = subprocess.run(
            programs.support_program("long_runs", HOLD_MS),
            env=programs.environment(collector.socket, **variables),
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
            check=True,
        )
        collector.stop()
    lines = [line.split() for line in done.stdout.splitlines()]
    return [(name, int(tid), *map(int, times)) for name, tid, *times in lines], collector.output


def dump(folder):
    done = subprocess.run([programs.ANALYZER, "dump", *traces.trace_files(folder)], check=True, stdout=subprocess.PIPE)
    found = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        row = json.loads(line)
        found[row["type"]].append(row)
    return found


@pytest.fixture(scope="module", name="recorded")
def recorded_once(tmp_path_factory):
    return record(tmp_path_factory.mktemp("long_runs"), EDDY_LONG_RUN_US=HOLD_MS * 500)


def test_each_stretch_is_there_with_thread_begin_and_length(recorded):
    told, folder = recorded
    found = sorted(dump(folder)["long_run"], key=lambda r: int(r["begin_ns"]))
    assert [r["name"] for r in found] == [t[0] for t in told]
    for row, (_, tid, before, after, end_before, end_after) in zip(found, told):
        # Both clocks are the same one but for the mapping from ticks: some microseconds.
        begin, end = int(row["begin_ns"]), int(row["begin_ns"]) + int(row["length_ns"])
        assert before - 100_000 <= begin <= after + 100_000
        assert end_before - 100_000 <= end <= end_after + 100_000
        assert row["thread"]["tid"] == tid


def test_what_only_waited_is_no_long_run(recorded):
    names = {r["name"] for r in dump(recorded[1])["long_run"]}
    assert names == {"run.waits", "run.ends", "run.queues", "run.moves"}


def test_operation_and_stretch_can_be_put_together(recorded):
    rows = dump(recorded[1])
    operations = {o["id"]: o for o in rows["operation"] if "id" in o}
    assert sorted(o["name"] for o in operations.values()) == ["run.ends", "run.moves", "run.queues", "run.waits"]
    running = collections.Counter()
    for run in rows["long_run"]:
        operation = operations[run["id"]]
        assert operation["name"] == run["name"]
        running[run["id"]] += int(run["length_ns"])
    for identity, length in running.items():
        assert abs(length - int(operations[identity]["states"]["running_ns"])) <= 2_000


def test_the_books_hold_long_runs(recorded):
    (session,) = traces.sessions(recorded[1], executable="long_runs").values()
    totals = session.last_end.totals
    assert totals.produced.long_runs == totals.batched.long_runs == 5
    assert sum(b.head.long_runs for b in session.batches) == session.last_end.stored.long_runs == 5
    report, done = programs.report(recorded[1])
    assert done.returncode == 0, done.stderr
    assert report["quality"]["stored"]["long_runs"] == 5
    assert report["quality"]["unaccounted"]["long_runs"] == 0
    verified = subprocess.run([programs.ANALYZER, "verify", recorded[1]], stdout=subprocess.PIPE, text=True, check=True)
    assert "5 long runs" in verified.stdout


@pytest.mark.parametrize("microseconds", [0, 3_000_000])
def test_below_the_threshold_the_trace_says_nothing(tmp_path, microseconds):
    told, folder = record(tmp_path, EDDY_LONG_RUN_US=microseconds)
    assert len(told) == 5
    (session,) = traces.sessions(folder, executable="long_runs").values()
    for batch in session.batches:
        assert not batch.HasField("long_runs") and batch.head.long_runs == 0
    # Nor is anything else there that says so: the program has no operation with children.
    assert not any(batch.operations.id.value.code for batch in session.batches)
    assert session.last_end.totals.produced.long_runs == 0
