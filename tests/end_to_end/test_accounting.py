"""Not a record is lost without being counted: what programs say, what the files' ends say, and what the report says agree."""

import json
import subprocess

import pytest

import programs
import traces

PROCESSES = 4
THREADS = 8
# Sanitizers slow the programs down some ten times; the books must balance all the same.
OPERATIONS = 20_000 if programs.SANITIZED else 400_000


def run_processes(collector, arguments, **variables):
    """Several traced programs at once. Returns what each printed."""
    started = [
        subprocess.Popen(
            programs.support_program("accounting", *arguments),
            env=programs.environment(collector.socket, **variables),
            stdout=subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    printed = [json.loads(p.communicate(timeout=240)[0]) for p in started]
    assert [p.returncode for p in started] == [0] * PROCESSES
    return printed


def lost_by_cause(totals):
    return {loss.cause: traces.counts(loss.count) for loss in totals.lost}


def check_books(collector, printed):
    """The three witnesses: eddy_stats(), the End of each session's last part, the report."""
    found = list(traces.sessions(collector.output, executable="accounting").values())
    assert len(found) == PROCESSES
    assert sorted(s.rows for s in found) == sorted(p["stored"] for p in printed)
    for session in found:
        end = session.last_end
        assert end.totals_final
        assert traces.counts(end.totals.produced) == session.rows + sum(lost_by_cause(end.totals).values())
        assert [b.id.sequence for b in session.batches] == sorted({b.id.sequence for b in session.batches})
    for one in printed:
        assert one["pending"] == 0 and one["open"] == 0 and one["stale_ends"] == 0
        assert one["produced"] == one["stored"] + one["lost"]
        assert one["begun"] == one["ended"]

    report, done = programs.report(collector.output)
    assert done.returncode == 0, done.stderr
    quality = report["quality"]
    for kind in ("operations", "samples", "marks", "long_runs"):
        assert quality["unaccounted"][kind] == 0
    mine = [p for p in report["processes"] if p["executable"] == "accounting"]
    total = {key: sum(sum(p[key].values()) for p in mine) for key in ("produced", "stored", "lost")}
    assert total == {key: sum(p[key] for p in printed) for key in total}
    return report


@pytest.fixture(name="collector")
def running_collector(tmp_path):
    with programs.Collector(tmp_path) as collector:
        yield collector


def test_operations_that_change_threads_are_all_accounted_for(collector):
    printed = run_processes(collector, [THREADS, OPERATIONS])
    collector.stop()
    report = check_books(collector, printed)
    counts = {o["name"]: o["count"] for o in report["operations"]}
    lost = sum(p["lost"] for p in printed)
    assert counts["own.work"] + counts["handed.over"] + lost == PROCESSES * THREADS * OPERATIONS


def test_rings_of_16_kib_lose_records_and_count_them(collector):
    printed = run_processes(collector, [THREADS, OPERATIONS], EDDY_RING_KIB=16)
    collector.stop()
    assert all(p["ring_full"] > 0 for p in printed)
    report = check_books(collector, printed)
    causes = {loss["cause"] for loss in report["quality"]["losses"]}
    assert "ring_full" in causes


def test_every_kind_of_record_is_accounted_for(collector):
    printed = run_processes(collector, [THREADS, OPERATIONS // 20, 0, 1], EDDY_LONG_RUN_US=1)
    collector.stop()
    report = check_books(collector, printed)
    assert report["quality"]["stored"]["long_runs"] > 0
    assert {"own.work", "handed.over", "child.work"} <= {o["name"] for o in report["operations"]}
    assert "inbox" in {q["name"] for q in report["queues"]}
    assert "reached" in {m["name"] for m in report["marks"]}


def test_a_paced_program_loses_nothing(collector):
    printed = run_processes(collector, [2, 20_000, 50_000, 1])
    collector.stop()
    check_books(collector, printed)
    assert [p["lost"] for p in printed] == [0] * PROCESSES


def test_the_files_are_valid_for_stock_tools_and_wherever_they_end(collector):
    run_processes(collector, [2, 20_000, 0, 1])
    collector.stop()
    files = traces.trace_files(collector.output)
    assert len(files) >= PROCESSES
    for path in files:
        traces.check_with_stock_tools(path)
