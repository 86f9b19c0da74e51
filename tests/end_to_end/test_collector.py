"""The collector against clients of every kind: what is right lands on disk, what is wrong harms nobody but its sender."""

import errno
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

import programs
import raw_client
import traces
from raw_client import RawClient

SILENT = ("--set", "Machine.Sample=no")


def check_files(collector):
    for path in traces.trace_files(collector.output):
        traces.check_with_stock_tools(path)


@pytest.fixture(name="collector")
def running_collector(tmp_path):
    with programs.Collector(tmp_path, *SILENT) as collector:
        yield collector
    check_files(collector)


@pytest.fixture(name="start")
def starter(tmp_path):
    """start(OPTION...): a collector with these options; all files are checked at the end."""
    started = []

    def start(*options):
        started.append(programs.Collector(tmp_path, *SILENT, *options))
        return started[-1].start()

    yield start
    for collector in started:
        collector.__exit__()
        check_files(collector)


def only_session(collector):
    found = list(traces.sessions(collector.output).values())
    assert len(found) == 1
    return found[0]


def drop_files(collector):
    """Thousands of files, each to be looked at with stock tools, would take minutes."""
    collector.stop()
    for path in traces.trace_files(collector.output):
        path.unlink()


def counter(collector, name):
    return collector.stats()["counters"][name]


def wait_counter(collector, name, least):
    return programs.wait_for(lambda: counter(collector, name) >= least, what=f"{name} >= {least}")


def settings(**values):
    """settings(Rotate_Size="1M") -> --set Rotate.Size=1M"""
    return [word for key, value in values.items() for word in ("--set", f"{key.replace('_', '.')}={value}")]


# ---- What is right ----


def test_a_session_from_greeting_to_goodbye(collector):
    client = RawClient(collector.socket)
    for _ in range(5):
        client.send_frame(10)
    client.wait_durable(5)
    client.send_frame(7)
    client.say_goodbye()
    client.close()
    collector.stop()

    session = only_session(collector)
    source = session.sources[0]
    assert (source.pid, source.uid, source.gid) == (os.getpid(), os.geteuid(), os.getegid())
    assert source.format_version == 1 and source.part == 0 and source.executable == "raw_client"
    assert source.host_name == socket.gethostname()
    assert [b.id.sequence for b in session.batches] == [1, 2, 3, 4, 5, 6, 7]
    end = session.last_end
    assert end.reason == traces.trace_pb2.End.SESSION_ENDED
    assert end.totals_final and end.totals.produced.operations == 57
    assert end.stored.operations == session.rows == 57
    assert end.batches == 7 and end.sequence_gaps == 0 and not end.loss
    (path,) = traces.trace_files(collector.output)
    assert path.name == f"raw_client-{os.getpid()}-{client.session[:4].hex()}-000.trace.zst"
    assert path.stat().st_mode & 0o777 == 0o640


def test_the_welcome_tells_the_limits(collector):
    client = RawClient(collector.socket, greet=False)
    welcome = client.greet()
    assert welcome.max_payload_bytes == raw_client.MAX_PAYLOAD
    assert welcome.max_frame_plain_bytes == 8 << 20
    assert welcome.collector_version.startswith("eddy-collector ")


def test_a_newer_client_is_answered_with_the_version_that_is_spoken(collector):
    client = RawClient(collector.socket, greet=False)
    client.send(raw_client.message(raw_client.HELLO, client.hello(), flags=9, header_size=128))
    kind, header, _ = client.receive()
    assert (kind, header["flags"]) == (raw_client.WELCOME, raw_client.VERSION)
    client.send_frame(3, header_size=80)
    client.wait_written(1)


def test_a_claimed_pid_stands_beside_the_kernels(collector):
    client = RawClient(collector.socket, pid=1)
    client.send_frame()
    client.wait_written(1)
    assert counter(collector, "claimed_pids_wrong") == 1
    collector.stop()
    source = only_session(collector).sources[0]
    assert (source.pid, source.claimed_pid) == (os.getpid(), 1)


def test_names_and_labels_from_outside_stay_what_they_are_and_harm_nothing(collector):
    hostile = "../../etc/passwd\n\x1b[31m\u202e"
    client = RawClient(collector.socket, executable=hostile)
    client.send_frame()
    client.wait_written(1)
    text = subprocess.run(
        [programs.COLLECTOR, "stats", "--socket", collector.socket], capture_output=True, text=True, check=True
    ).stdout
    assert "\x1b" not in text and "\u202e" not in text
    assert collector.stats()["clients"][0]["pid"] == os.getpid()
    collector.stop()
    (path,) = traces.trace_files(collector.output)
    assert path.parent == collector.output
    assert only_session(collector).sources[0].executable == hostile


def test_what_was_sent_twice_is_stored_once_and_acknowledged(collector):
    client = RawClient(collector.socket)
    first, second = client.frame_message(4), client.frame_message(5)
    client.send(first)
    client.wait_written(1)
    client.sequence = 1
    client.reconnect()
    client.send(first + second)
    client.wait_written(2)
    assert counter(collector, "frames_repeated") == 1
    collector.stop()
    session = only_session(collector)
    assert [b.id.sequence for b in session.batches] == [1, 2]
    assert session.rows == 9


def test_batches_that_never_arrive_are_counted(collector):
    client = RawClient(collector.socket, next_sequence=10)
    client.send_frame()
    client.sequence += 3
    client.send_frame()
    client.wait_written(14)
    assert counter(collector, "sequence_gaps") == 3
    client.close()
    collector.stop()
    end = only_session(collector).last_end
    assert end.sequence_gaps == 3
    assert end.reason == traces.trace_pb2.End.CONNECTION_LOST
    assert not end.totals_final


