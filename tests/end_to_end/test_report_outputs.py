"""What `report` writes: JSON that fits its schema and is the same every time, Markdown and terminal text that do nothing."""

import copy
import json
import pathlib
import random
import re
import subprocess

import jsonschema
import pytest

from budgets import check_budgets
from programs import ANALYZER, SOURCE_DIR, support_program

SCHEMA = json.loads((SOURCE_DIR / "proto/report.schema.json").read_text())


def without_unknown_members(schema):
    """The schema, but refusing members that it does not describe: they would be undocumented."""
    strict = copy.deepcopy(schema)
    todo = [strict]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if node.get("type") == "object" and "properties" in node:
                node["additionalProperties"] = False
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)
    return strict


VALIDATOR = jsonschema.Draft202012Validator(without_unknown_members(SCHEMA))


def check(text, is_real=True):
    """Parses a report; refuses what JSON has not (NaN), what the schema has not, and keys out of order."""

    def pairs(items):
        keys = [key for key, _ in items]
        assert keys == sorted(keys) and len(set(keys)) == len(keys), keys
        return dict(items)

    def refuse(word):
        raise AssertionError(f"{word} in JSON")

    report = json.loads(text, object_pairs_hook=pairs, parse_constant=refuse)
    problems = [f"{list(e.path)}: {e.message[:200]}" for e in VALIDATOR.iter_errors(report)]
    assert problems == []
    if is_real:
        check_budgets(report)
    return report


def run(*arguments, **options):
    return subprocess.run(
        [str(ANALYZER), *[str(a) for a in arguments]], capture_output=True, check=False, timeout=120, **options
    )


def example(kind, *arguments):
    done = subprocess.run(support_program("example_report", kind, *arguments), capture_output=True, check=True)
    return done.stdout.decode()


def import_processes(folder, processes=3, rows=3000):
    """Operations and samples of some processes, the same every time. Returns the trace files."""
    source = random.Random(7)
    arguments = []
    for process in range(processes):
        operations = folder / f"ops_p{process}.csv"
        samples = folder / f"gauges_p{process}.csv"
        with open(operations, "w", encoding="utf-8") as out:
            out.write("name,start_ns,duration_ns,status,thread\n")
            for _ in range(rows):
                name = source.choice(["db.query", "cache.get", "<b>&|`x", "@all"])
                begin = 1_764_000_000_000_000_000 + source.randrange(60 * 10**9)
                duration = int(source.lognormvariate(14, 1.5))
                status = source.choice(["ok"] * 20 + ["error", "timeout", "unfinished"])
                out.write(f"{name},{begin},{duration},{status},{source.randrange(4)}\n")
        with open(samples, "w", encoding="utf-8") as out:
            out.write("name,t_ns,value,unit\n")
            for second in range(60):
                time = 1_764_000_000_000_000_000 + second * 10**9
                out.write(f"rss,{time},{source.randrange(10**9)},By\ncpu,{time},{source.random():.4f},1\n")
        arguments += ["--operations", operations, "--samples", samples]
    done = run("import", *arguments, "-o", folder / "out")
    assert done.returncode == 0, done.stderr
    return [pathlib.Path(p) for p in done.stdout.decode().splitlines()]


@pytest.fixture(name="traces", scope="module")
def _traces(tmp_path_factory):
    return import_processes(tmp_path_factory.mktemp("traces"))


def json_of(*arguments):
    done = run("report", "--quiet", "--json", "-", *arguments)
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_schema_describes_every_member():
    todo = [("report", SCHEMA)]
    while todo:
        where, node = todo.pop()
        for key, value in node.get("properties", {}).items():
            assert value.get("description") or "$ref" in value, f"{where}.{key}"
            todo.append((f"{where}.{key}", value))
        for key, value in node.get("$defs", {}).items():
            todo.append((key, value))
        if isinstance(node.get("items"), dict):
            todo.append((where + "[]", node["items"]))


def test_hostile_report_fits_the_schema():
    report = check(example("json"), is_real=False)
    assert {o["name"] for o in report["operations"]} >= {"<script>alert(1)</script>", "\x1b[31mred\x1b[0m\r\nnew line"}


def test_real_report_fits_the_schema(traces):
    report = check(json_of(*traces))
    assert sum(o["count"] for o in report["operations"]) + sum(o["unfinished"] for o in report["operations"]) == 9000
    assert [p["executable"] for p in report["processes"]] == ["p0", "p1", "p2"]
    assert {m["name"] for m in report["metrics"]} == {"rss", "cpu"}


def test_damaged_report_fits_the_schema(traces, tmp_path):
    content = bytearray(traces[0].read_bytes())
    content[len(content) // 2] ^= 0x55
    (tmp_path / "damaged.trace.zst").write_bytes(content)
    (tmp_path / "cut.trace.zst").write_bytes(traces[1].read_bytes()[:-9])
    done = run("report", "--quiet", "--json", "-", *sorted(tmp_path.iterdir()))
    assert done.returncode == 3, done.stderr
    assert {i["state"] for i in check(done.stdout)["inputs"]} == {"damaged", "cut_off"}


def test_same_bytes_for_any_jobs_and_any_order(traces):
    expected = json_of("--jobs", "1", *traces)
    shuffled = list(traces)
    for jobs in (1, 2, 7):
        random.Random(jobs).shuffle(shuffled)
        assert json_of("--jobs", str(jobs), *shuffled) == expected
    assert json_of(traces[0].parent) == expected


def test_no_place_or_time_of_the_run_stands_in_the_report(traces):
    text = json_of(*traces).decode()
    assert str(traces[0].parent) not in text
    assert "jobs" not in text


def code_spans_removed(markdown):
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)


@pytest.mark.parametrize("operations", ["10", "5000"])
def test_markdown_is_inert_and_fits(operations):
    markdown = example("markdown", operations)
    assert len(markdown) <= 60_000
    plain = code_spans_removed(markdown)
    assert not re.search(r"[<@\[\]`]|https?:|#\d", plain), re.findall(r".*[<@\[\]`].*", plain)[:3]
    cells = None
    for line in markdown.splitlines():
        found = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        assert found is None or cells is None or found == cells, line
        cells = found


@pytest.mark.parametrize("kind", ["terminal", "ascii"])
def test_terminal_text_obeys_no_name(kind):
    text = example(kind)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert kind != "ascii" or text.isascii()


def test_reports_in_all_forms_are_written_together(traces, tmp_path):
    json_path, markdown_path = tmp_path / "r.json", tmp_path / "r.md"
    done = run("report", *traces, "--json", json_path, "--markdown", markdown_path)
    assert done.returncode == 0, done.stderr
    check(json_path.read_text())
    assert markdown_path.read_text().startswith("# Eddy report")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r.json", "r.md"]
    assert "\x1b" not in done.stdout.decode()


def test_terminal_shows_operations_and_ascii_where_that_is_all(traces):
    text = run("report", "--quiet", *traces, env={"LC_ALL": "C"}).stdout.decode()
    assert "db.query" in text and "p95" in text and text.isascii()
    text = run("report", "--quiet", *traces, env={"LC_ALL": "C.UTF-8"}).stdout.decode()
    assert "█" in text
