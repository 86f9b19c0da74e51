"""Programs that do what few do: being recorded must not change how they end, with a collector and without."""

import os
import shutil
import signal
import subprocess

import pytest

import programs

SOME_GROUP = 65534
ENDS = {
    "return": 0,
    "quick_exit": 0,
    "_exit": 0,
    "pthread_exit": 0,
    "abort": -signal.SIGABRT,
    "SIGTERM": -signal.SIGTERM,
}
FORBIDDEN = [
    "memfd_create",
    "ftruncate",
    "fcntl",
    "socket",
    "connect",
    "getrusage",
    "tgkill",
    "openat",
    "getrandom",
    "madvise",
    "prctl",
    "sched_getaffinity",
    "close_range",
]
MODES = [
    ("forks", 60),
    ("vfork",),
    ("closed",),
    ("closes", "own_file"),
    *[("descriptors", n) for n in (3, 4, 5, 8, 64)],
    *[("without", name) for name in FORBIDDEN],
    *[("exit", how) for how in ENDS],
]


@pytest.fixture(scope="module", name="collector")
def run_collector(tmp_path_factory):
    with programs.Collector(tmp_path_factory.mktemp("odd")) as collector:
        yield collector


def run(socket, folder, mode):
    return subprocess.run(
        programs.support_program("odd_process", *mode),
        env=programs.environment(socket),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=100,
        check=False,
    )


def check(done, mode):
    wanted = ENDS[mode[1]] if mode[0] == "exit" else 0
    assert (done.returncode, done.stdout, done.stderr) == (wanted, b"", b"")


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(str(word) for word in mode))
def test_without_a_collector(mode, tmp_path):
    check(run(tmp_path / "nobody.sock", tmp_path, mode), mode)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: "-".join(str(word) for word in mode))
def test_with_a_collector(collector, mode, tmp_path):
    check(run(collector.socket, tmp_path, mode), mode)
    assert collector.is_ready()


def test_a_daemon_is_a_session_of_its_own(tmp_path):
    with programs.Collector(tmp_path / "collector") as collector:
        marker = tmp_path / "done"
        check(run(collector.socket, tmp_path, ("daemon", marker)), ("daemon",))
        programs.wait_for(lambda: marker.exists() and marker.read_text() == "done", what="the daemon is done")
        programs.wait_for(lambda: any(c["ended"] for c in collector.stats()["clients"]), what="the daemon's goodbye")
        collector.stop()
    found, done = programs.report(collector.output)
    assert done.returncode in (0, 3)  # the parent left without a word: its file may be cut off
    counts = {operation["name"]: operation["count"] for operation in found["operations"]}
    assert counts["odd.step"] in (20, 30)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make programs of other groups")
def test_set_group_id_programs_are_not_recorded(tmp_path):
    if os.statvfs(tmp_path).f_flag & os.ST_NOSUID:
        pytest.skip("no such programs here")
    program = shutil.copy(programs.support_program("odd_process")[0], tmp_path)
    environment = programs.environment(tmp_path / "x")
    assert subprocess.check_output([program, "secure"], env=environment) == b"recording\n"
    os.chown(program, -1, SOME_GROUP)
    os.chmod(program, 0o2755)
    assert subprocess.check_output([program, "secure"], env=environment) == b"not recording\n"
