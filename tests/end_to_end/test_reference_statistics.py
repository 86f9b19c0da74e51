"""The numbers of a report against reference data: exact counts and moments, quantiles within their bound.

Expected values come from tests/reference (by NumPy and SciPy), and again from the data itself in exact arithmetic."""

import csv
import decimal
import fractions
import io
import json
import math
import random
import subprocess
import tarfile

import pytest

from programs import ANALYZER, SOURCE_DIR, report

REFERENCE = SOURCE_DIR / "tests/reference"
MOMENTS = 1e-9
# What the report promises of quantiles beyond 4,096 values; the rest is the rounding of doubles.
BOUND = 1 / 512
ROUNDING = 1e-12
MAX_EXACT = 4096


def unpack(name):
    with tarfile.open(REFERENCE / name, "r:xz") as archive:
        return {m.name: archive.extractfile(m).read().decode() for m in archive.getmembers()}


SAMPLES = unpack("samples.tar.xz")
EXPECTED = json.loads(SAMPLES.pop("expected.json"))
TRACES = unpack("traces.tar.xz")
SCENARIOS = sorted({name.split("/")[0] for name in TRACES})


def sample_texts(name):
    return SAMPLES[f"{name}.csv"].split()[1:]


def scale_of(texts):
    """The power of ten that makes all values integers that a duration can be; None if there is none."""
    values = [decimal.Decimal(t) for t in texts]
    digits = max((max(0, -v.normalize().as_tuple().exponent) for v in values), default=0)
    scaled = [int(v.scaleb(digits)) for v in values]
    fits = all(0 <= v < 2**62 for v in scaled)
    return (10**digits, scaled) if fits else None


DURATION_SAMPLES = sorted(name for name in EXPECTED if EXPECTED[name]["n"] and scale_of(sample_texts(name)))


