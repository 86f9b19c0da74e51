"""eddy-collector record: the shortest way from a program to its traces, and no trace of itself but these."""

import json
import os
import pty
import re
import signal
import subprocess
import tempfile
import time

import pytest

import programs
import traces

OPERATIONS = 2_000


def record(output, *command, options=(), **how):
    return subprocess.run(
        [programs.COLLECTOR, "record", "-o", output, *options, "--", *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **how,
    )


@pytest.fixture(autouse=True)
def nothing_is_left_behind(monkeypatch):
    """Each test has a folder for temporary files of its own: others record beside it. Its name is short, for sockets."""
    with tempfile.TemporaryDirectory(prefix="eddy-test.", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield
        assert os.listdir(folder) == []


def accounting(threads=2, operations=OPERATIONS, *more):
    return programs.support_program("accounting", threads, operations, *more)


def test_a_program_is_recorded_to_the_last_record(tmp_path):
    output = tmp_path / "deep/down/traces"
    done = record(output, *accounting())
    assert done.returncode == 0
    printed = json.loads(done.stdout)
    (session,) = traces.sessions(output, executable="accounting").values()
    assert session.operations == 2 * OPERATIONS
    assert session.rows == printed["stored"] == printed["produced"]
    assert session.last_end.reason == traces.trace_pb2.End.SESSION_ENDED
    assert session.last_end.totals_final
    for path in traces.trace_files(output):
        traces.check_with_stock_tools(path)
        assert not path.name.endswith(".partial")


def test_it_ends_with_the_files_and_what_to_type_next(tmp_path):
    done = record(tmp_path / "my traces", *accounting())
    lines = done.stderr.strip().split("\n")
    assert lines[-1] == f"next: eddy-analyzer report '{tmp_path}/my traces'"
    for path in traces.trace_files(tmp_path):
        assert any(path.name in line for line in lines)
    (mine,) = [line for line in lines if "accounting-" in line]
    assert int(re.search(r"(\d+) records", mine)[1]) == json.loads(done.stdout)["stored"]
    shell = subprocess.run(["sh", "-c", lines[-1].replace("next: eddy-analyzer report", "ls -d")], check=False)
    assert shell.returncode == 0


def test_the_machine_is_recorded_as_well(tmp_path):
    record(tmp_path / "with", *accounting())
    record(tmp_path / "without", *accounting(), options=["--set", "Machine.Sample=no"])
    kinds = {
        folder: {s.sources[0].kind for s in traces.sessions(tmp_path / folder).values()} for folder in ("with", "without")
    }
    source = traces.trace_pb2.Source
    assert kinds == {"with": {source.PROCESS, source.MACHINE}, "without": {source.PROCESS}}


@pytest.mark.parametrize(
    "script, status", [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
)
def test_the_status_is_the_programs(tmp_path, script, status):
    done = record(tmp_path, "sh", "-c", script)
    assert done.returncode == status
    assert "'sh' recorded nothing" in done.stderr


def test_what_cannot_be_run_has_the_status_of_a_shell(tmp_path):
    text = tmp_path / "text"
    text.write_text("not a program")
    missing = record(tmp_path / "a", "no-such-program")
    assert missing.returncode == 127
    assert "cannot run 'no-such-program': No such file or directory" in missing.stderr
    assert record(tmp_path / "b", text).returncode == 126
    assert not traces.trace_files(tmp_path)


def test_a_bad_output_folder_is_told_before_the_program_runs(tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    done = record(file, "touch", tmp_path / "ran")
    assert done.returncode == 1
    assert "Not a directory" in done.stderr or "File exists" in done.stderr
    assert not (tmp_path / "ran").exists()


def test_input_output_arguments_and_environment_pass_through(tmp_path):
    done = record(
        tmp_path,
        "sh",
        "-c",
        'cat; echo "$1 $MINE"; echo error >&2; ls /proc/self/fd | wc -l; kill -s PIPE $$',
        "sh",
        "--help",
        input="from stdin\n",
        env={**os.environ, "MINE": "of the caller"},
    )
    lines = done.stdout.split("\n")
    assert lines[:2] == ["from stdin", "--help of the caller"]
    assert int(lines[2]) == 4  # three, and the listing itself
    assert "error\n" in done.stderr
    # Signals that the recorder ignores are not ignored by the program.
    assert done.returncode == 128 + signal.SIGPIPE


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGXFSZ])
def test_signals_that_the_caller_ignores_stay_ignored(tmp_path, number):
    done = record(
        tmp_path,
        "sh",
        "-c",
        f"kill -s {number.name[3:]} $$; echo alive",
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
        restore_signals=False,
    )
    assert done.stdout == "alive\n"
    assert done.returncode == 0


def test_several_processes_and_their_children_are_recorded(tmp_path):
    program = " ".join(accounting())
    done = record(tmp_path / "traces", "sh", "-c", f"{program} & {program} & wait; {program}")
    assert done.returncode == 0
    found = traces.sessions(tmp_path / "traces", executable="accounting")
    assert [s.operations for s in found.values()] == [2 * OPERATIONS] * 3


def test_what_outlives_the_program_may_send_its_last_records(tmp_path):
    program = " ".join(accounting(1, 1000, 1_000_000))  # one second
    done = record(tmp_path / "traces", "sh", "-c", f"{program} >/dev/null 2>&1 & sleep 0.5")
    assert done.returncode == 0
    (session,) = traces.sessions(tmp_path / "traces", executable="accounting").values()
    assert session.operations == 1000


def test_it_does_not_wait_for_ever_for_what_outlives_the_program(tmp_path):
    program = " ".join(accounting(1, 10_000_000, 1_000_000))
    done = record(tmp_path / "traces", "sh", "-c", f"{program} >/dev/null 2>&1 & echo $!; sleep 0.5")
    os.kill(int(done.stdout), signal.SIGKILL)
    (session,) = traces.sessions(tmp_path / "traces", executable="accounting").values()
    assert session.last_end.reason == traces.trace_pb2.End.COLLECTOR_STOPPED
    assert 0 < session.operations


def test_a_killed_program_leaves_what_it_had_recorded(tmp_path):
    program = " ".join(accounting(1, 10_000_000, 10_000))
    done = record(tmp_path / "traces", "sh", "-c", f"{program} & sleep 1; kill -KILL $!; wait $!")
    assert done.returncode == 137
    (session,) = traces.sessions(tmp_path / "traces", executable="accounting").values()
    assert session.last_end.reason == traces.trace_pb2.End.SALVAGED
    assert session.last_end.totals_final
    assert session.operations > 0


def start_script(output, script, **how):
    return subprocess.Popen(
        [programs.COLLECTOR, "record", "-o", output, "--", "sh", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )


def test_signals_are_handed_on(tmp_path):
    script = "trap 'echo hangup' HUP; trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    process = start_script(tmp_path, script)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGHUP)
    assert process.stdout.readline() == "hangup\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "term\n"
    assert process.wait(timeout=30) == 5
    process.communicate()


def test_an_interrupt_from_the_terminal_reaches_the_program_once(tmp_path):
    """Control-C: the kernel signals both; the recorder goes on until the program has ended in its own way."""
    script = "trap 'echo interrupted' INT; echo ready; sleep 1; sleep 0.5; exit 3"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(programs.COLLECTOR, ["eddy-collector", "record", "-o", str(tmp_path / "t"), "--", "sh", "-c", script])
    seen = b""
    interrupted = False
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
        if b"ready" in seen and not interrupted:
            interrupted = True
            time.sleep(0.1)
            os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 3
    assert seen.count(b"interrupted") == 1
    assert b"written to" in seen


def test_two_recordings_share_a_folder(tmp_path):
    commands = [
        subprocess.Popen(
            [programs.COLLECTOR, "record", "-o", tmp_path / "traces", "--", *accounting(1, 5000, 50_000)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    assert [c.wait(timeout=60) for c in commands] == [0, 0]
    found = traces.sessions(tmp_path / "traces", executable="accounting")
    assert [s.operations for s in found.values()] == [5000, 5000]


def test_a_long_tmpdir_is_got_round(tmp_path):
    long = tmp_path / ("x" * 120)
    long.mkdir()
    done = record(tmp_path / "traces", *accounting(), env={**os.environ, "TMPDIR": str(long)})
    assert done.returncode == 0
    assert traces.sessions(tmp_path / "traces", executable="accounting")
    assert not list(long.iterdir())


def test_old_traces_in_the_folder_are_left_alone(tmp_path):
    old = tmp_path / "old-1-00000000-000.trace.zst"
    old.write_bytes(bytes(1000))
    os.utime(old, (1, 1))
    record(tmp_path, *accounting())
    assert old.stat().st_size == 1000


def test_the_analyzer_finds_the_files_whole(tmp_path):
    record(tmp_path / "traces", *accounting())
    done = subprocess.run([programs.ANALYZER, "verify", tmp_path / "traces"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
