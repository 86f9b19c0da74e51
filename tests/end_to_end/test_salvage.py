"""Programs killed with SIGKILL at random points: what they had finished is in their files, once; what they had begun is listed."""

import csv
import io
import json
import os
import random
import signal
import struct
import subprocess
import time

import pytest

import programs
import traces

THREADS = 2
# Every kill is of a program of its own. Those of one round die one after the other, at random times of their lives.
KILLS = 24 if programs.SANITIZED else 120
KILLS_AT_ONCE = 6
LEAST_LIFE_S = 0.05
MOST_LIFE_S = 1.6  # past the first batch, which is made after a second


class Killed:
    """One program, and what it had counted when it died."""

    def __init__(self, collector, folder, number, *, threads=THREADS, pace_ns=20_000, **variables):
        self.threads = threads
        self.counts_path = folder / f"counts.{number}"
        self.process = subprocess.Popen(
            programs.support_program("killed", self.counts_path, threads, pace_ns),
            env=programs.environment(collector.socket, **variables),
        )

    def kill(self):
        self.process.kill()
        self.process.wait()

    def counted(self):
        """Operations begun, operations ended, samples: the calls had returned to the program."""
        lines = self.counts_path.read_bytes()
        return [sum(column) for column in zip(*(struct.unpack_from("<3Q", lines, 64 * i) for i in range(self.threads)))]


@pytest.fixture(name="collector")
def running_collector(tmp_path):
    with programs.Collector(tmp_path) as collector:
        yield collector


def counter(collector, name):
    return collector.stats()["counters"][name]


def wait_counter(collector, name, least):
    programs.wait_for(lambda: counter(collector, name) >= least, what=f"{name} >= {least}")


def is_connected(collector, program):
    return any(c["pid"] == program.process.pid and c["connected"] for c in collector.stats()["clients"])


def dump(form, paths):
    return subprocess.run([programs.ANALYZER, "dump", form, *paths], capture_output=True, check=True, text=True).stdout


def sessions_by_pid(collector):
    found = list(traces.sessions(collector.output, executable="killed").values())
    by_pid = {session.sources[0].pid: session for session in found}
    assert len(by_pid) == len(found)
    return by_pid


def check_killed(collector, program, session):
    """The books of one killed program: nothing that was finished is lost or doubled."""
    begun, ended, samples = program.counted()
    end = session.last_end
    assert end.reason == traces.trace_pb2.End.SALVAGED and end.totals_final
    lost = sum(loss.count.operations for loss in end.totals.lost)
    lost_records = sum(traces.counts(loss.count) for loss in end.totals.lost)
    assert traces.counts(end.totals.produced) == session.rows + lost_records
    # A call that did not return to the program may have done its work: at most one in each thread.
    assert ended <= session.operations + lost <= ended + program.threads
    assert samples <= sum(b.head.samples for b in session.batches) + sum(loss.count.samples for loss in end.totals.lost)
    sequences = [b.id.sequence for b in session.batches]
    assert sequences == sorted(set(sequences)) and session.batches[-1].head.salvaged

    paths = [p for p in traces.trace_files(collector.output) if p.name.startswith(f"killed-{program.process.pid}-")]
    rows = list(csv.DictReader(io.StringIO(dump("--csv", paths))))
    ids = [row["id"] for row in rows if row["id"]]
    assert len(ids) == len(set(ids))
    others = [json.loads(line) for line in dump("--json", paths).splitlines() if '"type":"open"' in line]
    left = [o for o in others if o["as_of_ns"] == max(o["as_of_ns"] for o in others)]
    assert len({o["id"] for o in left}) == len(left)
    assert not {o["id"] for o in left} & set(ids)
    # Begun and not ended, give or take the calls that did not return; a loss was begun too.
    assert begun - ended - program.threads <= len(left) <= begun - ended + 2 * program.threads
    waiting = [o for o in left if o["name"] == "waiting"]
    assert len(waiting) <= program.threads
    if begun - ended >= 2 * program.threads:
        assert waiting
    # The last call on one of them may not have returned.
    assert len([o for o in waiting if o["state"] != "waiting_io"]) <= program.threads
    return lost, waiting


