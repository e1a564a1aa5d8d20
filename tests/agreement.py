"""What it means that the engine and the reference agree: everything, to the bit."""

from __future__ import annotations

import pytest

from dream_gym.simulator import Result
from dream_gym.simulator.frames import FATES
from tests.reference import Outcome


def assert_same_record(result: Result, outcome: Outcome) -> None:
    """Every dispatch and every frame; frames in any order."""
    assert result.timeline is not None
    assert result.frames is not None
    assert result.timeline.tolist() == [tuple(row) for row in outcome.timeline]
    assert sorted(result.frames.tolist()) == sorted(
        (
            frame.model.index,
            frame.index,
            -1 if frame.release_ns is None else frame.release_ns,
            frame.deadline_ns,
            frame.end_ns,
            FATES.index(str(frame.fate)),
            frame.energy_pj,
            frame.variant,
        )
        for frame in outcome.frames
    )


def assert_same_figures(result: Result, outcome: Outcome) -> None:
    """Every figure at the horizon."""
    end_ns = outcome.horizon_ns
    assert result.dispatches == len(outcome.timeline)
    for model in outcome.models:
        count = len(outcome.frames_of(model))
        assert result.frame_count[model.name] == count
        assert result.energy_spent[model.name] == outcome.spent_pj(model, end_ns)
        assert result.energy_charged[model.name] == outcome.charged_pj(model, end_ns)
        for rates, hits in (
            (result.violation_rate, outcome.violations(model, end_ns)),
            (result.lost_rate, outcome.lost(model, end_ns)),
        ):
            assert rates[model.name] == pytest.approx(hits / max(count, 1), rel=1e-12)
    assert list(result.busy_share.values()) == pytest.approx(outcome.busy_shares(), rel=1e-12)
    assert result.uxcost == pytest.approx(outcome.uxcost(end_ns), rel=1e-12)
    assert result.lower_bound == pytest.approx(outcome.lower_bound(), rel=1e-12)
    assert result.lower_bound_lightest == pytest.approx(
        outcome.lower_bound(lightest=True), rel=1e-12
    )
    accuracy = {model.name: outcome.accuracy(model) for model in outcome.models}
    assert result.accuracy == pytest.approx(
        {name: top1 for name, top1 in accuracy.items() if top1 is not None}
    )
    loss = {model.name: outcome.accuracy_loss(model) for model in outcome.models}
    assert result.accuracy_loss == pytest.approx(loss, abs=1e-9)