def test_a_session_that_comes_back_goes_on_in_the_next_part(collector):
    client = RawClient(collector.socket)
    client.send_frame()
    client.wait_written(1)
    client.socket.close()
    wait_counter(collector, "parts_closed", 1)
    client.reconnect()
    client.send_frame()
    client.wait_written(2)
    collector.stop()
    session = only_session(collector)
    assert [s.part for s in session.sources] == [0, 1]
    assert [s.id.sequence for s in session.sources] == [0, 1]
    assert session.rows == 2


def test_descriptors_that_come_along_are_counted_and_not_kept(collector):
    def open_files():
        return len(list(pathlib.Path(f"/proc/{collector.process.pid}/fd").iterdir()))

    before = open_files()
    clients = [RawClient(collector.socket, greet=False) for _ in range(3)]
    with open("/dev/null", "rb") as null:
        for client in clients:
            client.greet([null.fileno()] * 3)
    assert counter(collector, "descriptors_received") == 9
    programs.wait_for(lambda: open_files() == before + 3, what="only the connections are left")
    for client in clients:
        client.close()


# ---- What is wrong ----

BAD_MESSAGES = {
    "bad_header": lambda c: c.frame_message(magic=0x12345678),
    "too_large": lambda c: c.frame_message(payload_size=raw_client.MAX_PAYLOAD + 1),
    "unknown_type": lambda c: c.frame_message(kind=99),
    "bad_checksum": lambda c: c.frame_message(checksum=1),
    "unexpected": lambda c: raw_client.message(raw_client.WELCOME, b""),
    "bad_sequence": lambda c: c.frame_message(sequence=0),
    "bad_frame": lambda c: raw_client.message(raw_client.FRAME, b"no frame at all", sequence=c.sequence),
}
BAD_FRAMES = {
    "torn": lambda c: raw_client.zstd_frame(c.batch(9))[:-5],
    "two": lambda c: raw_client.zstd_frame(c.batch(9)) * 2,
    "empty": lambda c: b"",
    "too large when decompressed": lambda c: raw_client.zstd_frame(c.batch(9), content_size=(8 << 20) + 1),
    "with a dictionary": lambda c: raw_client.zstd_frame(c.batch(9), descriptor=0xE5),
    "reserved bit": lambda c: raw_client.zstd_frame(c.batch(9), descriptor=0xEC),
    "no checksum": lambda c: raw_client.zstd_frame(c.batch(9), descriptor=0xE0),
}


def check_that_it_harms_its_sender_only(collector, make, reason):
    neighbour = RawClient(collector.socket)
    neighbour.send_frame(2)
    offender = RawClient(collector.socket)
    offender.send_frame(3)
    offender.wait_written(1)
    offender.send(make(offender))
    assert offender.is_put_out()
    assert collector.stats()["refused"][reason] == 1
    neighbour.send_frame(2)
    neighbour.wait_written(2)
    neighbour.close()
    collector.stop()
    found = traces.sessions(collector.output)
    assert found[neighbour.session].rows == 4
    assert found[offender.session].rows == 3
    assert found[offender.session].last_end.reason == traces.trace_pb2.End.CONNECTION_LOST
    assert f"process {os.getpid()} 'raw_client'" in collector.log_path.read_text()


@pytest.mark.parametrize("reason", BAD_MESSAGES)
def test_a_bad_message_harms_its_sender_only(collector, reason):
    check_that_it_harms_its_sender_only(collector, BAD_MESSAGES[reason], reason)


@pytest.mark.parametrize("kind", BAD_FRAMES)
def test_a_bad_frame_harms_its_sender_only(collector, kind):
    check_that_it_harms_its_sender_only(
        collector,
        lambda c: raw_client.message(raw_client.FRAME, BAD_FRAMES[kind](c), sequence=c.sequence),
        "bad_frame",
    )


BAD_GREETINGS = {
    "unexpected": lambda c: raw_client.message(raw_client.FRAME, b"x", sequence=1),
    "version": lambda c: raw_client.message(raw_client.HELLO, c.hello(), flags=0),
    "bad_hello": lambda c: raw_client.message(raw_client.HELLO, b"\xff" * 40, flags=1),
    "bad_header": lambda c: b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b" " * 64,
}


@pytest.mark.parametrize("reason", BAD_GREETINGS)
def test_a_bad_greeting_is_refused(collector, reason):
    client = RawClient(collector.socket, greet=False)
    client.send(BAD_GREETINGS[reason](client))
    assert client.is_put_out()
    assert collector.stats()["refused"][reason] == 1


@pytest.mark.parametrize("session", [b"", b"short", bytes(16), bytes(17)])
def test_a_session_without_a_proper_id_is_refused(collector, session):
    client = RawClient(collector.socket, greet=False, session=session)
    client.send(raw_client.message(raw_client.HELLO, client.hello(), flags=1))
    assert client.is_put_out()
    assert collector.stats()["refused"]["bad_hello"] == 1


def test_the_session_of_another_process_cannot_be_taken_over(collector):
    client = RawClient(collector.socket)
    client.send_frame(2)
    client.wait_written(1)
    thief = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, raw_client as r\n"
            "c = r.RawClient(sys.argv[1], greet=False, session=bytes.fromhex(sys.argv[2]), next_sequence=2)\n"
            "c.send(r.message(r.HELLO, c.hello(), flags=1))\n"
            "sys.exit(0 if c.is_put_out() else 1)\n",
            str(collector.socket),
            client.session.hex(),
        ],
        check=False,
    )
    assert thief.returncode == 0
    assert collector.stats()["refused"]["foreign_session"] == 1
    client.send_frame(2)
    client.wait_written(2)


