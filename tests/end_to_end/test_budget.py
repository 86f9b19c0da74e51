"""Time budgets: parts that add up, whatever the batches say, and the right one named as what makes the slowest slow."""

import json
import random
import subprocess

import pytest

from budgets import check_budgets, shares
from programs import ANALYZER
from test_report_outputs import check
from trace_maker import Batch, end, source, write

MS = 10**6
S = 10**9
SESSION = bytes(range(16))
EPOCH = 1_764_000_000 * S
STATES = ("other", "queued", "running", "waiting_io", "waiting_lock", "waiting_child")


def run(*arguments):
    done = subprocess.run([str(ANALYZER), "report", "--quiet", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def report(*arguments):
    found = check(run("--json", "-", *arguments))
    check_budgets(found)
    return found


def operation(found, name):
    return next(o for o in found["operations"] if o["name"] == name)


def write_batches(path, batches, session=SESSION):
    total = sum(len(b.operations) for b in batches)
    for number, batch in enumerate(batches, 1):
        batch.totals.produced.operations = total
        batch.sequence = number
    return write(path, [source(session), *batches, end(session, len(batches), batches[-1].totals)])


def make_batch(begin=EPOCH):
    return Batch(SESSION, 1, clock_ns=begin, offset_ns=0)


@pytest.fixture(name="mixed", scope="module")
def _mixed(tmp_path_factory):
    """Two sessions, some batches of a name with states and some without; in the tail it waits for a lock."""
    chance = random.Random(5)
    folder = tmp_path_factory.mktemp("mixed")
    files, rows = [], []
    for part in range(2):
        session = bytes([part]) * 16
        batches = []
        for number in range(6):
            begin = EPOCH + (part * 6 + number) * S
            batch = Batch(session, number + 1, clock_ns=begin, offset_ns=0)
            for i in range(700):
                states = {"running": int(chance.lognormvariate(11, 0.4)), "waiting_io": int(chance.lognormvariate(12, 0.7))}
                if chance.random() < 0.02:
                    states["waiting_lock"] = 20 * MS + chance.randrange(MS)
                duration = sum(states.values()) + chance.choice([0, 0, 3, 5000])
                if number == 2 or i % 50 == 0:
                    states = {}
                batch.operation("work", begin + i * MS, duration, states=states)
                rows.append((duration, states))
                batch.operation("plain", begin + i * MS, duration)
            batches.append(batch)
        files.append(write_batches(folder / f"p{part}.trace.zst", batches, session))
    return files, rows


def test_the_tail_is_what_its_operations_waited_for(mixed):
    files, rows = mixed
    found = report(*files)
    work = operation(found, "work")
    budget = work["budget"]
    assert operation(found, "plain")["budget"] is None
    assert operation(found, "plain")["budget_reason"] == "not_recorded"
    assert budget["stated_count"] == sum(bool(states) for _, states in rows)
    assert budget["trimmed_count"] == 0
    for state in STATES:
        assert int(budget["all"]["parts"][state]["sum_ns"]) == sum(states.get(state, 0) for _, states in rows)
    assert budget["tail_growth"]["greatest_part"] == "waiting_lock"
    tail = budget["cohorts"][3]
    assert 0.003 < tail["count"] / work["count"] < 0.03 and shares(tail)["waiting_lock"] > 0.6
    assert shares(budget["cohorts"][0]).get("waiting_lock", 0) == 0
    # What the cohorts say of stated operations is exact: they can be counted again.
    for cohort in budget["cohorts"]:
        inside = [s for d, s in rows if cohort["from_ns"] <= d < (cohort["to_ns"] or 2**63)]
        assert cohort["count"] == len(inside)
        assert int(cohort["parts"]["waiting_io"]["sum_ns"]) == sum(s.get("waiting_io", 0) for s in inside)


def test_budgets_are_the_same_for_any_jobs_and_any_order(mixed):
    files, _ = mixed
    outputs = {run("--json", "-", "--jobs", jobs, *order) for jobs in (1, 2, 5) for order in (files, files[::-1])}
    assert len(outputs) == 1


def test_states_beyond_the_duration_are_trimmed_and_counted(tmp_path):
    batch = make_batch()
    for i in range(300):
        batch.operation("short", EPOCH + i * MS, 1000, states={"running": 900, "waiting_io": 100 + i % 3})
        batch.operation("wild", EPOCH + i * MS, i, states={s: 2**62 - 1 for s in STATES})
    found = report(write_batches(tmp_path / "t.trace.zst", [batch]))
    assert operation(found, "short")["budget"]["trimmed_count"] == 200
    assert operation(found, "short")["budget"]["trimmed_ns"] == 300
    assert operation(found, "wild")["budget"]["trimmed_count"] == 300
    assert operation(found, "wild")["budget"]["all"]["parts"]["unaccounted"]["sum_ns"] == 0


def test_a_thread_that_waits_for_a_cpu_is_estimated(tmp_path):
    batch = make_batch()
    thread = (7, "worker")
    for i in range(11):
        time = EPOCH + i * 100 * MS
        slow = max(0, i - 5)  # from 0.5 s on the thread waits four times as long as it runs
        for name, value in (
            ("process.run_queue.wait", slow * 80 * MS),
            ("process.cpu.user_time", min(i, 5) * 50 * MS + slow * 10 * MS),
            ("process.cpu.system_time", min(i, 5) * 50 * MS + slow * 10 * MS),
        ):
            batch.sample(name, time, value, kind="COUNTER_TOTAL", unit="ns", thread=thread)
    for i in range(100):
        batch.operation("fast", EPOCH + i * MS, MS + i, thread=thread, states={"running": MS})
        batch.operation("slow", EPOCH + 600 * MS + i * MS, MS + i, thread=thread, states={"running": MS})
        batch.operation("elsewhere", EPOCH + i * MS, MS, thread=(8, ""), states={"running": MS})
    found = report(write_batches(tmp_path / "t.trace.zst", [batch]))
    means = {n: operation(found, n)["budget"]["all"] for n in ("fast", "slow", "elsewhere")}
    assert means["fast"]["running_estimates"]["not_on_cpu"]["mean_ns"] == 0
    assert means["slow"]["running_estimates"]["not_on_cpu"]["mean_ns"] == pytest.approx(0.8 * MS, abs=1)
    assert means["elsewhere"]["running_estimates"]["not_on_cpu"]["mean_ns"] is None
    assert [means[n]["sampled_share"] for n in ("fast", "slow", "elsewhere")] == [1, 1, 0]


def test_text_shows_the_slowest_one_per_cent(mixed):
    files, _ = mixed
    text = run(*files).decode()
    assert "The slowest one per cent" in text and "> waiting for a lock" in text
    markdown = run("--markdown", "-", *files).decode()
    assert markdown.index("Where the slowest one per cent") < markdown.index("## Operations")
    (row,) = [line for line in markdown.splitlines() if line.startswith("| ` work ` |") and "more, of" in line]
    assert "**" in row and "waiting for a lock: " in row
    assert "plain" not in text[text.index("The slowest one") : text.index("Distributions")]


def test_budgets_stay_within_the_memory(tmp_path):
    """More names with states than there is room for: budgets of the most frequent ones, and it is said of the others."""
    chance = random.Random(2)
    batches = []
    for number in range(4):
        batch = make_batch(EPOCH + number * S)
        for i in range(8000):
            rank = int(chance.paretovariate(0.5)) % 3000
            duration = int(chance.lognormvariate(15, 3))
            batch.operation(f"name {rank}", EPOCH + number * S + i, duration, states={"running": duration // 2})
        batches.append(batch)
    path = write_batches(tmp_path / "t.trace.zst", batches)
    found = json.loads(run("--memory", "32M", "--json", "-", path))
    check_budgets(found)
    reasons = [o.get("budget_reason") for o in found["operations"]]
    assert "memory_limit" in reasons and None in reasons
    with_budget = [o["count"] for o in found["operations"] if o["budget"]]
    without = [o["count"] for o in found["operations"] if not o["budget"] and not o["is_other"]]
    assert min(with_budget) >= max(without)


# --- Operations that were not seen to end ---


def test_unfinished_ones_are_listed_by_age_and_state(tmp_path):
    batch = make_batch()
    for i in range(200):
        batch.operation("call", EPOCH + i * MS, (i + 1) * MS, status=3 if i >= 190 else 0)
        batch.operation("quick", EPOCH + i * MS, 1000)
    for i in range(20):
        batch.open("call", EPOCH + i * MS, id=100 + i, state=1 + i % 2)
    batch.as_of_ns = EPOCH + 500 * MS
    found = report(write_batches(tmp_path / "t.trace.zst", [batch]))
    assert operation(found, "quick")["censoring"] is None
    call = operation(found, "call")["censoring"]
    assert (call["timeouts"], call["unfinished"], call["share"]) == (10, 20, pytest.approx(30 / 220))
    assert call["unfinished_by_state"] == {
        "other": 0, "queued": 10, "running": 10, "waiting_child": 0, "waiting_io": 0, "waiting_lock": 0,
    }  # fmt: skip
    assert [(o["age_ns"], o["id"], o["state"]) for o in call["oldest"]] == [
        ((500 - i) * MS, str(100 + i), ("queued", "running")[i % 2]) for i in range(10)
    ]
    assert call["unfinished_age"]["max_ns"] == 500 * MS == call["greatest_ns"]
    by_rank = {q["p"]: q for q in call["quantiles"]}
    ended = sorted((i + 1) * MS for i in range(190))
    survival, at_risk = 1, 220
    for duration in ended:
        survival *= 1 - 1 / at_risk
        at_risk -= 1
        if survival <= 0.5 + 1e-12:
            break
    assert by_rank[0.5]["value_ns"] == duration and by_rank[0.5]["low_ns"] < duration < by_rank[0.5]["high_ns"]
    assert by_rank[0.95]["value_ns"] is None and by_rank[0.95]["value_ns_reason"] == "beyond_data"
    text = run(tmp_path / "t.trace.zst").decode()
    assert "Not seen to end" in text and "> 500 ms" in text and "10 queued, 10 running" in text
    assert "! call timed out or had not ended in 13.6 % of all cases." in text
    assert "not seen to end" in run("--markdown", "-", tmp_path / "t.trace.zst").decode()


def test_few_unfinished_ones_change_no_quantile(tmp_path):
    batch = make_batch()
    for i in range(2000):
        batch.operation("call", EPOCH + i * MS, (i + 1) * 1000)
    batch.open("call", EPOCH, id=1, state=2)
    batch.as_of_ns = EPOCH + 9 * S
    found = report(write_batches(tmp_path / "t.trace.zst", [batch]))
    call = operation(found, "call")["censoring"]
    assert call["unfinished"] == 1 and call["share"] < 0.001 and call["quantiles"] == []


# --- Operations inside operations ---


@pytest.fixture(name="families", scope="module")
def _families(tmp_path_factory):
    """Parents whose children stand in the same batch, in those before and behind, or are nobody's."""
    chance = random.Random(11)
    batches = [make_batch(EPOCH + number * S) for number in range(8)]
    parents, children = [], []
    for i in range(1600):
        home = chance.randrange(8)
        begin = EPOCH + home * S + i * 10000
        is_slow = i % 80 == 0
        duration = (40 * MS if is_slow else 5 * MS) + chance.randrange(MS)
        count = chance.randrange(1, 5)
        batches[home].operation("request", begin, duration, id=i + 1)
        parents.append((duration, count))
        for k in range(count):
            at = min(7, max(0, home + chance.choice([0, 0, 0, -1, 1])))
            name = "db.query" if k == 0 else "cache.get"
            length = (35 * MS if is_slow else 2 * MS) if k == 0 else 1000
            late = i % 100 == 7 and k == 0
            start = begin + duration - 10 if late else begin + 100
            batches[at].operation(name, start, length, parent=i + 1)
            children.append((name, is_slow, 10 if late else length, late))
    for i in range(5):
        batches[3].operation("db.query", EPOCH + 3 * S, 1000, parent=10**6 + i)
    return write_batches(tmp_path_factory.mktemp("families") / "t.trace.zst", batches), parents, children


def test_the_child_that_dominates_slow_parents_is_named(families):
    path, parents, children = families
    found = report(path)
    request = operation(found, "request")["children"]
    assert operation(found, "db.query")["children"] is None
    assert found["quality"]["children"] == {"matched": len(children), "unmatched": 5}
    assert request["parents"] == len(parents) and request["fan_out"]["sum"] == len(children)
    assert request["parents_mean_ns"] == pytest.approx(sum(d for d, _ in parents) / len(parents))
    assert request["tail_parents"] == 20 and request["tail_from_ns"] > 30 * MS
    first, second = request["by_name"]
    assert (first["name"], second["name"]) == ("db.query", "cache.get")
    for child in (first, second):
        rows = [c for c in children if c[0] == child["name"]]
        tail = [c for c in rows if c[1]]
        assert child["count"] == len(rows) and child["outlived"] == sum(c[3] for c in rows)
        assert child["inside_mean_ns"] == pytest.approx(sum(c[2] for c in rows) / len(parents))
        assert child["tail_inside_mean_ns"] == pytest.approx(sum(c[2] for c in tail) / 20)
    assert first["tail_share"] > 0.8 and second["tail_share"] < 0.01
    assert "Operations inside operations" in run(path).decode()
    assert "## Operations inside operations" in run("--markdown", "-", path).decode()


def test_families_are_the_same_for_any_number_of_threads(families):
    path, _, _ = families
    assert len({run("--json", "-", "--jobs", jobs, path) for jobs in (1, 2, 3, 7)}) == 1
