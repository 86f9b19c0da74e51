"""The quickstart ends with a report worth reading, again and again, from any folder, and leaves nothing running."""

import json
import pathlib
import signal
import subprocess

import pytest

import programs

SCRIPT = programs.SOURCE_DIR / "samples/quickstart.sh"
SCRATCH = "eddy-quickstart."


def command(*options):
    return [str(SCRIPT), "--build-dir", str(programs.BUILD_DIR), *[str(o) for o in options]]


def run(*options, cwd="/"):
    return subprocess.run(command(*options), cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def scratch_folders():
    return {p for p in pathlib.Path("/tmp").iterdir() if p.name.startswith(SCRATCH)}


def processes_in(folder):
    """Processes that have the folder on their command line or in their environment."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text:
            found.append(process.name)
    return found


@pytest.fixture(scope="module", name="first_run")
def run_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quickstart")
    before = scratch_folders()
    done = run("--seconds", 2, "--output", folder / "out", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, before, done, json.loads((folder / "out/report.json").read_text())


def quantile_is_known(operation, p):
    return any(q["p"] == p and q["value_ns"] is not None for q in operation["duration"]["quantiles"])


def test_six_operations_of_three_processes_have_p95_and_p99(first_run):
    report = first_run[3]
    known = [o for o in report["operations"] if quantile_is_known(o, 0.95) and quantile_is_known(o, 0.99)]
    assert len(known) >= 6, [o["name"] for o in known]
    assert len({report["processes"][p["process"]]["executable"] for o in known for p in o["by_process"]}) >= 3


def test_it_names_what_to_look_at_next(first_run):
    folder, _, done, _ = first_run
    for text in ("report.md", "report.json", "verify", "pool.archive", "p95", "p99"):
        assert text in done.stdout
    assert "pool.archive" in (folder / "out/report.md").read_text()


def test_nothing_is_left_running_or_lying_about(first_run):
    folder, before, _, _ = first_run
    assert scratch_folders() <= before
    assert processes_in(folder) == []


def test_a_second_run_replaces_the_files_of_the_first(first_run):
    folder, _, _, _ = first_run
    old = set((folder / "out/traces").iterdir())
    own = folder / "out/notes.txt"
    own.write_text("mine")
    done = run("--seconds", 1, "--output", "out", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert old and not old & set((folder / "out/traces").iterdir())
    assert own.read_text() == "mine"


def test_an_interrupted_run_ends_what_it_started(tmp_path):
    before = scratch_folders()
    with subprocess.Popen(
        command("--seconds", 60, "--output", tmp_path / "out"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as script:
        programs.wait_for((tmp_path / "out/logs/thread_pool.log").exists, what="the samples run")
        script.send_signal(signal.SIGTERM)
        script.communicate(timeout=30)
    assert script.returncode == 143
    assert scratch_folders() <= before
    assert processes_in(tmp_path) == []


def test_wrong_options_are_usage_errors(tmp_path):
    for options in (["--fast"], ["--seconds"], ["--seconds", "0"], ["--seconds", "1.5"], ["--output"]):
        done = subprocess.run([str(SCRIPT), *options], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "usage:" in done.stderr, options
    done = subprocess.run([str(SCRIPT), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.startswith("usage:")


def test_it_says_what_is_missing(tmp_path):
    done = subprocess.run(
        [str(SCRIPT), "--build-dir", str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "is not there: build first" in done.stderr


def test_it_says_that_it_cannot_write():
    done = run("--seconds", 1, "--output", "/proc/nothing")
    assert done.returncode == 1 and "cannot write to '/proc/nothing'" in done.stderr
