"""The one table of all measurements."""

from collections.abc import Iterable
from typing import NamedTuple

HEADER = """\
| Measured | Figure | Beside it | Ratio | Budget | Holds |
|---|---|---|---|---|---|"""


class Row(NamedTuple):
    """One measurement, and the budget that its figure or its ratio has to keep."""

    what: str
    figure: str
    beside: str = ""  # what was measured in turns with it, for comparison
    ratio: str = ""
    budget: str = ""
    holds: bool | None = None


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    words = {True: "yes", False: "**no**", None: ""}
    lines = ("| " + " | ".join([*row[:-1], words[row.holds]]) + " |" for row in rows)
    return "\n".join([HEADER, *lines])
