"""import, dump and verify of eddy-analyzer as a user runs them: what comes in comes out, and nothing bad gets in."""

import collections
import csv
import io
import json
import random
import shutil
import subprocess

import pytest

from programs import ANALYZER

HEADER = "name,start_ns,duration_ns,status,thread\n"


def run(*arguments, **options):
    return subprocess.run(
        [str(ANALYZER), *[str(a) for a in arguments]], capture_output=True, check=False, timeout=120, **options
    )


def import_text(folder, text, kind="operations"):
    """Imports a CSV given as text (or bytes) into folder/out."""
    path = folder / "input.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return run("import", f"--{kind}", path, "-o", folder / "out")


def records(*paths):
    done = run("dump", *paths)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def random_rows(count, seed=1):
    source = random.Random(seed)
    return [
        (
            source.choice(["db.query", "cache.get", "http, call", 'quo"te', "größe"]),
            source.randrange(10**15, 10**15 + 10**12),
            source.choice([0, 1, 255, 2**40, 2**61, source.randrange(10**9)]),
            source.choice(["ok", "error", "cancelled", "timeout"]),
            str(source.randrange(5)),
        )
        for _ in range(count)
    ]


def as_csv(rows, header=("name", "start_ns", "duration_ns", "status", "thread")):
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture(name="traces", scope="module")
def _traces(tmp_path_factory):
    """One process with more than two batches of operations and one of samples."""
    folder = tmp_path_factory.mktemp("traces")
    (folder / "ops_web.csv").write_text(as_csv(random_rows(150_000)))
    (folder / "gauges_web.csv").write_text("name,t_ns,value,unit\nrss,1000000000000500,17,By\ncpu,1000000000000000,0.35,1\n")
    done = run(
        "import", "--operations", folder / "ops_web.csv", "--samples", folder / "gauges_web.csv", "-o", folder / "out"
    )
    assert done.returncode == 0, done.stderr
    return [folder / "out" / name for name in done.stdout.decode().splitlines()]


def test_every_row_comes_out_again(traces):
    expected = collections.Counter(random_rows(150_000))
    done = run("dump", "--csv", *traces)
    assert done.returncode == 0
    rows = csv.DictReader(io.StringIO(done.stdout.decode()))
    found = collections.Counter(
        (row["name"], int(row["start_ns"]), int(row["duration_ns"]), row["status"], row["thread"]) for row in rows
    )
    assert found == expected


def test_dumped_csv_can_be_imported_again(traces, tmp_path):
    done = run("dump", "--csv", *traces)
    rows = [row[:5] for row in csv.reader(io.StringIO(done.stdout.decode()))]
    assert import_text(tmp_path, as_csv(rows[1:], rows[0])).returncode == 0
    again = run("dump", "--csv", tmp_path / "out")
    assert sorted(r[:5] for r in csv.reader(io.StringIO(again.stdout.decode()))) == sorted(rows)


def test_json_lines_hold_everything(traces):
    kinds = collections.defaultdict(list)
    for record in records(*traces):
        kinds[record["type"]].append(record)
    assert len(kinds["operation"]) == 150_000
    (source,) = kinds["source"]
    assert (source["kind"], source["executable"], source["part"]) == ("imported", "web", 0)
    (end,) = kinds["end"]
    assert end["stored"] == {"operations": "150000", "samples": "2", "marks": "0", "long_runs": "0"}
    assert [(s["name"], s["value"], s["unit"]) for s in kinds["sample"]] == [("cpu", 0.35, "1"), ("rss", 17, "By")]
    assert kinds["sample"][0]["time"] == "1970-01-12T13:46:40.000000000Z"
    assert {r["session"] for r in kinds["operation"]} == {source["session"]}


