"""`report --load` on traces whose load is known: arrivals, operations in flight, durations under load, closed loops."""

import json
import random

import pytest

from test_report import EPOCH, S, import_rows, report, run
from test_report_outputs import check
from trace_maker import Batch, end, source, write

MS = 10**6


def load_of(found, name):
    return next(n for n in found["load"]["by_operation"] if n["name"] == name)


def in_flight(rows, time_ns):
    return sum(1 for _, begin, duration, *_ in rows if begin < time_ns <= begin + duration)


def closed_loop(chance, clients=2, seconds=20):
    rows = []
    for client in range(clients):
        now = EPOCH + client * 777
        while now < EPOCH + seconds * S:
            duration = int(chance.lognormvariate(15, 0.7))
            rows.append(("request", now, duration, "ok", client))
            now += duration + chance.randrange(1000, 9000)
    return rows


def open_source(chance, seconds=20, rate=300, threads=4):
    rows, now = [], EPOCH
    while now < EPOCH + seconds * S:
        now += int(chance.expovariate(rate) * S)
        rows.append(("request", now, int(chance.lognormvariate(16, 0.7)), "ok", chance.randrange(threads)))
    return rows


def test_without_the_option_nothing_is_said(tmp_path):
    found = report(*import_rows(tmp_path, open_source(random.Random(1), seconds=2)))
    assert "load" not in found and found["options"]["load"] is False


