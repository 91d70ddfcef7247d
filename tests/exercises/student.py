"""Code that a student wrote: text, with the one line changed that makes it wrong."""

from collections.abc import Callable

import numpy as np


def written(source: str, *edits: tuple[str, str]) -> Callable:
    """The function that `source` defines last, after every edit, a pair (old, new)."""
    for old, new in edits:
        assert old in source, f"{old} is not in the student's code"
        source = source.replace(old, new)
    names: dict = {"np": np}
    exec(source, names)
    return [*names.values()][-1]


def named(finding) -> set[str]:
    """The slips that a finding names."""
    assert not finding.right
    head, *lines = finding.says.splitlines()
    if head.endswith("slips at once."):
        return {line[3:-1] for line in lines if line[:3] in ("1. ", "2. ", "3. ")}
    return {head.removeprefix("Not yet: ").removesuffix(".")}
