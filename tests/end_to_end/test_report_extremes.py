"""`report` on well-formed files whose numbers make no sense: every value that the format can hold, anywhere."""

import random
import subprocess

import pytest

from programs import ANALYZER
from test_report_outputs import check
from trace_maker import Batch, end, source, write

EXTREMES = [0, 1, 5, 10**9, 2**31, 2**32 - 1, 2**40, 2**61, 2**62 - 1, 2**63 - 1, 2**63, 2**64 - 1]
STATES = ["other", "queued", "running", "waiting_io", "waiting_lock", "waiting_child"]


class Chance(random.Random):
    def number(self, most=2**64 - 1):
        value = self.choice(EXTREMES) if self.random() < 0.5 else self.getrandbits(self.choice([4, 20, 40, 62, 64]))
        return min(value, most)

    def signed(self):
        value = self.number()
        return value - 2**64 if value >= 2**63 else value


def add_operation(chance, batch):
    duration = chance.number(2**62 - 1)
    details = {}
    if chance.random() < 0.3:
        details["states"] = {chance.choice(STATES): chance.number(2**62 - 1)}
    if chance.random() < 0.3:
        details["queue"] = (chance.choice(["q", "(other)"]), chance.number(), chance.number(), chance.number(2**62 - 1))
    if chance.random() < 0.3:
        details["attributes"] = [(chance.choice("kl"), chance.choice(["U64", "BOOL"]), chance.randrange(2))]
    if chance.random() < 0.2:
        details["end_thread"] = (chance.randrange(3), "e")
    batch.operation(
        chance.choice(["a", "b", "(other)", "x" * 255]),
        chance.number(2**64 - 1 - duration),
        duration,
        status=chance.randrange(4),
        thread=(chance.randrange(3), chance.choice(["", "t"])),
        **details,
    )


def make_batch(chance, session):
    sequence = chance.number() if chance.random() < 0.3 else chance.randrange(5)
    batch = Batch(session, sequence, clock_ns=chance.number(2**63))
    for _ in range(chance.randrange(60)):
        add_operation(chance, batch)
    for _ in range(chance.randrange(60)):
        name = chance.choice(["m", "(other)", "process.cpu.user_time"])
        kind, unit = chance.choice(["GAUGE", "COUNTER_TOTAL", "COUNTER_DELTA"]), chance.choice(["", "ns", "{x}"])
        batch.sample(name, chance.number(), chance.signed(), kind, unit, chance.choice([None, (2, "w")]))
    for _ in range(chance.randrange(4)):
        batch.mark("k", chance.number())
        batch.open("o", chance.number(), id=chance.randrange(2**62), state=chance.randrange(6))
        batch.loss(chance.randrange(21), chance.number(), chance.number(), chance.number(), chance.choice(["", "q"]))
    batch.as_of_ns = chance.number()
    for field in ("operations", "samples", "marks"):
        setattr(batch.totals.produced, field, chance.number())
    batch.totals.lost.add(cause=chance.randrange(8)).count.operations = chance.number()
    batch.totals.client_cpu_ns = chance.number()
    packet = batch.packet()
    for field in ("realtime_ns", "boottime_ns", "bracket_ns"):
        setattr(packet.batch.head.clock, field, chance.number())
    return packet


def make_file(chance, path):
    session = bytes([chance.randrange(2)] * 16)
    first = source(session, boot=chance.choice(["", "b"]), part=chance.randrange(2), sequence=chance.number())
    first.source.kind = chance.randrange(3)
    for field in ("monotonic_ns", "realtime_ns", "boottime_ns", "bracket_ns"):
        setattr(first.source.clock, field, chance.number())
    losses = [(chance.randrange(21), chance.number(), chance.number(), chance.number())]
    last = end(session, chance.number(), final=chance.random() < 0.5, losses=losses)
    return write(path, [first, *(make_batch(chance, session) for _ in range(chance.randrange(5))), last])


@pytest.mark.parametrize("seed", range(12))
def test_every_value_has_a_place(seed, tmp_path):
    chance = Chance(seed)
    files = [make_file(chance, tmp_path / f"f{i}.trace.zst") for i in range(chance.choice([1, 2, 3]))]
    outputs = set()
    for jobs in ("1", "3"):
        command = [str(ANALYZER), "report", "--quiet", "--attributes", "--jobs", jobs, "--json", "-", *map(str, files)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        outputs.add(done.stdout)
    assert len(outputs) == 1
    found = check(outputs.pop())
    assert sum(o["count"] for o in found["operations"]) == found["quality"]["stored"]["operations"]
    for form in ([], ["--markdown", "-"]):
        done = subprocess.run([str(ANALYZER), "report", *form, *map(str, files)], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
