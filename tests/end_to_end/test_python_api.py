"""The whole public interface, called from Python through ctypes without a line of C: any language with a foreign function
interface can record."""

import pathlib
import re
import subprocess
import sys
import textwrap

import pytest

import programs
import traces

# Runs in a process of its own: the collector must be there before the library is loaded.
SCRIPT = textwrap.dedent(
    """
    import ctypes as c
    import sys

    class Name(c.Structure):
        _fields_ = [("text", c.c_char_p), ("reserved_id", c.c_uint64), ("unit", c.c_char_p), ("reserved", c.c_uint64)]

    class Queue(c.Structure):
        _fields_ = [("name", Name), ("capacity", c.c_uint64), ("reserved", c.c_uint64 * 3)]

    class Stats(c.Structure):
        _fields_ = [(n, c.c_uint64) for n in ("size_bytes", "recording", "connected", "produced", "stored", "pending")]
        _fields_ += [("lost", c.c_uint64 * 8), ("open", c.c_uint64), ("stale_ends", c.c_uint64), ("session", c.c_uint64 * 2)]

    eddy = c.CDLL(sys.argv[1])
    name_p, queue_p, op = c.POINTER(Name), c.POINTER(Queue), c.c_uint64
    called = set()

    def function(name, result, *arguments):
        f = getattr(eddy, name)
        f.restype, f.argtypes = result, arguments
        def call(*values):
            called.add(name)
            return f(*values)
        return call

    start = function("eddy_start", c.c_int)
    flush = function("eddy_flush", c.c_int, c.c_uint32)
    shutdown = function("eddy_shutdown", c.c_int, c.c_uint32)
    stats = function("eddy_stats", c.c_int, c.POINTER(Stats))
    now = function("eddy_now_ns", c.c_uint64)
    name_intern = function("eddy_name_intern", name_p, c.c_char_p)
    metric_intern = function("eddy_metric_intern", name_p, c.c_char_p, c.c_char_p)
    queue_intern = function("eddy_queue_intern", queue_p, c.c_char_p, c.c_uint64)
    begin = function("eddy_begin", op, name_p)
    begin_at = function("eddy_begin_at", op, name_p, c.c_uint64)
    begin_child = function("eddy_begin_child", op, name_p, op)
    begin_queued = function("eddy_begin_queued", op, name_p, queue_p)
    state = function("eddy_state", None, op, c.c_uint32)
    enqueue = function("eddy_enqueue", None, op, queue_p)
    end = function("eddy_end", None, op, c.c_uint32)
    loop_begin = function("eddy_loop_begin", op, name_p)
    loop_end = function("eddy_loop_end", None, op)
    gc_begin = function("eddy_gc_begin", op, name_p)
    gc_end = function("eddy_gc_end", None, op)
    set_u64 = function("eddy_set_u64", None, op, name_p, c.c_uint64)
    set_i64 = function("eddy_set_i64", None, op, name_p, c.c_int64)
    set_f64 = function("eddy_set_f64", None, op, name_p, c.c_double)
    set_bool = function("eddy_set_bool", None, op, name_p, c.c_uint32)
    set_text = function("eddy_set_text", None, op, name_p, c.c_char_p)
    gauge = function("eddy_gauge", None, name_p, c.c_int64)
    gauge_f64 = function("eddy_gauge_f64", None, name_p, c.c_double)
    count = function("eddy_count", None, name_p, c.c_int64)
    mark = function("eddy_mark", None, name_p)
    record = function("eddy_record", None, name_p, c.c_uint64, c.c_uint64, c.c_uint32)

    assert c.c_int.in_dll(eddy, "eddy_recording").value == 1
    assert start() == 0
    request = name_intern("py.request \\u00e4".encode())
    assert c.addressof(request.contents) == c.addressof(name_intern("py.request \\u00e4".encode()).contents)
    step, done, key, text = (name_intern(n) for n in (b"py.step", b"py.done", b"size", b"tenant"))
    level, sent = metric_intern(b"py.level", b"1"), metric_intern(b"py.sent", b"By")
    pool = queue_intern(b"py.pool", 4)

    parent = begin(request)
    child = begin_child(step, parent)
    state(parent, 5)
    end(child, 0)
    set_u64(parent, key, 2**64 - 1)
    end(parent, 1)
    end(parent, 1)  # the second end is counted, and does nothing else

    job = begin_queued(step, pool)
    state(job, 2)
    enqueue(job, pool)
    state(job, 3)
    set_i64(job, name_intern(b"i64"), -5)
    set_f64(job, name_intern(b"f64"), 0.125)
    set_bool(job, name_intern(b"bool"), 1)
    set_text(job, text, "bl\\u00fce".encode())
    end(job, 3)

    loop = name_intern(b"py.loop")
    for _ in range(3):
        iteration = loop_begin(loop)
        collection = gc_begin(name_intern(b"py.gc.minor"))
        gc_end(collection)
        loop_end(iteration)

    intended = now() - 5_000_000
    end(begin_at(step, intended), 2)
    record(step, intended, 7_000, 0)
    record(step, intended, 2**62, 0)  # refused and counted
    gauge(level, -3)
    gauge_f64(metric_intern(b"py.load", b"1"), 0.75)
    count(sent, 1000)
    count(sent, 24)
    mark(done)
    left_open = begin(request)
    assert left_open != 0

    assert flush(20_000) == 0
    s = Stats(size_bytes=c.sizeof(Stats))
    assert stats(s) == 0
    assert (s.recording, s.connected, s.open, s.stale_ends) == (1, 1, 1, 1), list(s.lost)
    assert s.lost[5] == 1 and s.produced == s.stored + s.pending + sum(s.lost)
    assert stats(Stats(size_bytes=8)) < 0
    assert shutdown(20_000) == 0
    assert begin(request) == 0
    print(bytes(s.session).hex())
    print(" ".join(sorted(called)))
    """
)

