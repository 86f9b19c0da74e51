"""What must hold for the time budgets of every report of every trace."""


def check_budget(operation):
    """The parts of a time budget add up to the time of their cohort, the cohorts to the whole, in integers."""
    budget = operation["budget"]
    if budget is None:
        assert operation["budget_reason"] in ("not_recorded", "memory_limit")
        assert operation["states"] == {} or operation["budget_reason"] == "memory_limit"
        return
    for cohort in [*budget["cohorts"], budget["all"]]:
        assert sum(int(part["sum_ns"]) for part in cohort["parts"].values()) == int(cohort["sum_ns"])
        for estimate in cohort["running_estimates"].values():
            assert (estimate["mean_ns"] or 0) <= (cohort["parts"]["running"]["mean_ns"] or 0)
    assert sum(int(cohort["sum_ns"]) for cohort in budget["cohorts"]) == int(budget["all"]["sum_ns"])
    assert sum(cohort["count"] for cohort in budget["cohorts"]) == budget["all"]["count"] == operation["count"]
    assert float(budget["all"]["sum_ns"]) == float(operation["duration"]["sum_ns"])
    for before, cohort in zip(budget["cohorts"], budget["cohorts"][1:]):
        assert before["to_ns"] == cohort["from_ns"]


def check_budgets(report):
    for operation in report["operations"]:
        check_budget(operation)


def shares(cohort):
    """What the time of a cohort was spent on."""
    return {name: part["share"] for name, part in cohort["parts"].items() if part["share"]}