def test_silence_is_not_waited_for(start):
    collector = start(*settings(Socket_HelloTimeout="200ms"))
    silent = RawClient(collector.socket, greet=False)
    half = RawClient(collector.socket, greet=False)
    half.send(raw_client.message(raw_client.HELLO, half.hello(), flags=1)[:70])
    served = RawClient(collector.socket)
    assert silent.is_put_out() and half.is_put_out()
    assert collector.stats()["refused"]["hello_timeout"] == 2
    served.send_frame()
    served.wait_written(1)


def test_a_client_that_dies_within_a_message_loses_that_message_only(collector):
    client = RawClient(collector.socket)
    client.send_frame(5)
    client.send(client.frame_message(6)[:-7])
    client.close()
    wait_counter(collector, "parts_closed", 1)
    session = only_session(collector)
    assert session.rows == 5
    assert session.last_end.reason == traces.trace_pb2.End.CONNECTION_LOST
    assert sum(collector.stats()["refused"].values()) == 0


def test_a_message_may_come_byte_by_byte(collector):
    client = RawClient(collector.socket)
    for byte in client.frame_message(5):
        client.send(bytes([byte]))
    client.wait_written(1)


def test_nothing_follows_a_goodbye(collector):
    client = RawClient(collector.socket)
    client.say_goodbye()
    client.send_frame()
    assert client.is_put_out()
    assert collector.stats()["refused"]["unexpected"] == 1


def test_connections_have_a_limit_and_the_administrator_gets_in(start):
    collector = start(*settings(Socket_MaxConnections=3))
    # Whoever runs the tests is the collector's own user, who has 16 more.
    clients = [RawClient(collector.socket) for _ in range(19)]
    assert RawClient(collector.socket, greet=False).is_put_out()
    clients[0].close()
    programs.wait_for(lambda: _is_served(collector), what="a place is free")
    stats = collector.stats()
    assert stats["refused"]["connection_limit"] >= 1
    assert stats["counters"]["connections_limit"] == 3


def _is_served(collector):
    return subprocess.run(
        [programs.COLLECTOR, "stats", "--socket", collector.socket], capture_output=True, check=False
    ).returncode == 0


def test_each_user_has_a_limit(start):
    collector = start(*settings(Socket_MaxConnectionsPerUser=2))
    clients = [RawClient(collector.socket) for _ in range(18)]
    assert RawClient(collector.socket, greet=False).is_put_out()
    clients.pop().close()
    programs.wait_for(lambda: _is_served(collector), what="a place is free")
    assert collector.stats()["refused"]["user_limit"] >= 1


def test_with_few_descriptors_all_who_are_served_are_stored(tmp_path):
    collector = programs.Collector(tmp_path, *SILENT)
    collector.output.mkdir(parents=True)
    with open(collector.log_path, "ab") as log:
        collector.process = subprocess.Popen(
            ["sh", "-c", 'ulimit -n 128; exec "$@"', "sh", programs.COLLECTOR, "run", "--socket", collector.socket,
             "--output", collector.output, *SILENT],
            stdout=log,
            stderr=log,
        )
    programs.wait_for(collector.is_ready, what="ready")
    limit = counter(collector, "connections_limit")
    assert 16 <= limit < 64
    clients = []
    while len(clients) < limit:
        clients.append(RawClient(collector.socket))
    for _ in range(3):
        for client in clients:
            client.send_frame()
    for client in clients:
        client.wait_durable(3)
    assert counter(collector, "write_errors") == counter(collector, "sync_errors") == 0
    collector.stop()
    check_files(collector)
    assert [s.rows for s in traces.sessions(collector.output).values()] == [3] * limit


# ---- Memory ----


def test_memory_that_is_used_up_stops_reading_and_nothing_else(start):
    collector = start(*settings(Output_QueueSize="32M"))
    big = bytes(raw_client.MAX_PAYLOAD)
    holders = [RawClient(collector.socket) for _ in range(3)]
    for holder in holders:
        holder.send(raw_client.message(raw_client.FRAME, big, sequence=1, checksum=0)[: -(1 << 20)])
    waiting = RawClient(collector.socket)
    whole = waiting.frame_message(1, padding=(8 << 20) - 1000)
    waiting.send(whole[:4096])
    wait_counter(collector, "memory_waits", 1)
    # The collector still answers, and greets.
    RawClient(collector.socket).close()
    # Who holds memory and does not go on gives way after some seconds.
    assert all(holder.is_put_out() for holder in holders)
    assert collector.stats()["refused"]["memory"] == 3
    waiting.send(whole[4096:])
    waiting.wait_written(1)
    assert counter(collector, "memory_bytes") == 0


def test_those_who_only_greet_leave_nothing_behind(collector):
    for _ in range(300):
        RawClient(collector.socket).close()
    programs.wait_for(lambda: counter(collector, "sessions") == 0, what="all are forgotten")
    client = RawClient(collector.socket)
    client.send_frame()
    client.wait_written(1)
    client.close()
    wait_counter(collector, "parts_closed", 1)
    assert [c["session"] for c in collector.stats()["clients"]] == [client.session.hex()]


# ---- Life and death ----


