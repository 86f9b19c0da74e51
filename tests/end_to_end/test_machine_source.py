"""The machine as a source of its own: what the collector samples lands in a file like any other, and the account is right."""

import pathlib
import re

import programs
import traces


def record_machine(folder, *options):
    """Runs a collector until it took some samples, and ends it. The one session that it left, and its file."""
    with programs.Collector(folder, *options) as collector:
        programs.wait_for(lambda: collector.stats()["counters"]["uptime_seconds"] >= 2, what="two seconds")
    files = traces.trace_files(collector.output)
    return list(traces.sessions(collector.output).values()), files


def samples_of(session):
    """Per metric: kind, unit and the number of its samples, over all batches."""
    metrics = {}
    for batch in session.batches:
        for name in batch.head.name:
            kind, unit, rows = metrics.get(name.text, (name.kind, name.unit, 0))
            metrics[name.text] = (kind, unit, rows + name.rows)
    return metrics


def test_the_machine_is_a_session_of_its_own(tmp_path):
    sessions, files = record_machine(tmp_path, "--set", "Machine.Period=100ms")
    assert len(sessions) == 1 and len(files) == 1
    (session,) = sessions
    boot_id = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert re.fullmatch(rf"system-{boot_id[:8]}-\d+-[0-9a-f]{{8}}-000\.trace\.zst", files[0].name)
    source = session.sources[0]
    assert source.kind == traces.trace_pb2.Source.MACHINE
    assert source.boot_id == boot_id
    traces.check_with_stock_tools(files[0])


def test_produced_is_stored_and_lost(tmp_path):
    (session,), _ = record_machine(tmp_path, "--set", "Machine.Period=100ms")
    end = session.last_end
    assert end.totals_final
    assert end.reason == traces.trace_pb2.End.SESSION_ENDED
    lost = sum(traces.counts(loss.count) for loss in end.totals.lost)
    assert traces.counts(end.totals.produced) == session.rows + lost
    assert traces.counts(end.stored) == session.rows
    assert [batch.id.sequence for batch in session.batches] == list(range(1, len(session.batches) + 1))


def test_names_and_units_are_those_of_opentelemetry(tmp_path):
    (session,), _ = record_machine(tmp_path, "--set", "Machine.Period=100ms")
    metrics = samples_of(session)
    counter, gauge = traces.trace_pb2.Name.COUNTER_TOTAL, traces.trace_pb2.Name.GAUGE
    samples = metrics["system.cpu.user_time"][2]
    assert samples >= 2
    for name, kind, unit in [
        ("system.cpu.user_time", counter, "ns"),
        ("system.cpu.idle_time", counter, "ns"),
        ("system.context_switches", counter, "{context_switch}"),
        ("system.processes.running", gauge, "{process}"),
        ("system.cpu.load_average.1m", gauge, "{thread}"),
        ("system.memory.limit", gauge, "By"),
        ("system.page_faults.minor", counter, "{fault}"),
    ]:
        assert metrics[name] == (kind, unit, samples), name
    # Shares of an interval, so there is none for the first sample. At 100 ms a tick may be missed.
    assert 0 < metrics["system.cpu.utilization"][2] < samples
    if pathlib.Path("/proc/pressure/memory").exists():
        assert metrics["system.pressure.memory.some_time"] == (counter, "ns", samples)
    assert all(text.startswith("system.") for text in metrics)


def test_a_collector_can_do_without(tmp_path):
    sessions, files = record_machine(tmp_path, "--set", "Machine.Sample=no")
    assert not sessions and not files