def import_and_report(folder, *arguments):
    done = subprocess.run(
        [str(ANALYZER), "import", "--quiet", *[str(a) for a in arguments], "-o", str(folder / "traces")],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found, done = report(folder / "traces")
    assert done.returncode == 0, done.stderr.decode()
    return found


def near(found, expected, relative):
    assert found is not None
    assert abs(found - float(expected)) <= relative * abs(float(expected)), (found, float(expected))


def type_7(ordered, p):
    """The quantile of sorted numbers, exactly (but for p, which is the double that the report means)."""
    position = (len(ordered) - 1) * fractions.Fraction(p)
    rank = int(position)
    above = ordered[min(rank + 1, len(ordered) - 1)]
    return ordered[rank] + (position - rank) * (above - ordered[rank])


def is_refused(count, p):
    return p != 0.5 and count * min(p, 1 - p) < 1 - 1e-9


def check_moments(summary, values, unit):
    """values: exact numbers (int or Fraction)."""
    count = len(values)
    assert summary["count"] == count
    near(summary[f"sum{unit}"], sum(values), MOMENTS)
    near(summary[f"min{unit}"], min(values), ROUNDING)
    near(summary[f"max{unit}"], max(values), ROUNDING)
    near(summary[f"mean{unit}"], fractions.Fraction(sum(values)) / count, MOMENTS)
    if count < 2:
        assert summary[f"stddev{unit}"] is None and summary[f"stddev{unit}_reason"] == "too_few"
        return
    total = fractions.Fraction(sum(values))
    variance = (sum(v * v for v in values) - total**2 / count) / (count - 1)
    with decimal.localcontext() as context:
        context.prec = 50
        stddev = (decimal.Decimal(variance.numerator) / decimal.Decimal(variance.denominator)).sqrt()
    near(summary[f"stddev{unit}"], stddev, MOMENTS)


def check_histogram(summary, values, unit):
    """Bins without gaps; each counts the values in it, to the last one."""
    bins = summary["histogram"]
    assert 1 <= len(bins) <= 64
    ordered = sorted(float(v) for v in values)
    assert bins[0][f"from{unit}"] == ordered[0] and bins[-1][f"to{unit}"] == ordered[-1]
    assert all(a[f"to{unit}"] == b[f"from{unit}"] for a, b in zip(bins, bins[1:]))
    counts = [0] * len(bins)
    at = 0
    for value in ordered:
        while at + 1 < len(bins) and value >= bins[at + 1][f"from{unit}"]:
            at += 1
        counts[at] += 1
    assert [b["count"] for b in bins] == counts


def check_summary(summary, values, unit=""):
    """All of a summary against the values themselves."""
    check_moments(summary, values, unit)
    check_histogram(summary, values, unit)
    count = len(values)
    if count <= MAX_EXACT:
        assert summary["is_exact"]
    assert summary["relative_error_bound"] == (0 if summary["is_exact"] else BOUND)
    tolerance = ROUNDING if summary["is_exact"] else BOUND + ROUNDING
    ordered = sorted(values)
    for quantile in summary["quantiles"]:
        p, value = quantile["p"], quantile[f"value{unit}"]
        if is_refused(count, p):
            assert value is None and quantile[f"value{unit}_reason"] == "too_few"
            continue
        # A bucket's bound is relative to the values that are interpolated, not to what cancels between them.
        low, high = (ordered[min(int((count - 1) * p) + i, count - 1)] for i in (0, 1))
        exact = type_7(ordered, p)
        assert abs(value - float(exact)) <= tolerance * max(abs(float(low)), abs(float(high))), (p, value, float(exact))
        if low >= 0:
            near(value, exact, tolerance)


def check_expected(summary, expected, scale=1, unit=""):
    """The same against what NumPy and SciPy say, quantiles and intervals."""
    assert summary["count"] == expected["n"]
    near(summary[f"mean{unit}"], expected["mean"] * scale, MOMENTS)
    if "stddev" in expected:
        near(summary[f"stddev{unit}"], expected["stddev"] * scale, 1e-7)
    # NumPy rounds (n - 1) p, which weighs 1e-11 where neighbours lie far apart.
    tolerance = 1e-10 if summary["is_exact"] else BOUND + ROUNDING
    intervals = 0
    for quantile in summary["quantiles"]:
        if quantile[f"value{unit}"] is None:
            continue
        key = str(quantile["p"])
        near(quantile[f"value{unit}"], expected["quantiles_type7"][key] * scale, tolerance)
        interval = expected["order_statistic_ci95"].get(key)
        for ours, theirs in (("low", "lower"), ("high", "upper")):
            if interval and interval[theirs] is not None:
                near(quantile[ours + unit], interval[theirs] * scale, tolerance)
                intervals += 1
            elif interval:
                assert quantile[ours + unit] is None and quantile[f"{ours}{unit}_reason"] == "beyond_data"
    return intervals


@pytest.fixture(name="durations", scope="module")
def _durations(tmp_path_factory):
    """All samples that can be durations, each as operations of its name; two processes share them."""
    folder = tmp_path_factory.mktemp("durations")
    files = [io.StringIO(), io.StringIO()]
    for file in files:
        file.write("name,start_ns,duration_ns\n")
    for name in DURATION_SAMPLES:
        for i, value in enumerate(scale_of(sample_texts(name))[1]):
            files[i % 3 // 2].write(f"{name},{10**15 + i * 1000},{value}\n")
    arguments = []
    for i, file in enumerate(files):
        (folder / f"ops_{i}.csv").write_text(file.getvalue())
        arguments += ["--operations", folder / f"ops_{i}.csv"]
    return {o["name"]: o for o in import_and_report(folder, *arguments)["operations"]}


def test_no_sample_is_missing(durations):
    assert len(DURATION_SAMPLES) == 22
    assert sorted(durations) == DURATION_SAMPLES


@pytest.mark.parametrize("name", DURATION_SAMPLES)
def test_durations_of_a_sample(durations, name):
    scale, values = scale_of(sample_texts(name))
    assert durations[name]["count"] == len(values) == EXPECTED[name]["n"]
    check_summary(durations[name]["duration"], values, "_ns")
    intervals = check_expected(durations[name]["duration"], EXPECTED[name], scale, "_ns")
    assert intervals > 0 or EXPECTED[name]["n"] < 10


@pytest.fixture(name="metrics", scope="module")
def _metrics(tmp_path_factory):
    """All samples as gauges, those too that are negative or span 21 decades."""
    folder = tmp_path_factory.mktemp("metrics")
    with open(folder / "gauges_all.csv", "w") as file:
        file.write("name,t_ns,value\n")
        for name in sorted(EXPECTED):
            for i, text in enumerate(sample_texts(name)):
                file.write(f"{name},{10**15 + i * 10**6},{text}\n")
    found = import_and_report(folder, "--samples", folder / "gauges_all.csv")
    return {m["name"]: m for m in found["metrics"]}


@pytest.mark.parametrize("name", sorted(name for name in EXPECTED if EXPECTED[name]["n"]))
def test_values_of_a_metric(metrics, name):
    values = [fractions.Fraction(float(text)) for text in sample_texts(name)]
    assert metrics[name]["samples"] == len(values)
    check_summary(metrics[name]["values"], values)
    if min(values) >= 0:
        check_expected(metrics[name]["values"], EXPECTED[name])


def test_a_metric_without_samples_is_not_there(metrics):
    assert sorted(metrics) == sorted(name for name in EXPECTED if EXPECTED[name]["n"])


def test_a_million_durations(tmp_path):
    """Far beyond what is kept exactly; a tail of four decades."""
    source = random.Random(20)
    values = [int(source.lognormvariate(8, 0.9)) + 250 for _ in range(1_000_000)]
    with open(tmp_path / "ops_big.csv", "w") as file:
        file.write("name,start_ns,duration_ns\n")
        file.writelines(f"big,{10**15 + i * 500},{v}\n" for i, v in enumerate(values))
    operation = import_and_report(tmp_path, "--operations", tmp_path / "ops_big.csv")["operations"][0]
    assert operation["count"] == 1_000_000
    assert not operation["duration"]["is_exact"]
    check_summary(operation["duration"], values, "_ns")


def scenario_rows(scenario, kind):
    """{process: rows} of the CSV files of a kind ("ops" or "gauges")."""
    return {
        path.split("_")[-1].removesuffix(".csv"): list(csv.DictReader(io.StringIO(text)))
        for path, text in TRACES.items()
        if path.startswith(f"{scenario}/{kind}_")
    }


@pytest.fixture(name="scenario", scope="module", params=SCENARIOS)
def _scenario(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    arguments = []
    for path, text in sorted(TRACES.items()):
        name = path.split("/")[1]
        if path.startswith(request.param + "/") and name.endswith(".csv"):
            (folder / name).write_text(text)
    for path in sorted(folder.glob("ops_*.csv")):
        arguments += ["--operations", path, "--samples", folder / path.name.replace("ops", "gauges")]
    return request.param, import_and_report(folder, *arguments)


def test_operations_of_a_scenario(scenario):
    name, found = scenario
    truth = json.loads(TRACES[f"{name}/truth.json"])["operations"]
    rows = [row for process in scenario_rows(name, "ops").values() for row in process]
    operations = {o["name"]: o for o in found["operations"]}
    assert sorted(operations) == sorted(truth)
    for key, operation in operations.items():
        mine = [row for row in rows if row["name"] == key]
        finished = [int(row["duration_ns"]) for row in mine if row["status"] != "unfinished"]
        assert operation["count"] == len(finished) == truth[key]["n"]
        assert operation["unfinished"] == len(mine) - len(finished)
        for status, count in operation["by_status"].items():
            assert count == sum(row["status"] == status for row in mine)
        check_summary(operation["duration"], finished, "_ns")
        near(operation["duration"]["mean_ns"], truth[key]["mean"], MOMENTS)
        quantiles = {f"p{100 * q['p']:g}": q["value_ns"] for q in operation["duration"]["quantiles"]}
        for rank in ("p50", "p95", "p99"):
            near(quantiles[rank], truth[key][rank], operation["duration"]["relative_error_bound"] + ROUNDING)


def test_time_and_processes_of_a_scenario(scenario):
    name, found = scenario
    truth = json.loads(TRACES[f"{name}/truth.json"])["processes"]
    rows = scenario_rows(name, "ops")
    assert sorted(p["executable"] for p in found["processes"]) == sorted(truth)
    for index, process in enumerate(found["processes"]):
        mine = rows[process["executable"]]
        finished = [row for row in mine if row["status"] != "unfinished"]
        assert len(mine) == truth[process["executable"]]["operations"]
        assert process["stored"]["operations"] == len(finished)
        counted = [e for o in found["operations"] for e in o["by_process"] if e["process"] == index]
        assert sum(e["count"] for e in counted) == len(finished)
    total_ns = sum(int(row["duration_ns"]) for process in rows.values() for row in process if row["status"] != "unfinished")
    assert sum(o["duration"]["sum_ns"] for o in found["operations"]) == total_ns
    assert math.isclose(sum(o["time_share"] for o in found["operations"]), 1, rel_tol=1e-12)


def test_metrics_of_a_scenario(scenario):
    name, found = scenario
    rows = [row for process in scenario_rows(name, "gauges").values() for row in process]
    metrics = {m["name"]: m for m in found["metrics"]}
    assert sorted(metrics) == sorted({row["name"] for row in rows})
    for key, metric in metrics.items():
        check_summary(metric["values"], [fractions.Fraction(float(row["value"])) for row in rows if row["name"] == key])