def test_sigterm_writes_what_has_arrived(collector):
    clients = [RawClient(collector.socket) for _ in range(8)]
    for client in clients:
        for _ in range(20):
            client.send_frame(10)
    collector.signal(signal.SIGTERM)
    assert collector.process.wait(timeout=30) == 0
    assert not collector.socket.exists()
    found = traces.sessions(collector.output)
    for client in clients:
        client.wait_written(20)
        session = found[client.session]
        assert session.rows == 200
        assert session.last_end.reason == traces.trace_pb2.End.COLLECTOR_STOPPED
        assert not session.last_end.totals_final
    assert not [p for p in traces.trace_files(collector.output) if p.name.endswith(".partial")]


def test_sigint_ends_it_as_well(collector):
    collector.signal(signal.SIGINT)
    assert collector.process.wait(timeout=30) == 0


def test_a_killed_collector_leaves_files_that_the_next_one_closes(start):
    collector = start()
    client = RawClient(collector.socket)
    client.send_frame(3)
    client.wait_durable(1)
    collector.kill()
    assert collector.socket.exists()
    (left,) = traces.trace_files(collector.output)
    assert left.name.endswith(".partial")
    traces.check_with_stock_tools(left)

    again = start()
    wait_counter(again, "parts_adopted", 1)
    client.sequence = 1
    client.written = client.durable = 0
    client.reconnect()
    client.send_frame(3)
    client.send_frame(4)
    client.wait_written(2)
    again.stop()
    names = [p.name for p in traces.trace_files(again.output)]
    assert [n.rsplit("-", 1)[1] for n in names] == ["000.trace.zst", "001.trace.zst"]
    session = only_session(again)
    # The first batch stands in both files: readers count it once.
    assert sorted({b.id.sequence for b in session.batches}) == [1, 2]


def test_a_stopped_collector_does_not_blame_its_clients(start):
    collector = start(*settings(Socket_HelloTimeout="1s"))
    client = RawClient(collector.socket, greet=False)
    collector.signal(signal.SIGSTOP)
    time.sleep(3)
    collector.signal(signal.SIGCONT)
    client.greet()
    client.send_frame()
    client.wait_written(1)


def wait_log(collector, text):
    programs.wait_for(lambda: text in collector.log_path.read_text(), what=f"{text!r} in the log")


def test_sighup_reads_the_configuration_again(tmp_path, start):
    config = tmp_path / "collector.conf"
    config.write_text("[Rotate]\nSize=1G\n[Keep]\nTotalSize=unlimited\n")
    collector = start("--config", config)
    config.write_text("[Rotate]\nSize=64K\n[Keep]\nTotalSize=unlimited\n")
    collector.signal(signal.SIGHUP)
    wait_log(collector, "read again")
    client = RawClient(collector.socket)
    for _ in range(3):
        client.send_frame(1, padding=70_000)
    client.wait_written(3)
    wait_counter(collector, "parts_closed", 3)

    config.write_text("[Rotate]\nSize=1G\nSpeed=fast\n")
    collector.signal(signal.SIGHUP)
    wait_log(collector, f"{config}:3: unknown key 'Speed'")
    client.send_frame(1, padding=70_000)
    client.wait_written(4)
    wait_counter(collector, "parts_closed", 4)

    config.write_text("[Socket]\nPath=/tmp/elsewhere.sock\n[Output]\nPath=/tmp/elsewhere\n")
    collector.signal(signal.SIGHUP)
    programs.wait_for(lambda: collector.log_path.read_text().count("read again") == 2, what="read a second time")
    client.send_frame()
    client.wait_written(5)


def test_a_second_collector_is_refused_and_the_first_goes_on(tmp_path, collector):
    for options in (
        ["--socket", collector.socket, "--output", tmp_path],
        ["--socket", tmp_path / "other.sock", "--output", collector.output],
    ):
        done = refused_start(*options)
        assert "another collector" in done.stderr
    RawClient(collector.socket).close()
    assert not (tmp_path / "other.sock").exists()


def test_a_socket_of_the_service_manager_is_used_and_left(tmp_path):
    path = tmp_path / "activated.sock"
    output = tmp_path / "traces"
    output.mkdir()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen()
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify.sock"))
    notify.settimeout(20)
    # Descriptor 3 is the first one passed; LISTEN_PID must be the collector's own.
    process = subprocess.Popen(
        [
            "bash",
            "-c",
            f'exec 3<&{listening.fileno()} {listening.fileno()}<&-; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"',
            "bash",
            programs.COLLECTOR,
            "run",
            "--output",
            output,
            *SILENT,
        ],
        pass_fds=[listening.fileno()],
        env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify.sock")},
    )
    assert b"READY=1" in notify.recv(4096)
    client = RawClient(path)
    client.send_frame()
    client.wait_written(1)
    process.send_signal(signal.SIGHUP)
    reloading = notify.recv(4096)
    assert b"RELOADING=1" in reloading and b"MONOTONIC_USEC=" in reloading
    assert b"READY=1" in notify.recv(4096)
    process.send_signal(signal.SIGTERM)
    assert b"STOPPING=1" in notify.recv(4096)
    assert process.wait(timeout=30) == 0
    assert path.exists()
    assert len(traces.trace_files(output)) == 1


# ---- Rotation and limits ----


def test_parts_rotate_by_size(start):
    collector = start(*settings(Rotate_Size="256K"))
    client = RawClient(collector.socket)
    for _ in range(10):
        client.send_frame(1, padding=100_000)
    client.wait_written(10)
    collector.stop()
    session = only_session(collector)
    assert [s.part for s in session.sources] == [0, 1, 2, 3]
    assert [e.batches for e in session.ends] == [3, 3, 3, 1]
    assert [e.reason for e in session.ends[:3]] == [traces.trace_pb2.End.ROTATED] * 3
    assert session.rows == 10


