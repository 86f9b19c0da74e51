"""Reads trace files with stock tools only (zstd, protoc's Python classes): a second opinion on what our programs write."""

import importlib
import os
import pathlib
import subprocess
import sys
import tempfile

SOURCE_DIR = pathlib.Path(os.environ.get("EDDY_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
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


def check_with_stock_tools(path):
    """zstd -t passes, and protoc prints the file."""
    subprocess.run(["zstd", "-tq", str(path)], check=True)
    plain = subprocess.run(["zstd", "-dcq", str(path)], check=True, stdout=subprocess.PIPE).stdout
    text = subprocess.run(
        ["protoc", f"--proto_path={SOURCE_DIR / 'proto'}", "--decode=eddy.Trace", "trace.proto"],
        input=plain,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert b"source {" in text.stdout
    assert text.stderr == b""


def counts(message):
    """RecordCounts as one number."""
    return message.operations + message.samples + message.marks


class Session:
    """What the files of one session say of it."""

    def __init__(self):
        self.sources = []
        self.batches = []
        self.ends = []

    @property
    def rows(self):
        return sum(b.head.operations + b.head.samples + b.head.marks for b in self.batches)

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
