"""The samples do what they say: with and without a collector, with good and bad input; their records add up."""

import collections
import re
import signal
import socket
import subprocess

import pytest

import programs
import traces

SAMPLES = programs.BUILD_DIR / "samples"
UNTRACED = programs.environment("/nonexistent/eddy.sock", EDDY_DISABLE="1")


def run(name, *arguments, env=UNTRACED, **options):
    return subprocess.run(
        [str(SAMPLES / name), *[str(a) for a in arguments]],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )


class Server:
    """key_value_server on a port it chose itself."""

    def __init__(self, env=UNTRACED):
        self.process = subprocess.Popen(
            [str(SAMPLES / "key_value_server"), "--seconds", "60"], env=env, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline().split()[1])
        self.results = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.results = self.process.communicate(timeout=20)[0]

    def ask(self, data, answer_count):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
            client.sendall(data)
            lines = client.makefile("rb")
            return [lines.readline() for _ in range(answer_count)]


@pytest.mark.parametrize("name", ["key_value_server", "load_generator", "thread_pool"])
def test_help_goes_to_stdout_and_bad_options_are_usage_errors(name):
    done = run(name, "--help")
    assert done.returncode == 0 and done.stdout.startswith(f"usage: {name}") and done.stderr == ""
    for arguments in (["--nonsense"], ["--seconds", "soon"], ["--seconds", "-1"], ["--seconds", "nan"], ["--seconds"]):
        done = run(name, *arguments)
        assert done.returncode == 2 and done.stderr != "" and done.stdout == "", arguments


def test_the_load_generator_names_what_it_lacks():
    assert "--port is missing" in run("load_generator").stderr
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = run("load_generator", "--port", unused.getsockname()[1], "--seconds", 1)
    assert done.returncode == 1 and "Connection refused" in done.stderr


def test_the_thread_pool_names_a_folder_it_cannot_use():
    done = run("thread_pool", "--folder", "/nonexistent")
    assert done.returncode == 1 and "'/nonexistent': No such file" in done.stderr


def test_the_server_answers_every_kind_of_request():
    with Server() as server:
        assert server.ask(b"GET color\nPUT color blue green\nGET color\nSAVE\nCLIENT web\n", 5) == [
            b"MISSING\n", b"OK\n", b"VALUE blue green\n", b"OK\n", b"OK\n",
        ]  # fmt: skip
        first, second, other = server.ask(b"DIGEST color 1\nDIGEST color 1\nDIGEST color 2\n", 3)
        assert re.fullmatch(rb"DIGEST [0-9a-f]{16}\n", first) and first == second != other
    assert server.process.returncode == 0
    assert server.results.splitlines()[-1] == "key_value_server: 8 requests served"


def test_the_server_refuses_nonsense_and_goes_on():
    with Server() as server:
        answers = server.ask(b"\nFLY away\nPUT\nPUT key\nDIGEST key\nDIGEST key 10001\nDIGEST key 0\nGET\n", 8)
        assert all(a.startswith(b"ERROR ") for a in answers[:7]), answers
        assert answers[7] == b"MISSING\n"
        assert server.ask(b"x" * 4096, 1) == [b""], "a line without an end closes the connection"
        assert server.ask(b"PUT key value\n", 1) == [b"OK\n"]


def test_the_server_answers_what_came_before_the_end():
    with Server() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(b"PUT key value\nGET key\nGET unfinished")
            client.shutdown(socket.SHUT_WR)
            assert client.makefile("rb").read() == b"OK\nVALUE value\n"


def test_the_server_serves_others_while_a_client_does_not_read():
    with Server() as server:
        server.ask(b"PUT key " + b"v" * 4000 + b"\n", 1)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as greedy:
            requests = b"GET key\n" * 20000
            greedy.settimeout(0.5)
            with pytest.raises(TimeoutError):
                greedy.sendall(requests * 100)
            assert server.ask(b"GET color\n", 1) == [b"MISSING\n"]


def test_the_thread_pool_leaves_nothing_behind(tmp_path):
    done = run("thread_pool", "--seconds", 1, "--folder", tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"thread_pool: [1-9]\d* jobs, \d+ KiB stored in \d+ KiB; 0 failed\n", done.stdout)
    assert list(tmp_path.iterdir()) == []