def test_unfinished_rows_become_open_operations(tmp_path):
    assert import_text(tmp_path, HEADER + "a,100,7,unfinished,1\nb,100,9,ok,1\na,50,57,unfinished,1\na,1,1,4,1\n").returncode == 0
    found = [r for r in records(tmp_path / "out") if r["type"] == "open"]
    assert sorted((r["name"], r["begin_ns"], r["as_of_ns"]) for r in found) == [
        ("a", "1", "2"),
        ("a", "100", "107"),
        ("a", "50", "107"),
    ]
    assert len({r["id"] for r in found}) == 3
    assert len([r for r in records(tmp_path / "out") if r["type"] == "operation"]) == 1


def test_stock_tools_read_what_is_imported(traces):
    for path in traces:
        assert subprocess.run(["zstd", "-t", "-q", path], check=False).returncode == 0


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("", "line 1: the file is empty"),
        ("name,start_ns\n", "column 'duration_ns' is missing"),
        ("name,start_ns,duration_ns,cost\n", "unknown column 'cost'"),
        (HEADER + "a,1,-2,ok,1\n", "line 2, column 'duration_ns': '-2' is not"),
        (HEADER + "a,1,2,ok,1\na,soon,2,ok,1\n", "line 3, column 'start_ns': 'soon' is not"),
        (HEADER + "a,99999999999999999999,2,ok,1\n", "line 2, column 'start_ns'"),
        (HEADER + "a,1,2,fine,1\n", "column 'status': 'fine' is not ok, error"),
        (HEADER + "a,1,2\n", "line 2: 3 fields, but the first row names 5 columns"),
        (HEADER + '"a,1,2,ok,1\n', "line 2: a quoted field is not closed"),
        (b"\x7fELF\x00\x00", "a NUL byte"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (HEADER.encode() + b"\xff,1,2,ok,1\n", "line 2, column 'name'"),
    ],
)
def test_bad_input_is_refused_and_writes_nothing(tmp_path, text, complaint):
    done = import_text(tmp_path, text)
    assert done.returncode == 4
    assert complaint in done.stderr.decode() and "input.csv" in done.stderr.decode()
    assert not (tmp_path / "out").exists()


def test_one_bad_file_keeps_all_from_being_written(tmp_path):
    (tmp_path / "good.csv").write_text(HEADER + "a,1,2,ok,1\n")
    (tmp_path / "bad.csv").write_text(HEADER + "a,1,2,maybe,1\n")
    done = run("import", "--operations", tmp_path / "good.csv", "--operations", tmp_path / "bad.csv", "-o", tmp_path / "out")
    assert done.returncode == 4
    assert not (tmp_path / "out").exists()


def test_the_same_data_is_noticed_the_second_time(tmp_path):
    assert import_text(tmp_path, HEADER + "a,1,2,ok,1\n").returncode == 0
    before = sorted((tmp_path / "out").iterdir())
    done = import_text(tmp_path, HEADER + "a,1,2,ok,1\n")
    assert done.returncode == 6 and b"imported before" in done.stderr
    assert sorted((tmp_path / "out").iterdir()) == before


def test_output_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + "a,1,2,ok,1\n")
    (tmp_path / "file").write_text("")
    assert run("import", "--operations", tmp_path / "a.csv", "-o", tmp_path / "file").returncode == 6
    assert run("import", "--operations", tmp_path / "a.csv", "-o", tmp_path / "no/such").returncode == 6


@pytest.mark.parametrize(
    "arguments",
    [[], ["-o", "x"], ["--operations", "a.csv"], ["--process", "p", "-o", "x"], ["a.csv", "-o", "x"], ["--nonsense"]],
)
def test_wrong_usage_is_status_2(arguments, tmp_path):
    assert run("import", *arguments, cwd=tmp_path).returncode == 2


