"""Reads trace files with stock tools only (zstd, protoc's Python classes): a second opinion on what our programs write."""

import importlib
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

SOURCE_DIR = pathlib.Path(os.environ.get("EDDY_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))

# Cuts of one file that are tried: fewer where the file is large.
MAX_CUTS = 50
MIN_CUTS = 3
MAX_CUT_BYTES = 256 << 20

_modules = tempfile.TemporaryDirectory(prefix="eddy-proto-")


def _trace_module():
    subprocess.run(
        ["protoc", f"--proto_path={SOURCE_DIR / 'proto'}", f"--python_out={_modules.name}", "trace.proto"],
        check=True,
    )
    sys.path.insert(0, _modules.name)
    return importlib.import_module("trace_pb2")


trace_pb2 = _trace_module()


def read_trace(path):
    """The whole file as one Trace message."""
    plain = subprocess.run(["zstd", "-dcq", "--memory=64MB", str(path)], check=True, stdout=subprocess.PIPE).stdout
    trace = trace_pb2.Trace()
    trace.ParseFromString(plain)
    return trace


def trace_files(folder):
    """All parts in a folder, closed or not."""
    return sorted(p for p in pathlib.Path(folder).rglob("*") if ".trace.zst" in p.name)


def _decode_with_protoc(path):
    """zstd -dc FILE | protoc --decode: must succeed without a word on stderr, and begin with the Source."""
    with subprocess.Popen(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE) as zstd, subprocess.Popen(
        ["protoc", f"--proto_path={SOURCE_DIR / 'proto'}", "--decode=eddy.Trace", "trace.proto"],
        stdin=zstd.stdout,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as protoc:
        zstd.stdout.close()
        begin = protoc.stdout.read(1 << 16)
        while protoc.stdout.read(1 << 20):  # large; only that it is there matters
            pass
    assert zstd.returncode == 0 and protoc.returncode == 0, (path, begin[:200])
    assert begin.startswith(b"packet {\n  source {"), (path, begin[:200])


def frame_borders(content):
    """Offsets behind each frame of a file, as RFC 8878 says where they are."""
    borders = []
    at = 0
    while at < len(content):
        magic, descriptor = struct.unpack_from("<IB", content, at)
        if magic & 0xFFFFFFF0 == 0x184D2A50:
            at += 8 + struct.unpack_from("<I", content, at + 4)[0]
        else:
            assert magic == 0xFD2FB528, f"no frame at {at}"
            single_segment = descriptor >> 5 & 1
            at += 5 + (1 - single_segment) + (0, 1, 2, 4)[descriptor & 3]
            at += (single_segment, 2, 4, 8)[descriptor >> 6]
            is_last = False
            while not is_last:
                fields = int.from_bytes(content[at : at + 3], "little")
                is_last = fields & 1
                at += 3 + (1 if fields >> 1 & 3 == 1 else fields >> 3)
            at += 4 * (descriptor >> 2 & 1)
        borders.append(at)
    assert not borders or borders[-1] == len(content), "the last frame ends with the file"
    return borders


def _sample(items, count):
    """At most count of the items, the first and the last among them."""
    if len(items) <= count:
        return items
    return [items[i * (len(items) - 1) // (count - 1)] for i in range(count)]


def _check_cuts(content, plain):
    """What is left of a file that is cut behind any frame is a valid file: checksums, and whole packets."""
    count = max(MIN_CUTS, min(MAX_CUTS, MAX_CUT_BYTES // (len(plain) + 1)))
    for border in _sample(frame_borders(content)[:-1], count):
        cut = subprocess.run(["zstd", "-dcq"], input=content[:border], check=True, stdout=subprocess.PIPE).stdout
        assert plain.startswith(cut), border
        trace_pb2.Trace.FromString(cut)


def check_with_stock_tools(path):
    """
    What every trace file must be, closed or not: zstd -t passes, protoc prints it, and it is valid when it is cut at any
    border of frames (at a sample of them, if there are many).
    """
    subprocess.run(["zstd", "-tq", str(path)], check=True)
    _decode_with_protoc(path)
    plain = subprocess.run(["zstd", "-dcq", str(path)], check=True, stdout=subprocess.PIPE).stdout
    _check_cuts(pathlib.Path(path).read_bytes(), plain)


def counts(message):
    """RecordCounts as one number."""
    return message.operations + message.samples + message.marks + message.long_runs


class Session:
    """What the files of one session say of it."""

    def __init__(self):
        self.sources = []
        self.batches = []
        self.ends = []

    @property
    def rows(self):
        return sum(counts(b.head) for b in self.batches)

    @property
    def operations(self):
        return sum(b.head.operations for b in self.batches)

    @property
    def last_end(self):
        return max(self.ends, key=lambda end: end.id.sequence)


def sessions(folder, executable=None):
    """All sessions of a folder by their id, or those of one executable."""
    found = {}
    for path in trace_files(folder):
        for packet in read_trace(path).packet:
            body = getattr(packet, packet.WhichOneof("body"))
            session = found.setdefault(body.id.session, Session())
            {"source": session.sources, "batch": session.batches, "end": session.ends}[
                packet.WhichOneof("body")
            ].append(body)
    if executable is None:
        return found
    return {i: s for i, s in found.items() if any(source.executable == executable for source in s.sources)}
