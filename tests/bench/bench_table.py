"""Rows of the bench: what was measured, what it is compared to, which target it has, and whether that is met."""

import dataclasses
import statistics

MET, MISSED, NOT_MEASURED, NO_TARGET = "met", "MISSED", "not measured", ""


@dataclasses.dataclass
class Target:
    """A limit for the median of the values ("value") or of the ratios ("ratio"), or for the worst value ("worst")."""

    of: str
    most: float | None = None
    least: float | None = None

    def text(self):
        sign, limit = ("<=", self.most) if self.most is not None else (">=", self.least)
        return f"{sign} {limit:g}{ {'ratio': ' x', 'worst': ' ever'}.get(self.of, '')}"

    def is_met(self, value):
        return value <= self.most if self.most is not None else value >= self.least


def at_most(limit):
    return Target("value", most=limit)


def never_above(limit):
    return Target("worst", most=limit)


def at_least(limit):
    return Target("value", least=limit)


def ratio_at_most(limit):
    return Target("ratio", most=limit)


def ratio_at_least(limit):
    return Target("ratio", least=limit)


@dataclasses.dataclass
class Row:
    """Values of repetitions, and those of the peer or limit, measured in turns with them: pairs of the same turn."""

    group: str
    what: str
    unit: str
    values: list = dataclasses.field(default_factory=list)
    peer: str = ""
    peer_values: list = dataclasses.field(default_factory=list)
    target: Target | None = None
    note: str = ""

    @property
    def median(self):
        return statistics.median(self.values) if self.values else None

    @property
    def ratios(self):
        return [v / p for v, p in zip(self.values, self.peer_values) if p > 0]

    @property
    def ratio(self):
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def judged(self):
        """What the target is about; None if there is nothing to judge."""
        if self.target is not None and self.target.of == "worst":
            return max(self.values, default=None)
        return self.ratio if self.target is not None and self.target.of == "ratio" else self.median

    @property
    def verdict(self):
        if not self.values:
            return NOT_MEASURED
        if self.target is None:
            return NO_TARGET
        if self.judged is None:
            return NOT_MEASURED
        return MET if self.target.is_met(self.judged) else MISSED

    def as_dict(self):
        row = {"group": self.group, "what": self.what, "unit": self.unit, "values": self.values, "note": self.note}
        row["verdict"] = self.verdict
        if self.values:
            row |= {"median": self.median, "min": min(self.values), "max": max(self.values)}
        if self.peer:
            row |= {"peer": self.peer, "peer_values": self.peer_values, "ratio": self.ratio}
        if self.target is not None:
            row["target"] = self.target.text()
        return row


def number(value):
    """Four digits, whatever the size."""
    if value is None:
        return "-"
    if abs(value) >= 10000:
        for factor, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
            if abs(value) >= factor:
                return f"{value / factor:.4g}{suffix}"
    return f"{value:.4g}"


HEADERS = ("what", "unit", "median", "min", "max", "n", "compared to", "it", "ratio", "target", "verdict")


def cells(row):
    spread = (number(min(row.values)), number(max(row.values))) if row.values else ("-", "-")
    ratio = f"{row.ratio:.2f} x" if row.ratio is not None else ""
    peer = number(statistics.median(row.peer_values)) if row.peer_values else ""
    target = row.target.text() if row.target is not None else ""
    return (row.what, row.unit, number(row.median), *spread, str(len(row.values)), row.peer, peer, ratio, target, row.verdict)


def render(rows):
    """The table as text: a heading per group, notes under their rows."""
    lines = [HEADERS] + [cells(row) for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADERS))]
    left = (0, 1, 6, 10)

    def line_of(texts):
        return "  ".join(t.ljust(w) if i in left else t.rjust(w) for i, (t, w) in enumerate(zip(texts, widths))).rstrip()

    out = [line_of(HEADERS)]
    group = None
    for row in rows:
        if row.group != group:
            group = row.group
            out += ["", f"-- {group} --"]
        out.append(line_of(cells(row)))
        if row.note:
            out.append(f"      {row.note}")
    return "\n".join(out)


def summary(rows):
    verdicts = [row.verdict for row in rows if row.target is not None]
    return {name: verdicts.count(key) for name, key in (("met", MET), ("missed", MISSED), ("not_measured", NOT_MEASURED))}
