"""Blocks of random cases."""

from __future__ import annotations

from collections import Counter

import hypothesis
from hypothesis import HealthCheck, Phase

from tests.agreement import assert_same_figures, assert_same_record
from tests.simulator.test_against_reference import run_engine, run_reference, traits
from tests.strategies import Case, cases

BLOCK = 50
"""Cases in a block."""


def run_block(block: int, *, shrink: bool = False) -> Counter[str]:
    """Run the cases of a block; every second block is on a grid, with crowded instants."""
    seen: Counter[str] = Counter()

    @hypothesis.seed(block)
    @hypothesis.settings(
        max_examples=BLOCK,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(cases(grid=block % 2 == 1))
    def check(case: Case) -> None:
        outcome = run_reference(case)
        result = run_engine(case)
        assert_same_record(result, outcome)
        assert_same_figures(result, outcome)
        seen.update({"cases", *traits(outcome)})

    check()
    return seen


def try_block(block: int) -> tuple[int, dict[str, int], str]:
    """A block, what it showed, and what failed in it."""
    try:
        return block, dict(run_block(block)), ""
    except Exception as error:
        return block, {}, f"{type(error).__name__}: {str(error)[:500]}"