def test_parts_rotate_by_what_they_hold_when_decompressed(start):
    collector = start(*settings(Rotate_PlainSize="512K"))
    client = RawClient(collector.socket)
    for _ in range(8):
        client.send_frame(1, padding=100_000)
    client.wait_written(8)
    collector.stop()
    assert len(only_session(collector).ends) > 1


def test_parts_rotate_by_age(start):
    collector = start(*settings(Rotate_Age="1s"))
    client = RawClient(collector.socket)
    client.send_frame()
    wait_counter(collector, "parts_closed", 1)
    client.send_frame()
    client.wait_written(2)
    collector.stop()
    assert [e.batches for e in only_session(collector).ends] == [1, 1]


def test_parts_rotate_on_command(collector):
    client = RawClient(collector.socket)
    client.send_frame()
    client.wait_written(1)
    done = subprocess.run(
        [programs.COLLECTOR, "rotate", "--socket", collector.socket], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    # It ends when the files are whole.
    (path,) = traces.trace_files(collector.output)
    assert path.name.endswith("-000.trace.zst")
    client.send_frame()
    client.wait_written(2)
    collector.stop()
    session = only_session(collector)
    assert session.ends[0].reason == traces.trace_pb2.End.ROTATED
    assert [b.id.sequence for b in session.batches] == [1, 2]


def folder_size(folder):
    return sum(p.stat().st_size for p in traces.trace_files(folder))


def test_the_oldest_parts_give_way_to_the_total_size(start):
    collector = start(*settings(Rotate_Size="256K", Keep_TotalSize="1M"))
    client = RawClient(collector.socket)
    for _ in range(60):
        client.send_frame(1, padding=100_000)
        client.wait_written(client.sequence - 1)
    wait_counter(collector, "parts_deleted", 8)
    programs.wait_for(lambda: folder_size(collector.output) <= 1 << 20, what="the folder is within its limit")
    collector.stop()
    session = only_session(collector)
    assert max(b.id.sequence for b in session.batches) == 60
    assert "data is lost" not in collector.log_path.read_text()


def test_parts_older_than_the_limit_are_deleted(tmp_path, start):
    output = tmp_path / "traces"
    output.mkdir()
    old = output / "old-1-00000000-000.trace.zst"
    foreign = output / "notes.txt"
    for path in (old, foreign):
        path.write_bytes(b"")
        os.utime(path, (1, 1))
    collector = start(*settings(Keep_Age="1d"))
    wait_counter(collector, "parts_deleted", 1)
    assert not old.exists() and foreign.exists()


def test_without_the_free_space_asked_for_data_is_refused_and_counted(tmp_path, start):
    config = tmp_path / "collector.conf"
    config.write_text("[Keep]\nFreeSpace=1000T\n")
    collector = start("--config", config)
    programs.wait_for(lambda: counter(collector, "limit_reached") == 1, what="the limit is noticed")
    client = RawClient(collector.socket)
    client.send_frame(5)
    client.send_frame(6)
    client.wait_written(2)
    stats = collector.stats()
    assert stats["lost"]["disk_limit"]["operations"] == 11
    assert stats["clients"][0]["records_lost"] == 11
    assert not traces.trace_files(collector.output)

    config.write_text("[Keep]\nFreeSpace=0\n")
    collector.signal(signal.SIGHUP)
    programs.wait_for(lambda: counter(collector, "limit_reached") == 0, what="the limit is left")
    client.send_frame(7)
    client.wait_written(3)
    collector.stop()
    end = only_session(collector).last_end
    assert end.stored.operations == 7
    (loss,) = end.loss
    assert loss.cause == traces.trace_pb2.DISK_LIMIT
    assert loss.count.operations == 11


def test_a_goodbye_that_is_refused_still_says_what_there_was(start):
    collector = start(*settings(Keep_FreeSpace="1000T"))
    programs.wait_for(lambda: counter(collector, "limit_reached") == 1, what="the limit is noticed")
    client = RawClient(collector.socket)
    client.send_frame(5)
    client.say_goodbye()
    collector.stop()
    end = only_session(collector).last_end
    assert end.totals_final and end.totals.produced.operations == 5
    assert end.reason == traces.trace_pb2.End.SESSION_ENDED
    assert [loss.count.operations for loss in end.loss] == [5]


@pytest.fixture(name="small_disk")
def mounted_tmpfs(tmp_path):
    folder = tmp_path / "traces"
    folder.mkdir()
    if os.geteuid() == 0:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False, capture_output=True
        )
        if mounted.returncode == 0:
            yield folder
            subprocess.run(["umount", "-l", folder], check=True)
            return
    pytest.skip("needs the right to mount")


def test_a_full_disk_loses_what_does_not_fit_and_says_so(small_disk, start):
    collector = start(*settings(Keep_FreeSpace="0", Keep_TotalSize="unlimited"))
    client = RawClient(collector.socket)
    for _ in range(30):
        client.send_frame(1, padding=100_000)
    client.wait_written(30)
    stats = collector.stats()
    lost = stats["lost"]["write_failed"]["operations"]
    assert 0 < lost < 30
    assert stats["counters"]["records_stored"] + lost == 30
    assert "No space left on device" in collector.log_path.read_text()
    for path in traces.trace_files(small_disk):
        traces.check_with_stock_tools(path)
    collector.stop()
    assert sum(s.rows for s in traces.sessions(small_disk).values()) == 30 - lost


def fill(path):
    """A file of somebody else's that takes all the room there is."""
    with open(path, "wb", buffering=0) as file:
        with pytest.raises(OSError):
            while True:
                file.write(bytes(4096))


