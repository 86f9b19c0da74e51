"""`report --attributes`: operations by the values that they carry, with exact counts of what is folded, and nothing of what is redacted."""

import json
import random

import pytest

from test_report import EPOCH, S, quantile, report, run
from test_report_outputs import check
from trace_maker import Batch, end, source, write, zigzag

MS = 10**6


def make(path, rows, session=1, per_batch=2000):
    """rows: (duration, status, [(key, type, value)])"""
    ident = bytes([session]) * 16
    batches = []
    for first in range(0, len(rows), per_batch):
        batch = Batch(ident, len(batches) + 1, clock_ns=S, offset_ns=EPOCH)
        for i, (duration, status, attributes) in enumerate(rows[first : first + per_batch]):
            batch.operation("get", S + (first + i) * MS, duration, status=status, attributes=attributes)
        batches.append(batch)
    return write(path, [source(ident), *batches, end(ident, len(batches) + 1)])


def attributes_of(found, name="get"):
    (operation,) = [o for o in found["operations"] if o["name"] == name]
    return {a["key"]: a for a in operation["attributes"]}


def check_slice(part, rows):
    durations = [d for d, *_ in rows]
    assert part["count"] == len(rows)
    assert part["errors"] == sum(status != 0 for _, status, _ in rows)
    assert part["max_ns"] == (max(durations) if rows else None)
    for p, key in ((0.5, "p50_ns"), (0.95, "p95_ns"), (0.99, "p99_ns")):
        if part[key] is not None:
            assert part[key] == pytest.approx(quantile(durations, p), rel=0.04)


@pytest.fixture(name="rows", scope="module")
def _rows():
    chance, rows = random.Random(21), []
    for i in range(6000):
        tenant = chance.choices(["blue", "red", "green"] + [f"tenant {k}" for k in range(200)], [900, 300, 100] + [1] * 200)[0]
        size = int(2 ** chance.uniform(10, 20))
        slow = 20 if tenant == "red" else 1
        attributes = [("tenant", "TEXT", tenant), ("size", "U64", size), ("cached", "BOOL", i % 4 == 0)]
        rows.append((int(chance.lognormvariate(13, 0.4) * slow) + size, 1 if tenant == "green" else 0, attributes))
    return rows


@pytest.fixture(name="trace", scope="module")
def _trace(tmp_path_factory, rows):
    return make(tmp_path_factory.mktemp("attributes") / "a-1-000.trace.zst", rows)


def carrying(rows, key, value):
    return [r for r in rows if any(k == key and v == value for k, _, v in r[2])]


def test_values_are_those_of_the_rows(trace, rows):
    found = report("--attributes", trace)
    check(json.dumps(found, sort_keys=True))
    tenant = attributes_of(found)["tenant"]
    assert [v["value"] for v in tenant["values"][:3]] == ["blue", "red", "green"] and len(tenant["values"]) == 50
    for value in tenant["values"]:
        check_slice(value, carrying(rows, "tenant", value["value"]))
    listed = {v["value"] for v in tenant["values"]}
    folded = [r for r in rows if r[2][0][2] not in listed]
    check_slice(tenant["other"], folded)
    assert tenant["other"]["values"] == len({r[2][0][2] for r in folded}) and tenant["is_sample"] is False
    assert tenant["other_count"] == tenant["other"]["count"] and tenant["bins"] == []
    assert sum(v["count"] for v in tenant["values"]) + tenant["other_count"] == tenant["count"] == len(rows)
    cached = attributes_of(found)["cached"]
    assert {v["value"]: v["count"] for v in cached["values"]} == {"true": 1500, "false": 4500} and cached["bins"] == []


def test_numbers_are_in_bins(trace, rows):
    size = attributes_of(report("--attributes", trace))["size"]
    assert 8 <= len(size["bins"]) <= 16 and sum(b["count"] for b in size["bins"]) == len(rows)
    for i, part in enumerate(size["bins"]):
        is_last = i + 1 == len(size["bins"])
        inside = [r for r in rows if part["from"] <= r[2][1][2] < part["to"] or (is_last and r[2][1][2] == part["to"])]
        check_slice(part, inside)
        assert is_last or part["to"] == size["bins"][i + 1]["from"]


def test_numbers_not_above_0_have_a_bin_of_their_own(tmp_path):
    rows = [(MS, 0, [("balance", "I64", zigzag(value))]) for value in (5, 6, 100)]
    path = make(tmp_path / "a-1-000.trace.zst", rows)
    below = [(2 * MS, 0, [("balance", "I64", 0)])] * 4
    other = make(tmp_path / "b-2-000.trace.zst", below, session=2)
    balance = attributes_of(report("--attributes", path, other))["balance"]
    assert (balance["bins"][0]["from"], balance["bins"][0]["to"], balance["bins"][0]["count"]) == (0, 0, 4)
    assert sum(b["count"] for b in balance["bins"]) == 7


def test_readers_see_them(trace):
    text = run("--attributes", trace).stdout.decode()
    assert "Attributes" in text and "tenant = red" in text and "size 1" in text
    page = run("--attributes", "--markdown", "-", trace).stdout.decode()
    assert "## Attributes" in page and "tenant = red" in page
    for output in (run(trace).stdout, run("--json", "-", trace).stdout):
        assert b"red" not in output.replace(b"required", b"").replace(b"stored", b"").replace(b"redacted", b"")


def test_redacted_values_are_nowhere(tmp_path):
    secret = 777_123_456
    rows = [(MS + i, 0, [("card", "U64", secret + i), ("who", "TEXT", f"person {i}"), ("plain", "U64", 5)]) for i in range(300)]
    path = make(tmp_path / "a-1-000.trace.zst", rows)
    outputs = [
        run("--quiet", "--attributes", "--redact", "card", "--redact", "who", *options, path).stdout.decode()
        for options in (["--json", "-"], ["--markdown", "-"], [])
    ]
    for output in outputs:
        assert "777" not in output.replace(str(EPOCH), "") and "person" not in output
    keys = attributes_of(json.loads(outputs[0]))
    for key in ("card", "who"):
        assert [(v["value"], v["count"]) for v in keys[key]["values"]] == [("(redacted)", 300)]
        assert keys[key]["bins"] == [] and keys[key]["other"]["count"] == 0
    check_slice(keys["card"]["values"][0], rows)
    assert [v["value"] for v in keys["plain"]["values"]] == ["5"] and len(keys["plain"]["bins"]) == 1


def test_bytes_depend_on_neither_jobs_nor_order(tmp_path, rows):
    files = [make(tmp_path / f"a-{k}-000.trace.zst", rows[k * 2000 :][:2000], session=k + 1, per_batch=300) for k in range(3)]
    expected = run("--quiet", "--attributes", "--json", "-", "--jobs", "1", *files).stdout
    assert attributes_of(json.loads(expected))["tenant"]["count"] == 6000
    for jobs in (2, 7):
        random.Random(jobs).shuffle(files)
        assert run("--quiet", "--attributes", "--json", "-", "--jobs", str(jobs), *files).stdout == expected


def test_more_values_than_are_counted_apart_are_said_to_be_a_sample(tmp_path):
    rows = [(MS, i % 2, [("id", "TEXT", f"{i:05}")]) for i in range(3000)]
    ident = attributes_of(report("--attributes", make(tmp_path / "a-1-000.trace.zst", rows)))["id"]
    assert ident["is_sample"] is True and len(ident["values"]) == 50
    assert ident["other"]["count"] == 2950 and ident["other"]["values"] >= 974
    assert ident["other"]["errors"] + sum(v["errors"] for v in ident["values"]) == 1500