def test_names_follow_files_or_the_option(tmp_path):
    for name in ("ops_p0.csv", "gauges_p0.csv"):
        header = HEADER if name.startswith("ops") else "name,t_ns,value\n"
        (tmp_path / name).write_text(header)
    done = run(
        "import", "--operations", tmp_path / "ops_p0.csv", "--samples", tmp_path / "gauges_p0.csv",
        "--process", "we b/..", "--operations", tmp_path / "ops_p0.csv", "-o", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert len(names) == 2
    assert names[0].startswith("p0-0-") and names[1].startswith("we_b_..-0-")


def test_verify_says_what_is_whole(traces):
    done = run("verify", *traces)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(b"ok ") and b"150,000 operations, 2 samples" in done.stdout
    assert run("verify", "--quiet", *traces).stdout == b""


def test_verify_finds_every_kind_of_damage(traces, tmp_path):
    good = traces[0].read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    cases = {
        "cut.trace.zst": (good[:-5], 3, b"cut off"),
        "flipped.trace.zst": (bytes(flipped), 3, b"damaged"),
        "zeros.trace.zst": (good + bytes(4096), 3, b"damaged"),
        "text.trace.zst": (b"no trace at all\n" * 100, 4, b"no trace"),
        "empty.trace.zst": (b"", 4, b"no trace"),
        "twice.trace.zst": (good + good, 0, b"ok"),
    }
    for name, (content, status, word) in cases.items():
        (tmp_path / name).write_bytes(content)
        done = run("verify", tmp_path / name)
        assert (done.returncode, done.stdout.startswith(word)) == (status, True), (name, done.stdout)
    assert run("verify", tmp_path).returncode == 3
    assert run("verify", tmp_path / "missing.trace.zst").returncode == 4


def test_verify_accepts_files_that_are_being_written(traces, tmp_path):
    path = tmp_path / "web.trace.zst.partial"
    shutil.copy(traces[0], path)
    with open(path, "r+b") as file:
        size = frame_borders(path)[-2]
        file.truncate(size)
    done = run("verify", tmp_path)
    assert done.returncode == 0 and done.stdout.startswith(b"open")


def frame_borders(path):
    """Offsets behind each frame, found with the frames' magic number and zstd itself."""
    content = path.read_bytes()
    magic = b"\x28\xb5\x2f\xfd"
    starts = [i for i in range(len(content)) if content.startswith(magic, i)]
    borders = [
        at
        for at in [*starts[1:], len(content)]
        if subprocess.run(["zstd", "-dcq"], input=content[:at], capture_output=True, check=False).returncode == 0
    ]
    assert borders[-1] == len(content)
    return borders


def test_a_file_cut_at_any_frame_border_is_valid(traces, tmp_path):
    content = traces[0].read_bytes()
    for border in frame_borders(traces[0])[:-1]:
        path = tmp_path / "cut.trace.zst"
        path.write_bytes(content[:border])
        done = run("verify", path)
        assert done.returncode == 0 and done.stdout.startswith(b"open"), done.stdout


def test_dump_gives_what_is_good_around_damage(traces, tmp_path):
    content = bytearray(traces[0].read_bytes())
    first, second = frame_borders(traces[0])[:2]
    content[(first + second) // 2] ^= 0xFF
    (tmp_path / "damaged.trace.zst").write_bytes(content)
    done = run("dump", tmp_path / "damaged.trace.zst")
    assert done.returncode == 3 and b"damaged" in done.stderr
    count = sum(1 for line in done.stdout.splitlines() if json.loads(line)["type"] == "operation")
    assert count == 150_000 - 65_536


def test_spreadsheets_get_no_formulas(tmp_path):
    assert import_text(tmp_path, HEADER + "=1+1,1,2,ok,-x\n@sum,1,2,ok,+y\n").returncode == 0
    text = run("dump", "--csv", tmp_path / "out").stdout.decode()
    for row in csv.reader(io.StringIO(text)):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


def test_dump_ends_quietly_when_its_reader_goes_away(traces):
    done = subprocess.run(f"'{ANALYZER}' dump '{traces[0]}' | head -n 1", shell=True, capture_output=True, check=False)
    assert done.stderr == b"" and json.loads(done.stdout)["type"] == "source"


def test_lists_come_from_stdin(traces):
    done = run("verify", "-", input="\n".join(str(p) for p in traces).encode())
    assert done.returncode == 0 and done.stdout.startswith(b"ok")