def test_losses_of_a_program_that_is_gone_stand_in_a_file_as_soon_as_there_is_room(small_disk, start):
    collector = start(*settings(Keep_FreeSpace="0", Keep_TotalSize="unlimited"))
    fill(small_disk / "filler")
    client = RawClient(collector.socket)
    for _ in range(3):
        client.send_frame(7)
    client.wait_written(3)
    client.close()
    wait_counter(collector, "sessions_untold", 1)
    assert not traces.trace_files(small_disk)
    (small_disk / "filler").unlink()
    programs.wait_for(lambda: counter(collector, "sessions_untold") == 0, what="a file tells")
    collector.stop()
    end = only_session(collector).last_end
    assert end.reason == traces.trace_pb2.End.CONNECTION_LOST
    assert [(loss.cause, loss.count.operations) for loss in end.loss] == [(traces.trace_pb2.WRITE_FAILED, 21)]
    assert end.totals.produced.operations >= 7


def test_losses_that_no_file_can_tell_of_are_told_by_the_log(small_disk, start):
    collector = start(*settings(Keep_FreeSpace="0", Keep_TotalSize="unlimited"))
    fill(small_disk / "filler")
    gone, here = RawClient(collector.socket), RawClient(collector.socket)
    for client in (gone, here):
        client.send_frame(7)
        client.wait_written(1)
    gone.close()
    wait_counter(collector, "sessions_untold", 1)
    collector.stop()
    assert "records of 2 programs were lost, and no trace file could tell of it" in collector.log_path.read_text()


def test_on_a_full_disk_old_parts_make_room(small_disk, start):
    old = small_disk / "old-1-00000000-000.trace.zst"
    old.write_bytes(os.urandom(1 << 20))
    collector = start(*settings(Keep_FreeSpace="0", Keep_TotalSize="unlimited", Keep_Age="unlimited"))
    client = RawClient(collector.socket)
    for _ in range(15):
        client.send_frame(1, padding=100_000)
    client.wait_written(15)
    assert counter(collector, "records_lost") == 0
    assert not old.exists()


def test_a_file_size_limit_is_a_write_error_like_others(tmp_path):
    collector = programs.Collector(tmp_path, *SILENT)
    collector.output.mkdir(parents=True)
    script = 'ulimit -f 600; exec "$@"'  # blocks of 512 or 1024 bytes
    with open(collector.log_path, "ab") as log:
        collector.process = subprocess.Popen(
            ["sh", "-c", script, "sh", programs.COLLECTOR, "run", "--socket", collector.socket, "--output",
             collector.output, *SILENT],
            stdout=log,
            stderr=log,
        )
    programs.wait_for(collector.is_ready, what="ready")
    client = RawClient(collector.socket)
    for _ in range(10):
        client.send_frame(1, padding=100_000)
    client.wait_written(10)
    stats = collector.stats()
    lost = stats["lost"]["write_failed"]["operations"]
    assert 0 < lost < 10
    collector.stop()
    check_files(collector)
    assert sum(s.rows for s in traces.sessions(collector.output).values()) == 10 - lost


def test_a_part_that_somebody_removed_is_followed_by_another(collector):
    client = RawClient(collector.socket)
    client.send_frame()
    client.wait_durable(1)
    (path,) = traces.trace_files(collector.output)
    path.unlink()
    subprocess.run([programs.COLLECTOR, "rotate", "--socket", collector.socket], check=True)
    client.send_frame()
    client.wait_written(2)
    collector.stop()
    assert only_session(collector).rows == 1


# ---- What keeps it from starting ----


def refused_start(*options, **how):
    done = subprocess.run(
        [programs.COLLECTOR, "run", *SILENT, *options], capture_output=True, text=True, timeout=30, check=False, **how
    )
    assert done.returncode == 1
    assert done.stderr.startswith("eddy-collector: ") and done.stderr.count("\n") == 1
    return done


def test_bad_socket_paths(tmp_path):
    output = tmp_path / "traces"
    output.mkdir()
    file = tmp_path / "file"
    file.write_text("mine")
    for path, what in (
        (tmp_path / ("x" * 150), "too long"),
        (file, "is not a socket"),
        (tmp_path, "is not a socket"),
        (tmp_path / "nowhere/eddy.sock", "No such file or directory"),
        (file / "eddy.sock", "Not a directory"),
    ):
        done = refused_start("--socket", path, "--output", output)
        assert what in done.stderr, done.stderr
    assert file.read_text() == "mine"


def test_bad_output_folders(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    for path, what in (
        (tmp_path / "nowhere", "No such file or directory; create it, or choose another with --output"),
        (file, "Not a directory"),
    ):
        done = refused_start("--socket", tmp_path / "eddy.sock", "--output", path)
        assert what in done.stderr and str(path) in done.stderr
        assert not (tmp_path / "eddy.sock").exists()


def test_what_is_not_permitted(tmp_path):
    nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    for folder in [tmp_path, *tmp_path.parents][:3]:
        if nobody:
            folder.chmod(0o755)
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o755)
    locked.chmod(0o555)
    free = tmp_path / "free"
    free.mkdir()
    free.chmod(0o777)
    if nobody and not os.access(programs.COLLECTOR, os.X_OK):
        pytest.skip("others cannot reach the program")
    done = refused_start("--socket", locked / "eddy.sock", "--output", free, **nobody)
    assert "Permission denied" in done.stderr
    done = refused_start("--socket", free / "eddy.sock", "--output", locked, **nobody)
    assert "cannot write to output folder" in done.stderr