def test_numbers_are_those_of_the_rows(tmp_path):
    rows = open_source(random.Random(2))
    found = report("--load", *import_rows(tmp_path, rows))
    check(json.dumps(found, sort_keys=True))
    load = load_of(found, "request")
    first = min(r[1] for r in rows)
    last = max(r[1] + r[2] for r in rows)
    assert load["active_ns"] == last - first
    assert load["concurrency"]["mean"] == pytest.approx(sum(r[2] for r in rows) / (last - first), rel=1e-12)
    assert load["arrivals_per_s"]["mean"] == pytest.approx(len(rows) / ((last - first) / S), rel=1e-12)
    cell = load["cell_ns"]
    borders = [(first + i * 20 * MS) // cell * cell for i in range(1, 900)]
    sampled = sorted(in_flight(rows, b) for b in borders)
    assert load["concurrency"]["p50"] == pytest.approx(sampled[450], abs=1)
    assert sampled[-1] <= load["concurrency"]["max"] <= load["most_concurrency"]
    assert load["idle_ratio"] == pytest.approx(sampled.count(0) / 899, abs=0.05)
    short = [d for d in load["dispersion"] if d["window_ns"] < 100 * MS]
    assert short and all(0.7 < d["index"] < 1.4 for d in short), short
    assert found["load"]["all"]["concurrency"] == load["concurrency"] and found["load"]["omitted_names"] == 0


def test_bins_hold_every_operation_once_and_show_a_shared_server(tmp_path):
    """Twice as many in flight take twice as long; another name does not care."""
    chance, rows = random.Random(4), []
    for second in range(40):
        users = 1 + second % 8 * 4
        for user in range(users):
            now = EPOCH + second * S + user * 50_000
            while now < EPOCH + (second + 1) * S - 60 * MS:
                duration = int(users * MS * chance.uniform(0.95, 1.05))
                rows.append(("shared", now, duration, "error" if user == 1 else "ok", user))
                rows.append(("alone", now, int(MS * chance.uniform(0.95, 1.05)), "ok", user))
                now += duration + 300_000
    found = report("--load", *import_rows(tmp_path, rows))
    shared, alone = load_of(found, "shared"), load_of(found, "alone")
    for load, name in ((shared, "shared"), (alone, "alone")):
        of_name = [r for r in rows if r[0] == name]
        assert sum(b["count"] for b in load["by_concurrency"]) == len(of_name)
        assert sum(b["errors"] for b in load["by_concurrency"]) == sum(r[3] == "error" for r in of_name)
        assert len(load["by_concurrency"]) <= 10
        highs = [b["high"] for b in load["by_concurrency"]]
        assert highs == sorted(highs) and all(b["low"] <= b["high"] for b in load["by_concurrency"])
    assert shared["slope"] == pytest.approx(1, abs=0.25)
    assert abs(alone["slope"]) < 0.05
    assert shared["by_concurrency"][-1]["p50_ns"] > 5 * shared["by_concurrency"][0]["p50_ns"]


def test_idle_are_those_that_met_nobody(tmp_path):
    rows = [("work", EPOCH + i * 100 * MS, 3 * MS, "ok", 0) for i in range(200)]
    rows += [("work", EPOCH + i * 100 * MS + 50 * MS + k, 40 * MS, "ok", 1 + k) for i in range(200) for k in range(4)]
    work = load_of(report("--load", *import_rows(tmp_path, rows)), "work")
    assert work["idle"]["count"] == 200
    assert work["idle"]["p50_ns"] == pytest.approx(3 * MS, rel=0.016)


# --- How they come ---


def test_a_closed_loop_is_said_and_an_open_source_is_not(tmp_path):
    (tmp_path / "closed").mkdir()
    (tmp_path / "open").mkdir()
    closed = import_rows(tmp_path / "closed", closed_loop(random.Random(5)))
    by_itself = import_rows(tmp_path / "open", open_source(random.Random(6)))
    arrivals = load_of(report("--load", *closed), "request")["arrivals"]
    assert arrivals["pattern"] == "closed" and arrivals["coordinated_omission_risk"] is True
    assert arrivals["follow_ratio"] == 1 and arrivals["followed_within_ns"] <= arrivals["think_limit_ns"]
    assert 1000 <= arrivals["gap_p50_ns"] <= 9000 and arrivals["pairs"] > 1000
    arrivals = load_of(report("--load", *by_itself), "request")["arrivals"]
    assert arrivals["pattern"] == "open" and arrivals["coordinated_omission_risk"] is False
    for files, is_said in ((closed, True), (by_itself, False)):
        text = run("--load", *files).stdout.decode()
        assert ("coordinated omission" in text) is is_said, text
        assert "Load" in text
        page = run("--load", "--markdown", "-", *files).stdout.decode()
        assert ("coordinated omission" in page) is is_said and "## Durations by load" in page


def test_a_clock_is_neither(tmp_path):
    chance = random.Random(7)
    rows = [("tick", EPOCH + i * 10 * MS + chance.randrange(20_000), int(chance.lognormvariate(14, 0.5)), "ok", 0) for i in range(2000)]
    arrivals = load_of(report("--load", *import_rows(tmp_path, rows)), "tick")["arrivals"]
    assert arrivals["pattern"] == "paced" and arrivals["coordinated_omission_risk"] is False


def test_too_little_is_not_judged(tmp_path):
    few = load_of(report("--load", *import_rows(tmp_path, [("rare", EPOCH + i * S, MS, "ok", 0) for i in range(5)])), "rare")
    assert few["load_reason"] == "too_few" and few["arrivals"]["pattern"] == "unknown"
    assert "concurrency" not in few


def test_unfinished_ones_are_in_flight(tmp_path):
    rows = [("work", EPOCH + i * 10 * MS, 2 * MS, "ok", 0) for i in range(500)]
    rows.append(("work", EPOCH, 5 * S, "unfinished", 1))
    work = load_of(report("--load", *import_rows(tmp_path, rows)), "work")
    assert work["concurrency"]["mean"] == pytest.approx(1 + 500 * 2 * MS / (5 * S), rel=1e-3)
    assert work["concurrency"]["p5"] == 1


# --- The same every time ---


def test_bytes_depend_on_neither_jobs_nor_order(tmp_path):
    files = []
    for session in range(3):
        chance = random.Random(session)
        batches = []
        for sequence in range(4):
            batch = Batch(bytes([session]) * 16, sequence + 1, clock_ns=S, offset_ns=EPOCH)
            for i in range(400):
                batch.operation(
                    chance.choice(["a", "b", "c"]), S + sequence * S + i * 2 * MS, chance.randrange(1, 80 * MS),
                    thread=(chance.randrange(1, 4), ""),
                )
            batches.append(batch.packet())
        packets = [source(bytes([session]) * 16), *batches, end(bytes([session]) * 16, 5)]
        files.append(write(tmp_path / f"web-{session}-000.trace.zst", packets))
    expected = run("--quiet", "--load", "--json", "-", "--jobs", "1", *files).stdout
    assert len(json.loads(expected)["load"]["by_operation"]) == 3
    for jobs in (2, 3, 7):
        random.Random(jobs).shuffle(files)
        assert run("--quiet", "--load", "--json", "-", "--jobs", str(jobs), *files).stdout == expected


def test_what_is_left_of_a_cut_file_is_measured(tmp_path):
    files = import_rows(tmp_path, open_source(random.Random(8), seconds=1))
    cut = tmp_path / "cut.trace.zst"
    cut.write_bytes(files[0].read_bytes()[:-50])
    found = report("--load", cut, status=3)
    assert load_of(found, "request")["arrivals"]["pairs"] > 100
