from __future__ import annotations

import pytest

from tests.handmade import RunByHand, Seen
from tests.semantics.cases import CASES, HORIZON_MS, MS, Case
from tests.semantics.page import PAGE, PICTURES, page


def run_case(run: RunByHand, case: Case) -> Seen:
    apps = [(letters, None if ms is None else ms * MS) for letters, ms in case.apps]
    return run(*case.models, horizon_ns=HORIZON_MS * MS, apps=apps, **case.options)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_schedule_is_that_of_the_page(run: RunByHand, case: Case) -> None:
    seen = run_case(run, case)
    in_ms = [(*row[:3], *(time / MS for time in row[3:])) for row in seen.rows]
    assert in_ms == list(case.rows)
    for frame, (fate, end_ms) in case.fates.items():
        assert seen.fates[frame] == (fate, end_ms * MS)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.semantics"
    assert {path.name for path in PICTURES.iterdir()} == {case.file for case in CASES}
