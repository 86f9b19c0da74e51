"""The programs under test as a user runs them: a collector that is ready, a traced program, an analyzer."""

import json
import os
import pathlib
import signal
import subprocess
import time

from budgets import check_budgets

BUILD_DIR = pathlib.Path(os.environ["EDDY_BUILD_DIR"])
SOURCE_DIR = pathlib.Path(os.environ["EDDY_SOURCE_DIR"])
COLLECTOR = BUILD_DIR / "collector/daemon/eddy-collector"
ANALYZER = BUILD_DIR / "analyzer/eddy-analyzer"
SUPPORT = BUILD_DIR / "tests"
SANITIZED = bool(os.environ.get("EDDY_SANITIZE"))


def wait_for(condition, timeout_s=20.0, what="condition"):
    """Polls until condition() is true. Returns what it returned."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {timeout_s} s")


class Collector:
    """A daemon on a socket and a folder of its own."""

    def __init__(self, folder, *options):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.socket = folder / "eddy.sock"
        self.output = folder / "traces"
        self.log_path = folder / "collector.log"
        self.options = [str(o) for o in options]
        self.process = None

    def start(self):
        self.output.mkdir(exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(COLLECTOR), "run", "--socket", str(self.socket), "--output", str(self.output), *self.options],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        wait_for(self.is_ready, what=f"collector ready ({self.log_path})")
        return self

    def is_ready(self):
        assert self.process.poll() is None, self.log_path.read_text()
        return subprocess.run(
            [str(COLLECTOR), "stats", "--socket", str(self.socket), "--json"], capture_output=True, check=False
        ).returncode == 0

    def stats(self):
        return json.loads(
            subprocess.run(
                [str(COLLECTOR), "stats", "--socket", str(self.socket), "--json"], capture_output=True, check=True
            ).stdout
        )

    def client(self, executable):
        """What the daemon says of a connected client; None if there is none."""
        return next((c for c in self.stats()["clients"] if c["executable"] == executable), None)

    def stored(self, executable):
        """How many operations of a connected client are in its file."""
        client = self.client(executable)
        return client["stored"]["operations"] if client else 0

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(timeout=30) == 0, self.log_path.read_text()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            finally:
                if self.process.poll() is None:
                    self.kill()


def environment(socket, **more):
    """The environment of a traced program."""
    return {**os.environ, "EDDY_SOCKET": str(socket), **{k: str(v) for k, v in more.items()}}


def support_program(name, *arguments):
    return [str(SUPPORT / name), *[str(a) for a in arguments]]


def report(*paths, options=()):
    """The JSON report of some trace files, and the exit status."""
    done = subprocess.run(
        [str(ANALYZER), "report", "--quiet", "--json", "-", *options, *[str(p) for p in paths]],
        capture_output=True,
        check=False,
    )
    found = json.loads(done.stdout) if done.stdout.strip().startswith(b"{") else None
    if found is not None:
        check_budgets(found)
    return found, done
