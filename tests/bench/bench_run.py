"""Running the programs of the bench: on which processors, with which tracer, and what that cost."""

import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

import programs

CPUS = sorted(os.sched_getaffinity(0))
BENCH = programs.BUILD_DIR / "tests/bench"
SOURCE = pathlib.Path(__file__).parent


# LTTng's count of discarded events is now and then a small negative number.
MOST_PLAUSIBLE = 1 << 60


class NotMeasured(Exception):
    """Why a row has no values."""


def say(text):
    print(f"bench: {text}", flush=True)


def bench_program(name):
    path = BENCH / name
    if not path.exists():
        raise NotMeasured(f"{name} was not built: is its peer installed?")
    return str(path)


def on_cpus(cpus):
    """For preexec_fn: the processors that the program may run on."""
    return lambda: os.sched_setaffinity(0, cpus)


def pin_all(pid, cpus):
    """All threads of a running process."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cpus)


def cpu_ns(pid):
    """CPU time of all threads of a process so far."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += int((task / "schedstat").read_text().split()[0])
    return total


def resident_bytes(pid):
    return int(re.search(r"^VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1]) * 1024


def run_started(command, environment, at_start=lambda: None, before_end=lambda: None):
    """A program that says "ready" and waits for a line. Returns its JSON."""
    process = subprocess.Popen(
        [str(c) for c in command], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        if process.stdout.readline().strip() != "ready":
            raise NotMeasured(f"{command[0]} did not start")
        at_start()
        process.stdin.write("\n")
        process.stdin.flush()
        line = process.stdout.readline()
        before_end()
        if process.wait(timeout=120) != 0 or not line:
            raise NotMeasured(f"{command[0]} failed with {process.returncode}")
        return json.loads(line)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def run_json(command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        message = done.stderr.strip().splitlines()[:1] or [f"status {done.returncode}"]
        raise NotMeasured(f"{pathlib.Path(str(command[0])).name}: {message[0]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_measured(command, cpus, accepted=(0,)):
    """A program to its end. Returns seconds of CPU and of the clock, and the greatest resident size."""
    began = time.monotonic()
    with subprocess.Popen(
        [str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=on_cpus(cpus)
    ) as process:
        message = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        raise NotMeasured(f"{pathlib.Path(command[0]).name} {command[1]}: status {process.returncode}, {message.strip()[:200]}")
    return {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": time.monotonic() - began,
        "peak_bytes": usage.ru_maxrss * 1024,
    }


def forget_pages(folder):
    """Takes the files of a folder out of the page cache."""
    for path in pathlib.Path(folder).iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class MachineTime:
    """CPU seconds of the machine since this was made: all that ran, and what the host took away."""

    def __init__(self):
        self.start = self.read()

    @staticmethod
    def read():
        ticks = [int(n) for n in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        per_second = os.sysconf("SC_CLK_TCK")
        return sum(ticks[:3]) / per_second, ticks[7] / per_second

    def passed(self):
        """(busy, stolen)"""
        return tuple(now - before for now, before in zip(self.read(), self.start))


def own_seconds():
    """CPU seconds of this program and of those it started and saw ending."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def fresh_folder(path):
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


class Eddy:
    """A collector of its own, and the environment of programs that it collects from."""

    name = "eddy"
    program = "bench_calls"

    def __init__(self, folder, *options):
        self.collector = programs.Collector(fresh_folder(folder), *options)
        self.environment = programs.environment(self.collector.socket)

    @property
    def pid(self):
        return self.collector.process.pid

    def __enter__(self):
        try:
            self.collector.start()
        except AssertionError as error:
            raise NotMeasured(f"the collector does not start: {error}") from error
        return self

    def __exit__(self, *exception):
        self.collector.__exit__(*exception)

    def cpu_ns(self):
        return cpu_ns(self.pid)

    @contextlib.contextmanager
    def stopped(self):
        """From the moment that the function returned is called, the collector stands still."""
        try:
            yield lambda: self.collector.signal(signal.SIGSTOP)
        finally:
            self.collector.signal(signal.SIGCONT)

    @contextlib.contextmanager
    def session(self):
        """Nothing has to be done around a measurement."""
        yield lambda: None

    def lost(self, result):
        return result["lost"]


class Lttng:
    """A session daemon of its own, with the defaults of LTTng."""

    name = "lttng"
    program = "bench_lttng"

    def __init__(self, folder):
        self.folder = fresh_folder(folder)
        self.environment = {**os.environ, "LTTNG_HOME": str(self.folder), "LTTNG_UST_REGISTER_TIMEOUT": "-1"}
        self.pid_file = self.folder / "sessiond.pid"
        self.pid = None
        self.serial = 0

    def __enter__(self):
        if shutil.which("lttng-sessiond") is None:
            raise NotMeasured("LTTng is not installed")
        done = subprocess.run(
            ["lttng-sessiond", "--no-kernel", "--daemonize", "--pidfile", str(self.pid_file)],
            env=self.environment, capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            raise NotMeasured(f"lttng-sessiond does not start: {done.stderr.strip()[:200]}")
        self.pid = programs.wait_for(lambda: self.pid_file.exists() and int(self.pid_file.read_text() or 0))
        return self

    def __exit__(self, *exception):
        consumers = self.consumers()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        for pid in [self.pid, *consumers]:
            with contextlib.suppress(AssertionError):
                programs.wait_for(lambda pid=pid: not is_running(pid), what=f"end of {pid}")

    def control(self, *arguments):
        done = subprocess.run(
            ["lttng", "--no-sessiond", *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NotMeasured(f"lttng {arguments[0]}: {done.stderr.strip()[:200]}")
        return done.stdout

    def consumers(self):
        """The processes that empty the buffers; they are children of the session daemon."""
        children = pathlib.Path(f"/proc/{self.pid}/task").glob("*/children")
        return [int(pid) for child in children for pid in child.read_text().split()]

    def cpu_ns(self):
        return sum(cpu_ns(pid) for pid in [self.pid, *self.consumers()])

    @contextlib.contextmanager
    def session(self):
        """A trace for one measurement. The function given returns the events discarded; then the trace is complete."""
        self.serial += 1
        name = f"bench{self.serial}"
        self.trace = self.folder / name
        self.control("create", name, f"--output={self.trace}")
        try:
            self.control("enable-event", "-u", "bench:*", "-s", name)
            self.control("start", name)

            def stop():
                self.control("stop", name)
                counts = [int(n) for n in re.findall(r"Discarded events: (\d+)", self.control("list", name))]
                return sum(n for n in counts if n < MOST_PLAUSIBLE)

            yield stop
        finally:
            self.control("destroy", name)

    def drop_trace(self):
        shutil.rmtree(self.trace, ignore_errors=True)


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
