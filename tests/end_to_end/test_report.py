"""`report` over files as they come: whole, repeated, in pieces, damaged, foreign; and what it counts in them."""

import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess

import pytest

from budgets import check_budgets
from programs import ANALYZER
from test_report_outputs import check, import_processes
from trace_maker import Batch, end, source, trace_pb2, write
from traces import check_with_stock_tools

S = 10**9
SESSION = bytes(range(16))
EPOCH = 1_764_000_000 * S


def run(*arguments, **options):
    return subprocess.run(
        [str(ANALYZER), "report", *[str(a) for a in arguments]], capture_output=True, check=False, timeout=120, **options
    )


def report(*arguments, status=0):
    done = run("--quiet", "--json", "-", *arguments)
    assert done.returncode == status, (done.returncode, done.stderr)
    found = json.loads(done.stdout)
    check_budgets(found)
    return found


def totals(found):
    """Finished and unfinished operations, samples and metrics' samples of a report."""
    return (
        sum(o["count"] for o in found["operations"]),
        sum(o["unfinished"] for o in found["operations"]),
        sum(m["samples"] for m in found["metrics"]),
        found["quality"]["stored"],
    )


def without_inputs(found):
    return {key: value for key, value in found.items() if key != "inputs"}


def frame_borders(path):
    """Offsets behind each frame: where the beginning of the file is whole frames, says zstd."""
    content, borders, at = path.read_bytes(), [], 0
    while at >= 0:
        at = content.find(b"\x28\xb5\x2f\xfd", at + 1)
        end_of_frame = len(content) if at < 0 else at
        if subprocess.run(["zstd", "-tq"], input=content[:end_of_frame], capture_output=True, check=False).returncode == 0:
            borders.append(end_of_frame)
    return borders


@pytest.fixture(name="traces", scope="module")
def _traces(tmp_path_factory):
    return import_processes(tmp_path_factory.mktemp("traces"), processes=3, rows=1500)


@pytest.fixture(name="expected", scope="module")
def _expected(traces):
    found = report(*traces)
    check(json.dumps(found, sort_keys=True))
    return found


# --- What is counted ---


def import_rows(folder, rows, name="ops"):
    path = folder / f"{name}.csv"
    path.write_text("name,start_ns,duration_ns,status,thread\n" + "".join(",".join(map(str, r)) + "\n" for r in rows))
    done = subprocess.run(
        [str(ANALYZER), "import", "--operations", str(path), "-o", str(folder / "out")], capture_output=True, check=True
    )
    return [pathlib.Path(p) for p in done.stdout.decode().splitlines()]


def quantile(values, p):
    values = sorted(values)
    place = (len(values) - 1) * p
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def test_numbers_of_one_name(tmp_path):
    chance = random.Random(3)
    durations = [int(chance.lognormvariate(13, 1)) for _ in range(2000)]
    words = ["ok"] * 8 + ["error", "timeout", "cancelled"]
    rows = [("work", EPOCH + i * 10**7, d, chance.choice(words), i % 3) for i, d in enumerate(durations)]
    found = report(*import_rows(tmp_path, rows))
    (work,) = found["operations"]
    assert work["count"] == 2000 and work["time_share"] == 1
    assert work["by_status"] == {w: sum(r[3] == w for r in rows) for w in ("ok", "error", "timeout", "cancelled")}
    assert work["duration"]["mean_ns"] == pytest.approx(statistics.fmean(durations), rel=1e-12)
    assert work["duration"]["stddev_ns"] == pytest.approx(statistics.stdev(durations), rel=1e-9)
    for entry in work["duration"]["quantiles"]:
        if entry["value_ns"] is not None:
            assert entry["value_ns"] == pytest.approx(quantile(durations, entry["p"]), rel=1e-12)
    assert [s["duration_ns"] for s in work["slowest"]] == sorted(durations, reverse=True)[:10]
    (process,) = work["by_process"]
    assert process["count"] == 2000 and process["by_status"] == work["by_status"]
    assert process["p95_ns"] == pytest.approx(quantile(durations, 0.95), rel=1e-12)
    assert work["rate_per_s"] == pytest.approx(2000 / (found["time"]["span_ns"] / S))
    assert [(t["operations"], t["tid"]) for t in found["threads"]] == [(667, 0), (667, 1), (666, 2)]