def names_of(session):
    """How often each name of each kind occurs in a session."""
    rows = collections.Counter()
    for batch in session.batches:
        for name in batch.head.name:
            rows[traces.trace_pb2.Name.Kind.Name(name.kind), name.text] += name.rows
    return rows


@pytest.fixture(scope="module", name="recorded")
def record_all(tmp_path_factory):
    """One run of all samples under one collector: what each printed, and its session."""
    folder = tmp_path_factory.mktemp("samples")
    printed = {}
    with programs.Collector(folder) as collector:
        env = programs.environment(collector.socket)
        with Server(env) as server:
            printed["load_generator"] = run("load_generator", "--port", server.port, "--seconds", 2, env=env).stdout
        printed["key_value_server"] = server.results
        printed["thread_pool"] = run("thread_pool", "--seconds", 2, env=env).stdout
        printed["hello"] = run("hello", env=env).stdout
    found = {s.sources[0].executable: s for s in traces.sessions(collector.output).values()}
    for path in traces.trace_files(collector.output):
        traces.check_with_stock_tools(path)
    return printed, found


def printed_number(text, before):
    return int(re.search(r"(\d+) " + before, text).group(1))


def test_each_request_is_one_operation_on_both_sides(recorded):
    printed, found = recorded
    served = printed_number(printed["key_value_server"], "requests served")
    answered = printed_number(printed["load_generator"], "requests answered")
    server = names_of(found["key_value_server"])
    client = names_of(found["load_generator"])
    assert served == answered > 1000
    assert sum(n for (kind, name), n in server.items() if kind == "OPERATION" and name.startswith("kv.")) == served
    assert sum(n for (kind, _), n in client.items() if kind == "OPERATION") == answered
    for request in ("get", "put", "digest", "save"):
        assert server["OPERATION", f"kv.{request}"] == client["OPERATION", f"client.{request}"] > 0
    assert server["OPERATION", "journal.sync"] == server["OPERATION", "kv.save"]


def test_states_queues_attributes_metrics_and_marks_are_in_the_traces(recorded):
    _, found = recorded
    server = names_of(found["key_value_server"])
    assert server["QUEUE", "kv.pending"] > 1000
    assert server["ATTRIBUTE", "client.kind"] > 1000
    assert server["GAUGE", "server.connections"] >= 64, "32 opened and closed"
    assert server["COUNTER_DELTA", "server.bytes_sent"] > 0
    assert server["MARK", "server.listening"] == 1
    for name in ("key_value_server", "thread_pool"):
        # Batches with more than rounds of the loop, which say no state.
        batches = [b for b in found[name].batches if any(n.kind == 0 and n.rows > 0 and not n.unit for n in b.head.name)]
        columns = [b.operations for b in batches]
        assert columns and all(c.queued_ns.value.code and c.running_ns.value.code for c in columns)
        assert any(c.waiting_io_ns.value.code for c in columns)
        assert any(c.parent.value.code for c in columns)


def test_each_job_of_the_pool_is_one_operation_with_its_steps(recorded):
    printed, found = recorded
    jobs = printed_number(printed["thread_pool"], "jobs")
    names = names_of(found["thread_pool"])
    for name in ("pool.archive", "pool.submit", "zstd.compress", "zstd.decompress", "file.write", "file.sync", "file.read"):
        assert names["OPERATION", name] == jobs, name
    assert names["QUEUE", "pool.queue"] == jobs
    assert names["GAUGE", "pool.workers.busy"] == 2 * jobs


def test_hello_records_its_sorts(recorded):
    assert names_of(recorded[1]["hello"])["OPERATION", "hello.sort"] == 2000


@pytest.mark.parametrize("name", ["hello", "thread_pool", "key_value_server", "load_generator"])
def test_nothing_is_lost(recorded, name):
    session = recorded[1][name]
    end = session.last_end
    assert end.totals_final
    assert traces.counts(end.totals.produced) == session.rows
    assert not end.totals.lost and not end.loss
