"""What systemd finds after `cmake --install`: units that it accepts, a user, folders, and a configuration that says what is."""

import configparser
import json
import os
import re
import shutil
import subprocess

import pytest

import programs


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)


def install(prefix, **variables):
    done = run("cmake", "--install", programs.BUILD_DIR, "--prefix", prefix, env={**os.environ, **variables})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", name="root")
def staged(tmp_path_factory):
    """As a package is made: everything below DESTDIR, for a prefix of /usr."""
    folder = tmp_path_factory.mktemp("root")
    install("/usr", DESTDIR=str(folder))
    return folder


def unit(path):
    """A unit as {section: {key: [values]}}: keys may stand there more than once."""
    sections, section = {}, None
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            section.setdefault(key, []).append(value)
    return sections


def test_everything_lands_below_the_prefix(root):
    installed = {str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir()}
    for name in [
        "usr/bin/eddy-collector",
        "usr/lib/systemd/system/eddy-collector.service",
        "usr/lib/systemd/system/eddy-collector.socket",
        "usr/lib/sysusers.d/eddy.conf",
        "usr/lib/tmpfiles.d/eddy.conf",
        "usr/share/doc/eddy/collector.conf",
        "usr/share/man/man1/eddy-collector.1",
        "usr/share/man/man5/eddy-collector.conf.5",
    ]:
        assert name in installed
    assert all(name.startswith("usr/") for name in installed)


def test_the_service_starts_the_installed_program(root):
    service = unit(root / "usr/lib/systemd/system/eddy-collector.service")["Service"]
    assert service["ExecStart"] == ["/usr/bin/eddy-collector run"]
    assert service["Type"] == ["notify"]
    assert service["User"] == ["eddy"]
    assert service["StateDirectory"] == ["eddy"]


def test_socket_and_service_agree_with_the_program(root):
    socket = unit(root / "usr/lib/systemd/system/eddy-collector.socket")["Socket"]
    assert socket["SocketGroup"] == ["eddy"]
    assert socket["SocketMode"] == ["0660"]
    shown = show_config([], root / "usr/bin/eddy-collector")
    assert socket["ListenStream"] == [shown["Socket"]["Path"]]
    assert shown["Output"]["Path"] == "/var/lib/eddy"