def test_windows_hold_every_operation_once(tmp_path):
    rows = [("work", EPOCH + i * 10**6, 1000 + i % 7, "error" if i % 10 == 0 else "ok", 0) for i in range(5000)]
    found = report(*import_rows(tmp_path, rows))
    time, (work,) = found["time"], found["operations"]
    width, first = time["window_width_ns"], int(time["window_first_realtime_ns"])
    assert 5 * S / width <= 1000 and (width // 10**6).bit_count() == 1 and first % width == 0
    expected = {}
    for _, begin, _, status, _ in rows:
        cell = expected.setdefault((begin - first) // width, [0, 0])
        cell[0] += 1
        cell[1] += status == "error"
    assert {w["window"]: [w["count"], w["errors"]] for w in work["over_time"]} == expected
    assert all(w["p50_ns"] is None or 1000 <= w["p50_ns"] <= 1040 for w in work["over_time"])


def test_slowest_can_be_found_again(traces, expected):
    slow = expected["operations"][0]["slowest"][0]
    place = slow["place"]
    path = next(p for p in traces if p.name == expected["inputs"][place["input"]]["file"])
    lines = subprocess.run([str(ANALYZER), "dump", str(path)], capture_output=True, check=True).stdout.splitlines()
    found = [o for o in map(json.loads, lines) if int(o.get("duration_ns", 0)) == slow["duration_ns"]]
    assert [(o["name"], o["status"]) for o in found] == [(expected["operations"][0]["name"], slow["status"])]
    assert path.read_bytes()[place["frame_offset_bytes"]:][:4] == b"\x28\xb5\x2f\xfd"


def test_slowest_is_as_long_as_asked_for(traces):
    for limit in (0, 1, 25):
        found = report("--slowest", limit, *traces)
        assert all(len(o["slowest"]) == min(limit, o["count"]) for o in found["operations"])
        assert found["options"]["slowest_limit"] == limit


def made(tmp_path, *packets, name="made"):
    path = write(tmp_path / f"{name}.trace.zst", [source(SESSION), *packets])
    check_with_stock_tools(path)
    return path


def test_states_queues_marks_and_attributes(tmp_path):
    batch = Batch(SESSION, 1, clock_ns=100 * S, offset_ns=EPOCH)
    for i in range(100):
        details = {"attributes": [("tenant", "TEXT", "blue" if i % 4 else "red"), ("size", "U64", i % 2)]}
        if i % 2 == 0:
            details["states"] = {"waiting_io": 300, "running": 700}
            details["queue"] = ("pool", 64, i // 2 + 1, 50 + i)
        batch.operation("job", i * 1000, 1000, thread=(i % 2 + 1, f"worker {i % 2}"), end_thread=(9, "ender"), **details)
    batch.mark("reload", 5)
    batch.mark("reload", 99_000)
    batch.loss("RING_FULL", 5, 10 * S, 11 * S, "pool")
    batch.totals.produced.operations, batch.totals.produced.marks = 105, 2
    batch.totals.lost.add(cause="RING_FULL").count.operations = 5
    path = made(tmp_path, batch, end(SESSION, 1, batch.totals, final=True))

    found = report(path)
    (job,) = found["operations"]
    assert set(job["states"]) == {"running", "waiting_io"}
    assert job["states"]["waiting_io"]["time"]["count"] == 50
    assert job["states"]["waiting_io"]["time_share"] == pytest.approx(0.15)
    assert job["slowest"][0]["begin_thread"]["name"] == "worker 0" and job["slowest"][0]["end_thread"]["tid"] == 9
    (queue,) = found["queues"]
    assert (queue["name"], queue["capacity"], queue["entries"], queue["lost_entries"]) == ("pool", 64, 50, 5)
    assert (queue["depth"]["min"], queue["depth"]["max"]) == (1, 50)
    assert (queue["residence"]["min_ns"], queue["residence"]["max_ns"]) == (50, 148)
    (mark,) = found["marks"]
    assert (mark["count"], mark["first_realtime_ns"]) == (2, str(EPOCH + 5))
    assert [t["operations"] for t in found["threads"]] == [0, 0, 100]
    assert found["processes"][0]["threads"] == 3
    (loss,) = found["quality"]["losses"]
    assert loss["cause"] == "ring_full" and loss["count"]["operations"] == 5
    assert loss["first_realtime_ns"] == str(EPOCH + 10 * S)
    assert found["quality"]["unaccounted"] == {"operations": 0, "samples": 0, "marks": 0, "long_runs": 0}
    assert found["quality"]["coverage_ratio"] == pytest.approx(102 / 107)
    assert "attributes" not in job and "blue" not in run("--json", "-", path).stdout.decode()

    (job,) = report("--attributes", path)["operations"]
    assert {a["key"]: [(v["value"], v["count"]) for v in a["values"]] for a in job["attributes"]} == {
        "tenant": [("blue", 75), ("red", 25)],
        "size": [("0", 50), ("1", 50)],
    }
    found = report("--attributes", "--redact", "tenant", path)
    (job,) = found["operations"]
    assert {a["key"]: [(v["value"], v["count"]) for v in a["values"]] for a in job["attributes"]}["tenant"] == [
        ("(redacted)", 100)
    ]
    assert found["options"]["redacted_keys"] == ["tenant"]


def counter_batch(sequence, first, values, kind, thread=None):
    batch = Batch(SESSION, sequence, clock_ns=first, offset_ns=EPOCH)
    for i, value in enumerate(values):
        batch.sample("bytes", first + i * S, value, kind, "By", thread)
    return batch


def metrics_of(tmp_path, batches):
    return report(made(tmp_path, *batches))["metrics"]


def test_totals_are_joined_over_batches(tmp_path):
    batches = [counter_batch(1, 0, [0, 10, 20], "COUNTER_TOTAL"), counter_batch(2, 3 * S, [50, 60], "COUNTER_TOTAL")]
    (metric,) = metrics_of(tmp_path, batches)
    assert (metric["samples"], metric["total"], metric["values"]["count"]) == (5, 60, 4)
    assert (metric["values"]["min"], metric["values"]["max"]) == (10, 30)


def test_no_rate_leads_over_a_gap_or_a_decrease(tmp_path):
    batches = [counter_batch(1, 0, [0, 10], "COUNTER_TOTAL"), counter_batch(3, 9 * S, [900, 905, 3, 4], "COUNTER_TOTAL")]
    (metric,) = metrics_of(tmp_path, batches)
    assert (metric["total"], metric["values"]["count"], metric["values"]["max"]) == (16, 3, 10)


def test_increments_are_joined_and_threads_kept_apart(tmp_path):
    one = counter_batch(1, 0, [5, 7], "COUNTER_DELTA")
    two = counter_batch(2, 2 * S, [9], "COUNTER_DELTA")
    two.sample("bytes", 2 * S, 100, "COUNTER_DELTA", "By", (3, "worker"))
    process, thread = metrics_of(tmp_path, [one, two])
    assert not process["is_per_thread"] and thread["is_per_thread"]
    assert (process["total"], process["values"]["count"], process["values"]["max"]) == (21, 2, 9)
    assert (thread["total"], thread["values"]["count"], thread["values"]["mean"]) == (100, 0, None)


def test_threads_tell_what_they_used(tmp_path):
    batch = Batch(SESSION, 1)
    for name, kind, value in [
        ("process.cpu.user_time", "COUNTER_TOTAL", 700),
        ("process.cpu.system_time", "COUNTER_TOTAL", 300),
        ("process.context_switches.voluntary", "COUNTER_TOTAL", 12),
    ]:
        batch.sample(name, S, value - 5, kind, "", (3, "worker"))
        batch.sample(name, 2 * S, value, kind, "", (3, "worker"))
    (thread,) = report(made(tmp_path, batch))["threads"]
    assert (thread["name"], thread["tid"], thread["cpu_ns"], thread["voluntary_switches"]) == ("worker", 3, 1000, 12)
    assert thread["involuntary_switches"] is None and thread["involuntary_switches_reason"] == "not_recorded"


def test_open_operations_of_the_last_batch_did_not_end(tmp_path):
    batches = []
    for sequence in (1, 2, 3):
        batch = Batch(SESSION, sequence)
        batch.operation("done", sequence * S, 10, id=70 + sequence)
        batch.open("stuck", 5, id=1)
        batch.open("done", 6, id=73)
        batch.as_of_ns = sequence * S
        batches.append(batch)
    found = {o["name"]: o for o in report(made(tmp_path, *batches))["operations"]}
    assert (found["stuck"]["unfinished"], found["stuck"]["longest_unfinished_ns"]) == (1, 3 * S - 5)
    assert (found["done"]["unfinished"], found["done"]["count"]) == (0, 3)


def test_steps_of_the_wall_clock_are_told(tmp_path):
    batches = []
    for sequence, offset in ((1, EPOCH), (2, EPOCH + 1000), (3, EPOCH - 3 * S), (4, EPOCH - 3 * S)):
        batch = Batch(SESSION, sequence, clock_ns=sequence * S, offset_ns=offset)
        batch.operation("work", sequence * S, 10)
        batches.append(batch)
    path = made(tmp_path, *batches)
    (process,) = report(path)["processes"]
    assert process["clock_steps"] == 1
    assert process["greatest_clock_step_ns"] == pytest.approx(-3 * S, abs=2000)
    shutil.copy(path, tmp_path / "copy.trace.zst")
    assert report(tmp_path)["processes"][0]["clock_steps"] == 1


def test_sessions_of_one_boot_share_a_time_line(tmp_path):
    for i, offset in enumerate((EPOCH, EPOCH + 50_000)):
        session = bytes([i] * 16)
        batch = Batch(session, 1, clock_ns=(i + 1) * S, offset_ns=offset)
        batch.operation("work", 5 * S, 10)
        write(tmp_path / f"p{i}.trace.zst", [source(session, boot="b"), batch])
    assert {p["first_realtime_ns"] for p in report(tmp_path)["processes"]} == {str(EPOCH + 50_000 + 5 * S)}


def test_what_the_collector_lost_counts_once(tmp_path):
    batch = Batch(SESSION, 1, clock_ns=S, offset_ns=EPOCH)
    batch.operation("work", 0, 10)
    batch.totals.produced.operations = 9
    last = end(SESSION, 1, batch.totals, final=True, losses=[("DISK_LIMIT", 6, 2 * S, 3 * S)])
    path = made(tmp_path, batch, last)
    shutil.copy(path, tmp_path / "copy.trace.zst")
    quality = report(tmp_path)["quality"]
    assert (quality["produced"]["operations"], quality["stored"]["operations"]) == (9, 1)
    assert (quality["lost"]["operations"], quality["unaccounted"]["operations"]) == (6, 2)
    assert [(x["cause"], x["first_realtime_ns"]) for x in quality["losses"]] == [("disk_limit", str(EPOCH + 2 * S))]


def test_names_beyond_the_limit_are_counted_together(tmp_path):
    rows = [(f"name {i:05}", EPOCH + i, 5 if i < 20000 else 7, "ok", 0) for i in range(20000)]
    rows += [(f"name {i:05}", EPOCH + i, 5, "ok", 0) for i in range(9000)]
    found = report("--slowest", 1, *import_rows(tmp_path, rows))
    assert found["folded_names"] == 10000 and len(found["operations"]) == 10001
    (other,) = [o for o in found["operations"] if o["is_other"]]
    assert (other["name"], other["count"]) == ("(other)", 10000)
    assert {o["name"] for o in found["operations"]} >= {f"name {i:05}" for i in range(9999)}


def test_many_processes_are_listed_up_to_a_limit(tmp_path):
    for i in range(40):
        session = i.to_bytes(16, "little")
        batch = Batch(session, 1, clock_ns=S, offset_ns=EPOCH)
        for k in range(i + 1):
            batch.operation("work", k * S, 10)
            batch.sample("load", k * S, k)
        write(tmp_path / f"p{i:02}.trace.zst", [source(session, pid=i), batch])
    found = report(tmp_path)
    (work,) = found["operations"]
    assert work["count"] == 820 and len(work["by_process"]) == 40
    assert [p["count"] for p in work["by_process"]] == list(range(40, 0, -1))
    assert [p["pid"] for p in found["processes"]] == list(range(40))
    (load,) = found["metrics"]
    assert [p["process"] for p in load["by_process"]] == list(range(len(load["by_process"])))
    assert len(load["by_process"]) + load["omitted_processes"] == 40


# --- Files as they come ---


def test_copies_count_once(traces, expected, tmp_path):
    for path in traces:
        shutil.copy(path, tmp_path / f"copy-{path.name}")
    found = report(*traces, tmp_path)
    assert without_inputs(found) == without_inputs(expected) | {"operations": found["operations"]}
    assert totals(found) == totals(expected)
    assert sorted(i["repeated_batches"] > 0 for i in found["inputs"]) == [False] * 3 + [True] * 3
    hashes = [i["content_hash"] for i in found["inputs"]]
    assert len(set(hashes)) == 3 and all(i["state"] == "whole" for i in found["inputs"])


def test_concatenated_files_are_one(traces, expected, tmp_path):
    joined = tmp_path / "joined.trace.zst"
    joined.write_bytes(b"".join(p.read_bytes() for p in traces))
    found = report(joined)
    assert totals(found) == totals(expected) and len(found["processes"]) == 3
    assert totals(report(joined, *traces)) == totals(expected)


def test_cut_at_any_frame_border_is_a_file(traces, tmp_path):
    content, last = traces[0].read_bytes(), -1
    for border in frame_borders(traces[0]):
        path = tmp_path / "cut.trace.zst"
        path.write_bytes(content[:border])
        found = report(path)
        assert found["inputs"][0]["state"] == ("whole" if border == len(content) else "no_end")
        assert totals(found)[0] >= last
        last = totals(found)[0]


def test_cut_within_a_frame_loses_that_frame_only(traces, tmp_path):
    content, borders = traces[0].read_bytes(), frame_borders(traces[0])
    for before, after in zip(borders, borders[1:]):
        path = tmp_path / "cut.trace.zst"
        path.write_bytes(content[:before])
        whole = totals(report(path))
        path.write_bytes(content[: (before + after) // 2])
        found = report(path, status=3)
        assert totals(found) == whole
        (entry,) = found["inputs"]
        assert (entry["state"], entry["problem_offset_bytes"]) == ("cut_off", before)
        assert entry["skipped_bytes"] == (before + after) // 2 - before


def test_flipped_bits_harm_their_frame_only(traces, expected, tmp_path):
    content, borders = traces[0].read_bytes(), [0, *frame_borders(traces[0])]
    chance = random.Random(5)
    for _ in range(40):
        at = chance.randrange(len(content))
        flipped = bytearray(content)
        flipped[at] ^= 1 << chance.randrange(8)
        path = tmp_path / "flipped.trace.zst"
        path.write_bytes(flipped)
        found = report(path, *traces[1:], status=3)
        (entry,) = [i for i in found["inputs"] if i["file"] == path.name]
        frame = max(b for b in borders if b <= at)
        assert entry["state"] in ("damaged", "cut_off") and entry["problem_offset_bytes"] <= frame, at
        others = [p["stored"] for p in found["processes"] if p["executable"] in ("p1", "p2")]
        assert others == [p["stored"] for p in expected["processes"][1:]]
        # A good copy of the damaged frame makes the report whole.
        found = report(path, *traces, status=3)
        assert totals(found) == totals(expected)
        assert [i["state"] for i in found["inputs"]].count("whole") == 3


def test_zeros_are_stepped_over(traces, tmp_path):
    content, borders = bytearray(traces[0].read_bytes()), frame_borders(traces[0])
    content[borders[0]: borders[1]] = bytes(borders[1] - borders[0])
    path = tmp_path / "zeros.trace.zst"
    path.write_bytes(content)
    found = report(path, status=3)
    (entry,) = found["inputs"]
    assert (entry["state"], entry["problem_offset_bytes"]) == ("damaged", borders[0])
    assert entry["skipped_bytes"] == borders[1] - borders[0] and entry["missing_batches"] == 0
    assert found["quality"]["unaccounted"] != {"operations": 0, "samples": 0, "marks": 0, "long_runs": 0}


def test_missing_batches_are_told(tmp_path):
    batches = [Batch(SESSION, sequence) for sequence in (1, 4)]
    for batch in batches:
        batch.operation("work", batch.sequence * S, 10)
    assert report(made(tmp_path, *batches))["inputs"][0]["missing_batches"] == 2


def test_what_is_no_trace_is_said_and_left_out(traces, expected, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("name,start\n")
    (tmp_path / "other.zst").write_bytes(subprocess.run(["zstd", "-c"], input=b"x" * 1000, capture_output=True, check=True).stdout)
    os.mkfifo(tmp_path / "fifo")
    foreign = sorted(tmp_path.iterdir())
    done = run("--json", "-", *foreign, *traces)
    assert done.returncode == 3
    for path in foreign:
        assert f"'{path.name}'" in done.stderr.decode()
    found = check(done.stdout)
    assert totals(found) == totals(expected)
    assert [i["state"] for i in found["inputs"]] == ["whole"] * 3 + ["unusable"] * 4
    assert all(i["process"] is None for i in found["inputs"][3:])
    done = run("--json", "-", *foreign)
    assert (done.returncode, done.stdout) == (4, b"")
    assert "the file is empty" in done.stderr.decode()


def test_missing_files_and_folders_without_traces(traces, expected, tmp_path):
    (tmp_path / "none").mkdir()
    for wrong in (tmp_path / "missing.trace.zst", tmp_path / "none"):
        done = run("--quiet", "--json", "-", wrong, *traces)
        assert done.returncode == 3 and str(wrong) in done.stderr.decode()
        assert without_inputs(check(done.stdout)) == without_inputs(expected)
        done = run(wrong)
        assert (done.returncode, done.stdout) == (4, b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_said(traces, tmp_path):
    path = tmp_path / "secret.trace.zst"
    shutil.copy(traces[0], path)
    path.chmod(0)
    done = run("--json", "-", path, *traces[1:])
    assert done.returncode == 3 and "Permission denied" in done.stderr.decode()


def test_newer_versions_are_refused_and_said(traces, expected, tmp_path):
    batch = Batch(SESSION, 1)
    batch.operation("from the future", 0, 10)
    path = write(tmp_path / "v2.trace.zst", [source(SESSION, version=2), batch, end(SESSION, 1)])
    done = run("--json", "-", path, *traces)
    assert done.returncode == 3 and "format version is newer" in done.stderr.decode()
    found = check(done.stdout)
    assert totals(found) == totals(expected)
    assert [i["state"] for i in found["inputs"] if i["file"] == path.name] == ["newer_format"]
    assert run(path).returncode == 4


def test_packets_with_unknown_features_are_left_out(tmp_path):
    batches = [Batch(SESSION, sequence) for sequence in (1, 2)]
    for batch in batches:
        batch.operation("work", batch.sequence * S, 10)
    newer = batches[1].packet()
    newer.batch.id.required_features = 1
    path = write(tmp_path / "features.trace.zst", [source(SESSION), batches[0], newer])
    found = report(path, status=3)
    assert found["inputs"][0]["state"] == "newer_format" and found["operations"][0]["count"] == 1


def test_a_part_that_is_being_written_is_normal(traces, expected, tmp_path):
    content, borders = traces[0].read_bytes(), frame_borders(traces[0])
    (tmp_path / "live.trace.zst.partial").write_bytes(content[: borders[-2]])
    done = run(tmp_path)
    assert done.returncode == 0 and "still being written" in done.stdout.decode()
    assert totals(report(tmp_path, traces[1], traces[2])) == totals(expected)


def test_batches_without_a_source_have_a_process(traces, tmp_path):
    content, borders = traces[0].read_bytes(), frame_borders(traces[0])
    path = tmp_path / "headless.trace.zst"
    path.write_bytes(content[borders[0]:])
    found = report(path)
    assert [p["executable"] for p in found["processes"]] == ["unknown"] and totals(found)[0] > 0


# --- The same report every time ---


def test_jobs_and_order_do_not_show(traces, tmp_path):
    flipped = bytearray(traces[0].read_bytes())
    flipped[len(flipped) // 2] ^= 4
    (tmp_path / "flipped.trace.zst").write_bytes(flipped)
    (tmp_path / "joined.trace.zst").write_bytes(traces[1].read_bytes() + traces[2].read_bytes())
    (tmp_path / "empty.trace.zst").write_bytes(b"")
    batches = [counter_batch(i + 1, i * 5 * S, [i * 9, i * 9 + 3, i * 9 + 4], "COUNTER_TOTAL", (2, "w")) for i in range(40)]
    made(tmp_path, *batches)
    files = [*traces, *tmp_path.iterdir()]
    outputs = set()
    for i, jobs in enumerate((1, 2, 7, 2, 7)):
        random.Random(i).shuffle(files)
        outputs.add(run("--quiet", "--json", "-", "--jobs", jobs, *files).stdout)
    assert len(outputs) == 1
    check(outputs.pop())


def test_a_list_of_files_comes_from_stdin(traces, expected):
    listed = "".join(f"{p}\n" for p in traces).encode()
    done = run("--quiet", "--json", "-", "-", input=listed)
    assert done.returncode == 0 and check(done.stdout) == expected


def test_memory_is_a_limit(traces, expected):
    found = report("--memory", "64M", *traces)
    assert totals(found) == totals(expected) and found["options"]["memory_bytes"] == 64 << 20
    done = run("--memory", "1M", *traces)
    assert (done.returncode, done.stdout) == (5, b"") and "--memory" in done.stderr.decode()


# --- Options and output ---


@pytest.mark.parametrize(
    "arguments",
    [[], ["--jobs", "0"], ["--jobs", "two"], ["--memory", "much"], ["--slowest", "-1"], ["--nonsense"], ["--json"],
     ["--json", "x", "--markdown", "x", "y"]],
)
def test_wrong_usage(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, b"") and done.stderr


def test_help_has_examples():
    done = run("--help")
    assert done.returncode == 0 and b"examples:" in done.stdout and b"--redact" in done.stdout


def test_output_that_cannot_be_written(traces, tmp_path):
    for wrong in (tmp_path / "missing" / "r.json", tmp_path):
        done = run("--json", wrong, *traces)
        assert done.returncode == 6 and str(wrong) in done.stderr.decode()
    assert run("--json", "/dev/full", *traces).returncode == 6
    with open("/dev/full", "wb") as full:
        done = subprocess.run([str(ANALYZER), "report", str(traces[0])], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 6
    assert not list(tmp_path.iterdir())


def test_a_summary_stands_beside_files_unless_it_is_in_the_way(traces, tmp_path):
    path = tmp_path / "r"
    assert "db.query" in run("--json", path, *traces).stdout.decode()
    assert "db.query" in run("--markdown", path, *traces).stdout.decode()
    assert run("--quiet", "--json", path, *traces).stdout == b""
    check(run("--json", "-", "--markdown", path, *traces).stdout)
    assert run("--markdown", "-", *traces).stdout.startswith(b"# Eddy report")


def test_output_replaces_what_was_there(traces, tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    assert run("--quiet", "--json", path, *traces).returncode == 0
    check(path.read_text())
    assert run("--quiet", "--json", path, tmp_path / "missing").returncode == 4
    check(path.read_text())
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def test_totals_of_trace_pb2_are_what_the_report_says(traces, expected):
    """A second opinion: the heads as protoc reads them."""
    rows = 0
    for path in traces:
        plain = subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout
        rows += sum(p.batch.head.operations for p in trace_pb2.Trace.FromString(plain).packet)
    assert rows == totals(expected)[0]


def test_what_memory_leaves_out_is_said(tmp_path):
    """So many names over so long a time that windows do not fit."""
    rows = [(f"name {i % 2000}", EPOCH + i * 10**6, 5 + i % 1000, "ok", 0) for i in range(60000)]
    found = report("--memory", "32M", "--slowest", 1, *import_rows(tmp_path, rows))
    assert sum(o["count"] for o in found["operations"]) == 60000
    kinds = set()
    for operation in found["operations"]:
        reasons = {w.get("p50_ns_reason") for w in operation["over_time"]}
        kinds.add((operation.get("over_time_reason"), *reasons))
        assert sum(w["count"] for w in operation["over_time"]) in (operation["count"], 0)
        assert bool(operation["over_time"]) != ("over_time_reason" in operation)
    assert (None, None) in kinds and ("memory_limit",) in kinds, kinds
