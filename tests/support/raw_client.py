"""A client of the collector made by hand: says what it is told to say, right or wrong."""

import array
import ctypes
import os
import socket
import struct
import time

import traces

_xxhash = ctypes.CDLL("libxxhash.so.0")
_xxhash.XXH64.restype = ctypes.c_uint64
_xxhash.XXH64.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]

MAGIC = 0x59444445
VERSION = 1
HELLO, WELCOME, FRAME, ACK, GOODBYE, CONTROL, REPLY = range(1, 8)
HEADER = struct.Struct("<IHHIIQIIIIQQ")  # all but the checksum
HEADER_BYTES = 64
MAX_PAYLOAD = (8 << 20) + (64 << 10)
RAW_BLOCK_MAX = 128 << 10


def xxh64(data):
    return _xxhash.XXH64(data, len(data), 0)


def message(
    kind,
    payload=b"",
    *,
    flags=0,
    sequence=0,
    counts=(0, 0, 0),
    first_ns=0,
    last_ns=0,
    magic=MAGIC,
    payload_size=None,
    checksum=None,
    header_size=HEADER_BYTES,
):
    """Header and payload; what is given explicitly may be a lie."""
    size = len(payload) if payload_size is None else payload_size
    head = HEADER.pack(magic, kind, header_size, size, flags, sequence, *counts, 0, first_ns, last_ns)
    right = xxh64(head + payload)
    return head + struct.pack("<Q", right if checksum is None else checksum) + bytes(header_size - HEADER_BYTES) + payload


def zstd_frame(plain, *, content_size=None, descriptor=0xE4):
    """One frame of raw blocks, with content size and checksum, as writers of Eddy make it (but for the compression)."""
    blocks = [plain[i : i + RAW_BLOCK_MAX] for i in range(0, len(plain), RAW_BLOCK_MAX)]
    size = len(plain) if content_size is None else content_size
    parts = [b"\x28\xb5\x2f\xfd", bytes([descriptor]), struct.pack("<Q", size)]
    for i, block in enumerate(blocks):
        is_last = i == len(blocks) - 1
        parts += [struct.pack("<I", (len(block) << 3) | is_last)[:3], block]
    return b"".join(parts) + struct.pack("<I", xxh64(plain) & 0xFFFFFFFF)


class RawClient:
    """A session on one connection (or, after reconnect(), several)."""

    def __init__(self, path, *, greet=True, next_sequence=1, session=None, **claims):
        self.path = str(path)
        self.session = os.urandom(16) if session is None else session
        self.sequence = next_sequence
        self.start_ns = time.monotonic_ns()
        self.produced = 0
        self.claims = claims
        self.received = b""
        self.written = 0
        self.durable = 0
        self.socket = self.connect()
        if greet:
            self.greet()

    def connect(self):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(20)
        connection.connect(self.path)
        return connection

    def reconnect(self):
        self.socket.close()
        self.received = b""
        self.socket = self.connect()
        return self.greet()

    def close(self):
        self.socket.close()

    def hello(self, **claims):
        hello = traces.trace_pb2.Hello(
            session=self.session,
            pid=os.getpid(),
            executable="raw_client",
            session_start_monotonic_ns=self.start_ns,
            next_sequence=self.sequence,
            client_version="raw",
        )
        for key, value in {**self.claims, **claims}.items():
            setattr(hello, key, value)
        return hello.SerializeToString()

    def greet(self, descriptors=()):
        greeting = message(HELLO, self.hello(), flags=VERSION)
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        sent = self.socket.sendmsg([greeting], control)
        self.socket.sendall(greeting[sent:])
        kind, header, payload = self.receive()
        assert kind == WELCOME
        assert header["flags"] == VERSION
        welcome = traces.trace_pb2.Welcome()
        welcome.ParseFromString(payload)
        return welcome

    def batch(self, operations=1, *, padding=0):
        """A packet whose operations all begin and end together; padding makes it larger."""
        now_ns = time.monotonic_ns()
        batch = traces.trace_pb2.Batch()
        batch.id.session = self.session
        batch.id.sequence = self.sequence
        self.produced += operations
        if operations:
            batch.head.min_begin_ns = now_ns
            batch.head.min_end_ns = batch.head.max_end_ns = now_ns + 1
            batch.head.operations = operations
            batch.head.name.add(text="raw.operation", unit="ns", rows=operations)
            batch.thread.add(tid=os.getpid(), name="raw", serial=1)
            batch.operations.begin_gap_ns.code = bytes(operations)
            batch.operations.duration_ns.code = b"\1" * operations
            batch.operations.name = bytes(operations)
        batch.head.clock.monotonic_ns = now_ns
        batch.head.clock.realtime_ns = time.time_ns()
        batch.head.totals.produced.operations = self.produced
        batch.head.totals.batched.operations = self.produced
        # Readers skip fields that they do not know.
        packet = traces.trace_pb2.Trace(packet=[traces.trace_pb2.Packet(batch=batch)]).SerializeToString()
        return packet if padding == 0 else self._padded(batch, padding)

    @staticmethod
    def _padded(batch, padding):
        unknown = b"\xa2\x06" + _varint(padding) + os.urandom(padding)  # field 100
        body = batch.SerializeToString() + unknown
        inner = b"\x12" + _varint(len(body)) + body
        return b"\x0a" + _varint(len(inner)) + inner

    def frame_message(self, operations=1, *, padding=0, kind=FRAME, **lies):
        payload = zstd_frame(self.batch(operations, padding=padding))
        made = message(kind, payload, **{"sequence": self.sequence, "counts": (operations, 0, 0), **lies})
        self.sequence += 1
        return made

    def send(self, data):
        self.socket.sendall(data)

    def send_frame(self, operations=1, **options):
        self.send(self.frame_message(operations, **options))
        return self.sequence - 1

    def say_goodbye(self):
        self.send_frame(0, kind=GOODBYE)
        self.wait_written(self.sequence - 1)

    def receive(self):
        """Type, header, payload of the next message; ConnectionError if there is none."""
        while True:
            if len(self.received) >= HEADER_BYTES:
                fields = HEADER.unpack(self.received[: HEADER.size])
                end = fields[2] + fields[3]
                if len(self.received) >= end:
                    payload, rest = self.received[fields[2] : end], self.received[end:]
                    assert fields[0] == MAGIC
                    (checksum,) = struct.unpack("<Q", self.received[HEADER.size : HEADER_BYTES])
                    assert checksum == xxh64(self.received[: HEADER.size] + payload)
                    self.received = rest
                    header = {"flags": fields[4], "sequence": fields[5], "counts": fields[6:9], "first_ns": fields[10]}
                    return fields[1], header, payload
            data = self.socket.recv(1 << 16)
            if not data:
                raise ConnectionError("closed")
            self.received += data

    def _take_ack(self):
        kind, header, _ = self.receive()
        assert kind == ACK
        assert header["sequence"] >= self.written and header["first_ns"] >= self.durable
        assert header["first_ns"] <= header["sequence"]
        self.written, self.durable = header["sequence"], header["first_ns"]

    def wait_written(self, sequence):
        while self.written < sequence:
            self._take_ack()

    def wait_durable(self, sequence):
        while self.durable < sequence:
            self._take_ack()

    def is_put_out(self):
        """Whether the collector closes the connection; waits for it."""
        try:
            while True:
                self.receive()
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def _varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def ask(path, request):
    """One control request. Returns status and text."""
    client = RawClient(path, greet=False)
    client.send(message(CONTROL, request.encode()))
    kind, header, payload = client.receive()
    assert kind == REPLY
    client.close()
    return header["counts"][0], payload.decode()