def test_no_finished_operation_is_lost_at_any_of_many_kills(collector, tmp_path):
    rng = random.Random(20261126)
    killed = []
    while len(killed) < KILLS:
        started = [Killed(collector, tmp_path, len(killed) + i) for i in range(KILLS_AT_ONCE)]
        programs.wait_for(lambda s=started: all(is_connected(collector, p) for p in s), what="connected")
        start = time.monotonic()
        for program, life_s in zip(started, sorted(rng.uniform(LEAST_LIFE_S, MOST_LIFE_S) for _ in started)):
            time.sleep(max(0.0, start + life_s - time.monotonic()))
            program.kill()
        killed += started
    wait_counter(collector, "recorders_salvaged", len(killed))
    assert counter(collector, "recorders_refused") == counter(collector, "recorders_given_up") == 0
    collector.stop()
    found = sessions_by_pid(collector)
    checked = [check_killed(collector, program, found[program.process.pid]) for program in killed]
    assert sum(lost for lost, _ in checked) == 0
    assert sum(o["state"] == "waiting_io" for _, waiting in checked for o in waiting) >= len(killed)


def test_at_full_speed_what_rings_could_not_take_is_counted(collector, tmp_path):
    killed = [Killed(collector, tmp_path, i, pace_ns=0, EDDY_RING_KIB=64) for i in range(2)]
    programs.wait_for(lambda: all(is_connected(collector, p) for p in killed), what="connected")
    time.sleep(0.7)
    for program in killed:
        program.kill()
    wait_counter(collector, "recorders_salvaged", len(killed))
    collector.stop()
    for program in killed:
        begun, ended, _ = program.counted()
        session = sessions_by_pid(collector)[program.process.pid]
        totals = session.last_end.totals
        lost = sum(loss.count.operations for loss in totals.lost)
        assert traces.counts(totals.produced) == session.rows + sum(traces.counts(x.count) for x in totals.lost)
        # An operation may be lost when it begins or when it ends: then it counts for the program, but has no record.
        assert ended <= session.operations + lost <= begun + THREADS


def test_a_program_that_lives_is_not_salvaged(collector, tmp_path):
    program = Killed(collector, tmp_path, 0)
    programs.wait_for(lambda: is_connected(collector, program), what="connected")
    # The connection goes, with its collector; the program comes back to the next one with the same session.
    collector.stop()
    assert not program.process.poll()
    collector.start()
    programs.wait_for(lambda: is_connected(collector, program), what="connected again")
    assert counter(collector, "recorders_salvaged") == 0
    time.sleep(0.3)
    program.kill()
    wait_counter(collector, "recorders_salvaged", 1)
    time.sleep(0.3)
    assert counter(collector, "recorders_salvaged") == 1
    assert counter(collector, "recorders_waiting") == 0
    collector.stop()
    check_killed(collector, program, sessions_by_pid(collector)[program.process.pid])


def test_what_is_salvaged_is_read_without_complaint(collector, tmp_path):
    program = Killed(collector, tmp_path, 0)
    programs.wait_for(lambda: is_connected(collector, program), what="connected")
    time.sleep(1.2)
    program.kill()
    wait_counter(collector, "recorders_salvaged", 1)
    collector.stop()
    report, done = programs.report(collector.output)
    assert done.returncode == 0, done.stderr
    assert not any(report["quality"]["unaccounted"].values())
    for path in traces.trace_files(collector.output):
        traces.check_with_stock_tools(path)


def test_a_stopped_program_waits_for_its_death(collector, tmp_path):
    program = Killed(collector, tmp_path, 0)
    programs.wait_for(lambda: is_connected(collector, program), what="connected")
    program.process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)
    assert counter(collector, "recorders_salvaged") == 0
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait()
    wait_counter(collector, "recorders_salvaged", 1)
    collector.stop()
    check_killed(collector, program, sessions_by_pid(collector)[program.process.pid])