OK, ERROR, CANCELLED, TIMEOUT = range(4)


def public_functions():
    header = (programs.SOURCE_DIR / "collector/client/eddy.h").read_text()
    found = set(re.findall(r"EDDY_EXPORTED\((eddy_\w+)\)", header))
    return found | set(re.findall(r"^[\w ]+ \*?(eddy_(?!exported)\w+)\([^;{]*\);", header, re.M))


@pytest.fixture(scope="module", name="recorded")
def record(tmp_path_factory):
    if programs.SANITIZED:
        pytest.skip("a library built with a sanitizer cannot be loaded into an ordinary Python")
    folder = tmp_path_factory.mktemp("python_api")
    script = folder / "script.py"
    script.write_text(SCRIPT)
    library = next(pathlib.Path(programs.BUILD_DIR).rglob("libeddy.so.0"))
    with programs.Collector(folder) as collector:
        done = subprocess.run(
            [sys.executable, str(script), str(library)],
            env=programs.environment(collector.socket),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        collector.stop()
    assert done.returncode == 0, done.stderr
    session, called = done.stdout.splitlines()
    return traces.sessions(collector.output)[bytes.fromhex(session)], set(called.split()), collector.output


def test_every_public_function_was_called(recorded):
    assert recorded[1] == public_functions()


def operations(report, name):
    return next(o for o in report["operations"] if o["name"] == name)


def test_everything_arrives(recorded):
    report, done = programs.report(recorded[2], options=["--attributes"])
    assert done.returncode == 0, done.stderr
    request, step = operations(report, "py.request ä"), operations(report, "py.step")
    assert (request["role"], operations(report, "py.gc.minor")["role"]) == ("ordinary", "collection")
    loop = operations(report, "py.loop")
    assert (loop["role"], loop["count"]) == ("loop_round", 3) and loop["rest_mean_ns"] >= loop["duration"]["mean_ns"] / 2
    assert request["count"] == 1 and request["by_status"]["error"] == 1 and request["unfinished"] == 1
    assert step["count"] == 4
    assert step["by_status"] == {"ok": 2, "error": 0, "cancelled": 1, "timeout": 1}
    assert {q["name"]: q["entries"] for q in report["queues"]} == {"py.pool": 1}
    metrics = {m["name"]: m for m in report["metrics"]}
    assert metrics["py.level"]["values"]["min"] == -3
    assert metrics["py.load"]["values"]["max"] == 0.75
    assert metrics["py.sent"]["total"] == 1024
    assert {m["name"]: m["count"] for m in report["marks"]} == {"py.done": 1}
    attributes = {a["key"]: [v["value"] for v in a["values"]] for a in step["attributes"]}
    assert attributes == {"i64": ["-5"], "f64": ["0.125"], "bool": ["true"], "tenant": ["blüe"]}
    assert [v["value"] for v in request["attributes"][0]["values"]] == [str(2**64 - 1)]
    losses = {loss["cause"]: loss["count"]["operations"] for loss in report["quality"]["losses"]}
    assert losses == {"out_of_range": 1}


def test_loops_and_collections_are_told_from_other_operations(recorded):
    units = {n.text: n.unit for b in recorded[0].batches for n in b.head.name if n.text.startswith("py.") and n.kind == 0}
    assert units == {"py.request ä": "", "py.step": "", "py.loop": "{iteration}", "py.gc.minor": "{collection}"}


def test_the_handle_of_the_parent_is_its_id_in_the_file(recorded):
    columns = [b.operations for b in recorded[0].batches if b.head.operations > 0]
    assert any(c.parent.value.code and c.id.value.code for c in columns)