BAD_CONFIGS = {
    "[Rotate]\nSize=big\n": ":2: 'Size' must be a size such as",
    "[Rotate]\nSize=1\n": ":2: 'Size' is out of range",
    "[Rotate]\n\n# fine\nColour=red\n": ":4: unknown key 'Colour' in section [Rotate]",
    "[Keep]\nAge=1h\nAge=2h\n": ":3: 'Age' is given twice",
    "[Socket]\nPath=relative\n": ":2: 'Path' must be an absolute path",
    "[Socket]\nMode=0999\n": ":2: 'Mode' must be a file mode",
    "[Machine]\nSample=perhaps\n": ":2: 'Sample' must be yes or no",
    "[Nowhere]\nKey=1\n": ":2: unknown key 'Key' in section [Nowhere]",
    "[Socket\nPath=/tmp/x\n": ":1: ",
    "nonsense\n": ":1: ",
    "[Rotate]\nSize=1G\n[Keep]\nTotalSize=1M\n": "TotalSize in [Keep]",
}


@pytest.mark.parametrize("text", BAD_CONFIGS)
def test_errors_of_a_configuration_have_a_file_and_a_line(tmp_path, text):
    config = tmp_path / "collector.conf"
    config.write_text(text)
    expected = BAD_CONFIGS[text]
    done = refused_start("--config", config, "--socket", tmp_path / "eddy.sock", "--output", tmp_path)
    assert (f"{config}{expected}" if expected.startswith(":") else expected) in done.stderr
    checked = subprocess.run(
        [programs.COLLECTOR, "check-config", config], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 1
    assert checked.stderr == done.stderr


def test_check_config_says_what_is_in_force(tmp_path):
    config = tmp_path / "collector.conf"
    config.write_text("[Rotate]\nSize=64M\n[Socket]\nMode=0666\n")
    done = subprocess.run([programs.COLLECTOR, "check-config", config], capture_output=True, text=True, check=True)
    assert done.stdout == f"{config}: the configuration is right\n"
    shown = subprocess.run(
        [programs.COLLECTOR, "check-config", "--show", config, "--set", "Machine.Period=5s"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert {"Size=64M", "Mode=0666", "Period=5s"} <= set(shown.split("\n"))
    config.write_text(shown)
    again = subprocess.run(
        [programs.COLLECTOR, "check-config", "--show", config], capture_output=True, text=True, check=True
    )
    assert again.stdout == shown
    missing = subprocess.run(
        [programs.COLLECTOR, "check-config", tmp_path / "none"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 1 and "No such file or directory" in missing.stderr


def test_the_example_configuration_is_the_defaults(tmp_path):
    example = programs.SOURCE_DIR / "collector/daemon/systemd/collector.conf"
    uncommented = tmp_path / "collector.conf"
    lines = [line[1:] if line.startswith("#") and line[1:2].isupper() and "=" in line else line
             for line in example.read_text().split("\n")]
    uncommented.write_text("\n".join(line for line in lines if not line.startswith("# ")))
    variables = {k: v for k, v in os.environ.items() if k not in ("EDDY_SOCKET", "XDG_RUNTIME_DIR")}

    def show(file):
        return subprocess.run(
            [programs.COLLECTOR, "check-config", "--show", file],
            capture_output=True, text=True, check=True, env=variables,
        ).stdout

    assert show(uncommented) == show("/dev/null")
    assert show(example) == show("/dev/null")


# ---- Statistics and other requests ----


def test_statistics_prove_that_a_program_is_recorded(collector):
    client = RawClient(collector.socket)
    client.send_frame(12)
    client.wait_durable(1)
    mine = collector.client("raw_client")
    assert mine["pid"] == os.getpid() and mine["uid"] == os.geteuid()
    assert mine["connected"] and not mine["ended"]
    assert mine["session"] == client.session.hex()
    assert (mine["frames"], mine["records_received"], mine["records_stored"], mine["records_lost"]) == (1, 12, 12, 0)
    assert mine["client_says"]["produced"]["operations"] == 12
    assert mine["sequence_durable"] == 1
    text = subprocess.run(
        [programs.COLLECTOR, "stats", "--socket", collector.socket], capture_output=True, text=True, check=True
    ).stdout
    (line,) = [line for line in text.split("\n") if "raw_client" in line]
    assert line.split()[0] == str(os.getpid())
    assert line.split()[-4:] == ["1", "12", "12", "0"]


def test_openmetrics_are_well_formed(collector):
    client = RawClient(collector.socket, executable='a "quoted\\ name')
    client.send_frame(12)
    client.wait_written(1)
    text = subprocess.run(
        [programs.COLLECTOR, "stats", "--openmetrics", "--socket", collector.socket],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lines = text.split("\n")
    assert lines[-2:] == ["# EOF", ""]
    types = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE")}
    for line in lines:
        if line and not line.startswith("#"):
            name, value = line.split("{")[0].split(" ")[0], line.rsplit(" ", 1)[1]
            assert int(value) >= 0
            family = name[: -len("_total")] if name.endswith("_total") else name
            assert types[family] == ("counter" if name.endswith("_total") else "gauge")
    assert 'executable="a \\"quoted\\\\ name"} 12' in text


@pytest.mark.parametrize("name", [b"tab\t and bell\a", b"not UTF-8 \xff", "Spur-Ordner \u00e4".encode()])
def test_statistics_name_any_output_folder(tmp_path, name):
    output = os.fsencode(tmp_path) + b"/" + name
    os.mkdir(output)
    collector = programs.Collector(tmp_path, *SILENT)
    process = subprocess.Popen(
        [programs.COLLECTOR, "run", "--socket", collector.socket, "--output", output, *SILENT], stderr=subprocess.DEVNULL
    )
    programs.wait_for(lambda: _is_served(collector), what="ready")
    shown = json.loads(raw_client.ask(collector.socket, "stats json")[1])["output"]
    text = raw_client.ask(collector.socket, "stats text")[1]
    process.terminate()
    assert process.wait(timeout=30) == 0
    assert shown == output.decode(errors="replace").replace("\ufffd", "?")
    assert all(c.isprintable() for c in text.split("\n")[0])


def test_unknown_requests_are_answered(collector):
    status, text = raw_client.ask(collector.socket, "make coffee")
    assert status != 0 and "unknown request 'make coffee'" in text
    assert raw_client.ask(collector.socket, "stats json")[0] == 0


def test_answers_that_nobody_takes_have_a_limit(collector):
    for _ in range(1000):
        client = RawClient(collector.socket)
        client.send_frame()
        client.wait_written(1)
        client.close()
    askers = [RawClient(collector.socket, greet=False) for _ in range(50)]
    for asker in askers:
        asker.send(raw_client.message(raw_client.CONTROL, b"stats json"))
    # They get it only when they read, and one after the other.
    programs.wait_for(lambda: raw_client.ask(collector.socket, "stats json")[0] == errno.EBUSY, what="it is busy")
    statuses = [asker.receive()[1]["counts"][0] for asker in askers]
    assert 10 <= statuses.count(0) < 50
    assert set(statuses) == {0, errno.EBUSY}
    assert raw_client.ask(collector.socket, "stats json")[0] == 0
    drop_files(collector)


def test_not_more_programs_are_listed_than_an_answer_may_have(collector):
    listed = 4096
    client = RawClient(collector.socket)
    client.send_frame()
    for _ in range(listed + 3):
        client.session, client.sequence = os.urandom(16), 1
        client.reconnect()
        client.send_frame()
    client.wait_written(1)
    stats = collector.stats()
    assert stats["counters"]["sessions"] == listed + 4
    assert (len(stats["clients"]), stats["clients_omitted"]) == (listed, 4)
    assert stats["clients"][0]["session"] == client.session.hex()
    text = raw_client.ask(collector.socket, "stats text")[1]
    assert f"(and {listed - 21} more that are gone: --json lists them)\n(and 4 more, which are not listed)" in text
    drop_files(collector)


def test_only_the_owner_may_rotate(tmp_path, start):
    if os.geteuid() != 0:
        pytest.skip("needs a second user")
    collector = start(*settings(Socket_Mode="0666"))
    for folder in [tmp_path, *tmp_path.parents][:3]:
        folder.chmod(0o755)
    done = subprocess.run(
        [programs.COLLECTOR, "rotate", "--socket", collector.socket],
        capture_output=True, text=True, check=False, user=65534, group=65534, extra_groups=[],
    )
    assert done.returncode == 1
    assert "only root and the user that the collector runs as may rotate" in done.stderr


def test_without_a_collector_the_commands_say_what_to_do(tmp_path):
    for verb in ("stats", "rotate"):
        done = subprocess.run(
            [programs.COLLECTOR, verb, "--socket", tmp_path / "none.sock"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "cannot reach a collector at" in done.stderr and "eddy-collector run" in done.stderr


def test_the_machine_is_a_session_of_its_own(tmp_path):
    with programs.Collector(tmp_path, *settings(Machine_Period="100ms")) as collector:
        time.sleep(0.5)
    check_files(collector)
    session = only_session(collector)
    assert session.sources[0].kind == traces.trace_pb2.Source.MACHINE
    assert session.sources[0].pid == collector.process.pid
    names = {name.text for batch in session.batches for name in batch.head.name}
    assert any(name.startswith("system.cpu") for name in names)
    assert session.last_end.totals_final
    assert session.last_end.totals.produced.samples == session.rows > 0


def _stored_is_received(collector):
    counters = collector.stats()["counters"]
    return 0 < counters["records_received"] == counters["records_stored"] + counters["records_lost"]


def test_the_machine_can_be_left_out_and_taken_in_while_it_runs(tmp_path):
    config = tmp_path / "collector.conf"
    config.write_text("[Machine]\nSample=yes\n")

    def machines():
        """Whether each session of the machine has ended, the youngest first."""
        return [c["ended"] for c in collector.stats()["clients"] if c["kind"] == "machine"]

    with programs.Collector(tmp_path / "sampled", "--config", config) as collector:
        for former in range(3):
            programs.wait_for(lambda: machines() == [False] + [True] * former, what="it is taken in")
            config.write_text("[Machine]\nSample=no\n")
            collector.signal(signal.SIGHUP)
            programs.wait_for(lambda: machines() == [True] * (former + 1), what="it is left out")
            programs.wait_for(lambda: _stored_is_received(collector), what="its records are received and stored")
            config.write_text("[Machine]\nSample=yes\n")
            collector.signal(signal.SIGHUP)
    check_files(collector)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run", "--wings"], ["run", "extra"], ["stats", "extra"],
                                       ["rotate", "--wings"], ["check-config", "a", "b"], ["record"]])
def test_wrong_use_is_told_and_ends_with_two(arguments):
    done = subprocess.run([programs.COLLECTOR, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr and not done.stdout


def test_help_shows_examples_and_exits_with_zero():
    for verb in ([], ["run"], ["record"], ["stats"], ["rotate"], ["check-config"]):
        done = subprocess.run([programs.COLLECTOR, *verb, "--help"], capture_output=True, text=True, check=True)
        assert "usage: eddy-collector" in done.stdout and "\n  eddy-" in done.stdout
    version = subprocess.run([programs.COLLECTOR, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("eddy-collector ")
