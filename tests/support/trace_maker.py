"""Writes trace files from Python, with stock tools only (protoc's classes, the zstd program): for tests of readers."""

import pathlib
import subprocess

from traces import trace_pb2

KINDS = trace_pb2.Name.Kind


def fill_numbers(column, values):
    """Exponent-mantissa form, as proto/README.md describes it."""
    code, bits, used = bytearray(), 0, 0
    for value in values:
        low = max(0, value.bit_length() - 3)
        code.append((low << 2) + (value >> low))
        bits |= (value & (1 << low) - 1) << used
        used += low
    column.code = bytes(code)
    column.bits = bits.to_bytes((used + 7) // 8, "little")


def gaps(values, base):
    """Differences to the value before."""
    return [now - before for before, now in zip([base, *values], values)]


def row_gaps(rows):
    """Rows skipped before each."""
    return [now - before - 1 for before, now in zip([-1, *rows], rows)]


def zigzag(value):
    return (value << 1) ^ (value >> 63)


def packed(values, width):
    bits = 0
    for i, value in enumerate(values):
        bits |= value << i * width
    return bits.to_bytes((width * len(values) + 7) // 8, "little")


def frame(packet):
    """One zstd frame that holds a packet."""
    trace = trace_pb2.Trace()
    trace.packet.append(packet)
    plain = trace.SerializeToString()
    done = subprocess.run(
        ["zstd", "-c", "-q", "-1", "--check", f"--stream-size={len(plain)}"], input=plain, capture_output=True, check=True
    )
    return done.stdout


class Batch:
    """A batch in the making. Names and threads get their numbers when they are first used."""

    def __init__(self, session, sequence, clock_ns=0, offset_ns=0):
        self.session, self.sequence = session, sequence
        self.clock_ns, self.offset_ns = clock_ns, offset_ns
        self.names, self.threads = {}, {}
        self.operations, self.samples, self.marks, self.opened, self.losses = [], [], [], [], []
        self.long_runs = []
        self.as_of_ns = 0
        self.totals = trace_pb2.Totals()

    def name(self, text, kind, unit="", capacity=0, is_real=False):
        key = (text, kind, unit)
        if key not in self.names:
            self.names[key] = (len(self.names), capacity, is_real)
        return self.names[key][0]

    def thread(self, tid, text=""):
        return self.threads.setdefault((tid, text), len(self.threads))

    def operation(self, name, begin, duration, status=0, thread=(1, ""), **details):
        """details: end_thread, id, parent, states {field: ns}, queue (name, capacity, depth, ns), attributes [(key, type, value)]"""
        self.operations.append((begin, duration, name, status, thread, details))

    def sample(self, name, time, value, kind="GAUGE", unit="", thread=None):
        self.samples.append((time, name, value, kind, unit, thread))

    def mark(self, name, time):
        self.marks.append((time, name))

    def open(self, name, begin, id, state=0):
        self.opened.append((begin, name, id, state))

    def long_run(self, name, begin, length, id, thread=(1, "")):
        self.long_runs.append((begin, length, name, thread, id))

    def loss(self, cause, operations, first, last, queue=""):
        self.losses.append((cause, operations, first, last, queue))

    # --- to a packet ---

    def fill_operations(self, batch):
        rows = sorted(self.operations, key=lambda row: row[0])
        columns = batch.operations
        fill_numbers(columns.begin_gap_ns, gaps([row[0] for row in rows], batch.head.min_begin_ns))
        fill_numbers(columns.duration_ns, [row[1] for row in rows])
        name_ids = [self.name(row[2], KINDS.OPERATION) for row in rows]
        begin = [self.thread(*row[4]) for row in rows]
        end = [self.thread(*row[5].get("end_thread", row[4])) for row in rows]
        if any(row[3] for row in rows):
            columns.status = bytes(row[3] for row in rows)
        self.fill_states(columns, rows)
        self.fill_ids(columns, rows)
        self.fill_queue(columns.queue, rows)
        self.fill_attributes(columns.attribute, rows)
        return name_ids, begin, end

    @staticmethod
    def fill_states(columns, rows):
        for state in ("other", "queued", "running", "waiting_io", "waiting_lock", "waiting_child"):
            found = [(i, row[5]["states"][state]) for i, row in enumerate(rows) if state in row[5].get("states", {})]
            if found:
                column = getattr(columns, state + "_ns")
                fill_numbers(column.row_gap, row_gaps([i for i, _ in found]))
                fill_numbers(column.value, [value for _, value in found])

    @staticmethod
    def fill_ids(columns, rows):
        for field in ("id", "parent"):
            found = [(i, row[5][field]) for i, row in enumerate(rows) if field in row[5]]
            if found:
                column = getattr(columns, field)
                fill_numbers(column.row_gap, row_gaps([i for i, _ in found]))
                fill_numbers(column.value, [zigzag(gap) for gap in gaps([value for _, value in found], 0)])

    def fill_queue(self, columns, rows):
        found = [(i, *row[5]["queue"]) for i, row in enumerate(rows) if "queue" in row[5]]
        if found:
            fill_numbers(columns.row_gap, row_gaps([row[0] for row in found]))
            columns.queue = bytes(self.name(row[1], KINDS.QUEUE, capacity=row[2]) for row in found)
            fill_numbers(columns.depth, [row[3] for row in found])
            fill_numbers(columns.residence_ns, [row[4] for row in found])

    def fill_attributes(self, columns, rows):
        found = [(i, *entry) for i, row in enumerate(rows) for entry in row[5].get("attributes", [])]
        if found:
            types = trace_pb2.AttributeColumns.Type
            fill_numbers(columns.row_gap, gaps([row[0] for row in found], 0))
            columns.key = bytes(self.name(row[1], KINDS.ATTRIBUTE) for row in found)
            columns.type = bytes(types.Value(row[2]) for row in found)
            texts = list(dict.fromkeys(row[3] for row in found if row[2].startswith("TEXT")))
            columns.text.extend(texts)
            fill_numbers(columns.value, [texts.index(row[3]) if row[2].startswith("TEXT") else row[3] for row in found])

    def fill_samples(self, batch):
        rows = sorted(self.samples, key=lambda row: row[0])
        columns = batch.samples
        fill_numbers(columns.time_gap_ns, gaps([row[0] for row in rows], batch.head.min_begin_ns))
        metrics = [self.name(row[1], KINDS.Value(row[3]), row[4]) for row in rows]
        if any(row[5] for row in rows):
            fill_numbers(columns.thread, [0 if row[5] is None else self.thread(*row[5]) + 1 for row in rows])
        fill_numbers(columns.integer, [zigzag(row[2]) for row in rows])
        return metrics

    def fill_open(self, batch):
        rows = sorted(self.opened)
        columns = batch.open
        columns.base_ns = rows[0][0]
        columns.as_of_ns = self.as_of_ns
        fill_numbers(columns.begin_gap_ns, gaps([row[0] for row in rows], rows[0][0]))
        columns.state = bytes(row[3] for row in rows)
        fill_numbers(columns.id, [zigzag(gap) for gap in gaps([row[2] for row in rows], 0)])
        return [self.name(row[1], KINDS.OPERATION) for row in rows]

    def fill_long_runs(self, batch):
        rows = sorted(self.long_runs)
        columns = batch.long_runs
        columns.base_ns = rows[0][0]
        fill_numbers(columns.begin_gap_ns, gaps([row[0] for row in rows], rows[0][0]))
        fill_numbers(columns.length_ns, [row[1] for row in rows])
        fill_numbers(columns.id, [zigzag(gap) for gap in gaps([row[4] for row in rows], 0)])
        return [self.name(row[2], KINDS.OPERATION) for row in rows], [self.thread(*row[3]) for row in rows]

    def fill_head(self, batch):
        head = batch.head
        begins = [row[0] for row in self.operations + self.samples + self.marks]
        ends = [row[0] + row[1] for row in self.operations] + [row[0] for row in self.samples + self.marks]
        if begins:
            head.min_begin_ns, head.min_end_ns, head.max_end_ns = min(begins), min(ends), max(ends)
        head.operations, head.samples = len(self.operations), len(self.samples)
        head.marks, head.open_operations = len(self.marks), len(self.opened)
        head.long_runs = len(self.long_runs)
        if self.clock_ns:
            head.clock.monotonic_ns = head.clock.boottime_ns = self.clock_ns
            head.clock.realtime_ns = self.clock_ns + self.offset_ns
        head.totals.CopyFrom(self.totals)

    def packet(self):
        packet = trace_pb2.Packet()
        batch = packet.batch
        batch.id.session, batch.id.sequence = self.session, self.sequence
        self.fill_head(batch)
        name_ids, begin, end = self.fill_operations(batch) if self.operations else ([], [], [])
        metrics = self.fill_samples(batch) if self.samples else []
        marks = sorted(self.marks)
        mark_names = [self.name(name, KINDS.MARK) for _, name in marks]
        if marks:
            if not self.threads:
                self.thread(1)
            fill_numbers(batch.marks.time_gap_ns, gaps([time for time, _ in marks], batch.head.min_begin_ns))
        open_names = self.fill_open(batch) if self.opened else []
        run_names, run_threads = self.fill_long_runs(batch) if self.long_runs else ([], [])
        width = max(0, len(self.threads) - 1).bit_length()
        if name_ids:
            batch.operations.name = self.indexes(name_ids)
            if any(begin):
                batch.operations.begin_thread = packed(begin, width)
            if begin != end:
                batch.operations.end_thread = packed(end, width)
        if metrics:
            batch.samples.metric = self.indexes(metrics)
        if marks:
            batch.marks.name = self.indexes(mark_names)
        if open_names:
            batch.open.name = self.indexes(open_names)
        if run_names:
            batch.long_runs.name = self.indexes(run_names)
            if any(run_threads):
                batch.long_runs.thread = packed(run_threads, width)
        self.fill_lists(batch, [*name_ids, *metrics, *mark_names])
        return packet

    def indexes(self, ids):
        wide = len(self.names) > 255
        return b"".join(i.to_bytes(2 if wide else 1, "little") for i in ids)

    def fill_lists(self, batch, used):
        rows = {}
        for i in [*used, *batch.operations.queue.queue, *batch.operations.attribute.key]:
            rows[i] = rows.get(i, 0) + 1
        for (text, kind, unit), (i, capacity, _) in self.names.items():
            batch.head.name.add(text=text, kind=kind, unit=unit, rows=rows.get(i, 0), queue_capacity=capacity)
        for serial, (tid, text) in enumerate(self.threads):
            batch.thread.add(tid=tid, name=text, serial=serial + 1)
        for cause, operations, first, last, queue in self.losses:
            loss = batch.loss.add(cause=cause, first_monotonic_ns=first, last_monotonic_ns=last, queue=queue)
            loss.count.operations = operations


def source(session, executable="made", part=0, sequence=0, version=1, boot="", pid=7):
    packet = trace_pb2.Packet()
    packet.source.id.session, packet.source.id.sequence = session, sequence
    packet.source.format_version, packet.source.part = version, part
    packet.source.pid, packet.source.executable, packet.source.boot_id = pid, executable, boot
    return packet


def end(session, sequence, totals=None, final=False, losses=()):
    packet = trace_pb2.Packet()
    packet.end.id.session, packet.end.id.sequence = session, sequence
    packet.end.totals_final = final
    if totals is not None:
        packet.end.totals.CopyFrom(totals)
    for cause, operations, first, last in losses:
        loss = packet.end.loss.add(cause=cause, first_monotonic_ns=first, last_monotonic_ns=last)
        loss.count.operations = operations
    return packet


def write(path, packets):
    """Writes a trace file. Returns its path."""
    path = pathlib.Path(path)
    path.write_bytes(b"".join(frame(p.packet() if isinstance(p, Batch) else p) for p in packets))
    return path
