"""A traced program does what it would do untraced, whatever becomes of the collector."""

import json
import signal
import subprocess
import time

import pytest

import programs
import traces

THREADS = 2
OPERATIONS = 50_000
PACE_NS = 100_000  # five seconds


def start(socket, operations=OPERATIONS, pace_ns=PACE_NS, **variables):
    return subprocess.Popen(
        programs.support_program("accounting", THREADS, operations, pace_ns, 1),
        env=programs.environment(socket, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process):
    """What the program printed; it must have ended well and said nothing else."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0
    assert err == b""
    return json.loads(out)


def own_work(printed):
    """What the program computes itself, with or without us."""
    return {key: printed[key] for key in ("begun", "ended", "instants", "checksum")}


@pytest.fixture(scope="module", name="untraced")
def run_untraced():
    return own_work(finish(start("/nowhere", pace_ns=0, EDDY_DISABLE=1)))


def test_without_a_collector(untraced, tmp_path):
    printed = finish(start(tmp_path / "nobody.sock", pace_ns=0))
    assert own_work(printed) == untraced
    assert printed["connected"] == 0 and printed["stored"] == 0


@pytest.mark.parametrize("path", ["/dev/null", "/proc/self/mem/x", "x" * 200, "/"])
def test_with_a_socket_that_cannot_be_one(untraced, path):
    assert own_work(finish(start(path, pace_ns=0))) == untraced


def test_while_the_collector_is_stopped_for_ten_seconds(untraced, tmp_path):
    with programs.Collector(tmp_path) as collector:
        process = start(collector.socket)
        programs.wait_for(lambda: collector.client("accounting"), what="the client is known")
        began = time.monotonic()
        collector.signal(signal.SIGSTOP)
        time.sleep(10 - (time.monotonic() - began))
        # The program's own five seconds are over; it waits only because it asked to, in eddy_shutdown().
        collector.signal(signal.SIGCONT)
        printed = finish(process)
        collector.stop()
    assert own_work(printed) == untraced
    assert printed["produced"] == printed["stored"] + printed["lost"]


def test_a_stopped_collector_does_not_keep_a_program_from_ending(tmp_path):
    with programs.Collector(tmp_path) as collector:
        sleeper = subprocess.Popen(
            programs.support_program("short_life"), env=programs.environment(collector.socket), stdin=subprocess.PIPE
        )
        programs.wait_for(lambda: collector.stored("short_life") > 0, what="its record is stored")
        time.sleep(0.5)
        collector.signal(signal.SIGSTOP)
        sleeper.communicate(b"\n", timeout=20)
        assert sleeper.returncode == 0
        collector.signal(signal.SIGCONT)


def test_a_killed_and_restarted_collector_gets_the_client_back(untraced, tmp_path):
    collector = programs.Collector(tmp_path)
    with collector:
        # Little memory, so that what is produced meanwhile does not fit: the gap.
        process = start(collector.socket, operations=48 * OPERATIONS, pace_ns=5_000, EDDY_MEMORY_MIB=8, EDDY_SLOTS=1024)
        programs.wait_for(lambda: list(collector.output.glob("accounting-*")), what="a first batch is written")
        collector.kill()
        time.sleep(5)
        restarted = time.monotonic()
        collector.start()
        programs.wait_for(lambda: collector.client("accounting"), timeout_s=30, what="the client is back")
        back_after_s = time.monotonic() - restarted
        printed = finish(process)
        collector.stop()
    # Attempts are at most five seconds apart. What a busy machine adds is no promise of ours, but this much should do.
    assert back_after_s < 30, back_after_s
    print(f"back after {back_after_s:.2f} s")
    assert printed["begun"] == printed["ended"] > 0
    assert printed["produced"] == printed["stored"] + printed["lost"]
    assert printed["lost"] > 0

    report, done = programs.report(collector.output)
    assert done.returncode == 0, done.stderr
    losses = {loss["cause"]: loss for loss in report["quality"]["losses"]}
    gap = losses["outbox_full"]
    assert gap["first"] is not None and gap["first"] < gap["last"]
    # Rings this small may also fill up where other programs want the CPUs.
    assert sum(sum(loss["count"].values()) for loss in report["quality"]["losses"]) == printed["lost"]
    mine = next(p for p in report["processes"] if p["executable"] == "accounting")
    assert sum(mine["stored"].values()) == printed["stored"]
    assert sum(1 for i in report["inputs"] if i["file"].startswith("accounting-")) >= 2


def test_children_are_sessions_of_their_own(tmp_path):
    with programs.Collector(tmp_path) as collector:
        subprocess.run(
            programs.support_program("short_life", "fork"), env=programs.environment(collector.socket), check=True
        )
        collector.stop()
    found = traces.sessions(collector.output, executable="short_life")
    assert len({s.sources[0].pid for s in found.values()}) == 2
    assert sorted(s.operations for s in found.values()) == [10, 20]


def test_a_process_whose_main_thread_left_ends_with_its_last_thread(tmp_path):
    done = subprocess.run(
        programs.support_program("short_life", "leave"),
        env=programs.environment(tmp_path / "nobody.sock"),
        timeout=30,
        check=False,
    )
    assert done.returncode == 0


def test_exec_leaves_no_descriptors_behind(tmp_path):
    with programs.Collector(tmp_path) as collector:
        done = subprocess.run(
            programs.support_program("short_life", "exec"),
            env=programs.environment(collector.socket),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    left = [line for line in done.stdout.splitlines() if "memfd:eddy" in line or "socket:" in line]
    assert left == [], done.stdout

