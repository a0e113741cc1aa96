"""What was measured, as a table on the terminal and as Markdown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A bound on a measured number. A ratio is taken against the peer's number."""

    bound: float
    at_least: bool
    is_ratio: bool

    def reached(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Row:
    """One line: what was measured, Portico's number, and a peer's where there is one."""

    subject: str
    unit: str
    value: float | None
    peer: str = ""
    peer_value: float | None = None
    target: Target | None = None
    disturbed_rounds: int = 0
    """Of the rounds behind the numbers, how many other programs took processor time away from."""

    @property
    def ratio(self) -> float | None:
        return self.value / self.peer_value if self.value is not None and self.peer_value else None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is no target or nothing to judge."""
        judged = self.ratio if self.target and self.target.is_ratio else self.value
        return self.target.reached(judged) if self.target and judged is not None else None

    def cells(self) -> list[str]:
        target = ""
        if self.target:
            sign = "≥" if self.target.at_least else "≤"
            target = f"{sign} {self.target.bound:g} {'×' if self.target.is_ratio else self.unit}"
        return [
            self.subject,
            number(self.value, self.unit),
            self.peer,
            number(self.peer_value, self.unit),
            f"{self.ratio:.2f} ×" if self.ratio is not None else "",
            target,
            {True: "reached", False: "not reached", None: ""}[self.reached],
        ]


HEAD = ["what", "Portico", "peer", "peer's", "ratio", "target", ""]


def number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if value >= 1000 else 1
    return f"{value:,.{digits}f} {unit}".replace(",", "\u202f")


def terminal(rows: list[Row]) -> str:
    """Columns aligned with spaces, numbers to the right."""
    table = [HEAD, *[row.cells() for row in rows]]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    right = {1, 3, 4, 5}
    lines = []
    for line in table:
        cells = [c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def markdown(rows: list[Row], notes: list[str]) -> str:
    """A table and the notes below it, to be put into the README."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|--:|---|--:|--:|--:|---|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join([*lines, "", *[f"- {note}" for note in notes]]) + "\n"