def test_systemd_accepts_the_units(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    install(tmp_path)
    units = tmp_path / "lib/systemd/system"
    done = run(
        "systemd-analyze", "verify", "--man=no", units / "eddy-collector.service", units / "eddy-collector.socket"
    )
    complaints = [line for line in done.stderr.splitlines() if "eddy" in line]
    assert not complaints
    assert done.returncode == 0, done.stderr


def test_systemd_makes_the_user_and_the_folders(tmp_path):
    if shutil.which("systemd-sysusers") is None or shutil.which("systemd-tmpfiles") is None:
        pytest.skip("systemd-sysusers or systemd-tmpfiles is not installed")
    if os.geteuid() != 0:
        pytest.skip("only root gives folders away")
    install("/usr", DESTDIR=str(tmp_path))
    (tmp_path / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={tmp_path}", tmp_path / "usr/lib/sysusers.d/eddy.conf")
    assert done.returncode == 0, done.stderr
    passwd = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert passwd["eddy"][3] == groups["eddy"][2]
    assert passwd["eddy"][6].endswith("nologin")
    done = run("systemd-tmpfiles", f"--root={tmp_path}", "--create", tmp_path / "usr/lib/tmpfiles.d/eddy.conf")
    assert done.returncode == 0, done.stderr
    state = (tmp_path / "var/lib/eddy").stat()
    assert (state.st_uid, state.st_gid) == (int(passwd["eddy"][2]), int(groups["eddy"][2]))
    assert state.st_mode & 0o777 == 0o750
    assert (tmp_path / "run/eddy").stat().st_mode & 0o777 == 0o755


def test_a_socket_that_systemd_made_is_served(tmp_path):
    """As eddy-collector.socket does: the collector starts when somebody connects, and leaves the socket file alone."""
    if shutil.which("systemd-socket-activate") is None:
        pytest.skip("systemd-socket-activate is not installed")
    socket = tmp_path / "activated.sock"
    (tmp_path / "traces").mkdir()
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(
            ["systemd-socket-activate", "-l", socket, programs.COLLECTOR, "run", "--output", tmp_path / "traces"],
            stdout=log,
            stderr=log,
        )
    try:
        ask = [programs.COLLECTOR, "stats", "--json", "--socket", socket]
        answer = programs.wait_for(
            lambda: (done := run(*ask)).returncode == 0 and done, what=f"an answer ({tmp_path / 'log'})"
        )
        assert json.loads(answer.stdout)["pid"] == process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert process.returncode == 0, (tmp_path / "log").read_text()
    assert socket.exists()
    assert "the socket of the service manager" in (tmp_path / "log").read_text()


# --- The configuration ---


def show_config(arguments, program=programs.COLLECTOR):
    """What check-config --show prints, without what this environment adds."""
    environment = {k: v for k, v in os.environ.items() if k not in ("EDDY_SOCKET", "XDG_RUNTIME_DIR")}
    done = run(program, "check-config", "--show", *arguments, env=environment)
    assert done.returncode == 0, done.stderr
    shown = configparser.ConfigParser(interpolation=None)
    shown.optionxform = str
    shown.read_string(done.stdout)
    return shown


def test_the_example_is_right_and_changes_nothing(root):
    example = root / "usr/share/doc/eddy/collector.conf"
    done = run(programs.COLLECTOR, "check-config", example)
    assert done.returncode == 0, done.stderr
    assert show_config([example]) == show_config(["/dev/null"])


def test_what_the_example_says_are_the_defaults(root, tmp_path):
    """With the "#" away in front of each key: every key is there, and none of them changes anything."""
    text = (root / "usr/share/doc/eddy/collector.conf").read_text()
    lines = [line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in text.splitlines()]
    in_force = tmp_path / "collector.conf"
    in_force.write_text("\n".join(lines) + "\n")
    defaults = show_config(["/dev/null"])
    assert show_config([in_force]) == defaults
    said = configparser.ConfigParser(interpolation=None)
    said.optionxform = str
    said.read(in_force)
    assert {s: set(said[s]) for s in said.sections()} == {s: set(defaults[s]) for s in defaults.sections()}


def test_a_changed_example_changes_something(root, tmp_path):
    changed = tmp_path / "collector.conf"
    text = (root / "usr/share/doc/eddy/collector.conf").read_text()
    changed.write_text(text.replace("#Period=1s", "Period=2s"))
    assert show_config([changed]) != show_config(["/dev/null"])


# --- The manual pages ---


@pytest.mark.parametrize("page", ["man1/eddy-collector.1", "man5/eddy-collector.conf.5"])
def test_pages_are_right(root, page):
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    done = run("groff", "-man", "-Tutf8", "-ww", "-z", root / "usr/share/man" / page)
    assert done.stderr == ""


def test_pages_name_all_options_and_all_keys(root):
    pages = root / "usr/share/man"
    commands = (pages / "man1/eddy-collector.1").read_text().replace("\\-", "-")
    for verb in ["run", "record", "stats", "rotate", "check-config"]:
        usage = run(programs.COLLECTOR, verb, "--help").stdout
        options = set(re.findall(r"--[a-z][a-z-]*", usage)) - {"--help", "--port"}
        assert options
        for option in options:
            assert option in commands, (verb, option)
    keys = (pages / "man5/eddy-collector.conf.5").read_text()
    for section, values in show_config(["/dev/null"]).items():
        if section != "DEFAULT":
            assert f"[{section.upper()}]" in keys
        for key in values:
            assert f".BR {key} =" in keys, key
