from __future__ import annotations

from typing import Any

import pytest

import dream_gym
from dream_gym.errors import ConfigError
from tests.handmade import Given, RunByHand, Step


def slow_elsewhere(elsewhere_ns: int) -> list[Given]:
    """a0 takes accelerator 0 until 110; there b0 would end at 210."""
    return [Given(name, [Step((100, elsewhere_ns))]) for name in "ab"]


@pytest.mark.parametrize(
    ("patience", "elsewhere_ns", "accelerator"),
    [(4.0, 840, 1), (4.0, 841, 0), (1.0, 210, 1), (1.0, 211, 0), (7.9, 9999, 0), (8.0, 9999, 1)],
)
def test_patience(run: RunByHand, patience: float, elsewhere_ns: int, accelerator: int) -> None:
    models = slow_elsewhere(elsewhere_ns)
    rows = run(*models, scheduler="dream_plus", patience=patience, accelerators=2).rows
    assert rows[1][:4] == ("b0", 0, accelerator, 0 if accelerator else 110)
    full = run(*models, scheduler="dream_full", accelerators=2).rows
    assert full[1][:4] == ("b0", 0, 1, 0)


def test_a_frame_that_waits_lets_others_pass(run: RunByHand) -> None:
    c = Given("c", [Step((1000, 100))])
    rows = run(*slow_elsewhere(1000), c, scheduler="dream_plus", patience=1.0, accelerators=2).rows
    assert {row[0] for row in rows if row[3] == 0} == {"a0", "c0"}
    assert next(row for row in rows if row[0] == "b0")[2:4] == (0, 110)


CELLS: list[tuple[str, str, dict[str, Any]]] = [
    ("ar_social", "4k_1ws_2os", {"load": 1.5}),
    ("drone_outdoor", "4k_1ws_2os", {"load": 2.66, "contention": True}),
    ("vr_gaming", "8k_1os_2ws", {"load": 2.0, "expiry": "firm", "decision_ns": 800}),
    ("xrbench_ar_assistant", "xr_4k_2ws_2os", {"load": 2.0}),
]


@pytest.mark.parametrize(("scenario", "platform", "run"), CELLS)
def test_its_defaults_are_dream(scenario: str, platform: str, run: dict[str, Any]) -> None:
    options = {"seconds": 0.3, "seed": 3, "record": True, **run}
    full, plus, other = (
        dream_gym.simulate(scenario, platform, scheduler, **options, **own)
        for scheduler, own in (
            ("dream_full", {}),
            ("dream_plus", {}),
            ("dream_plus", {"patience": 1.0}),
        )
    )
    assert plus.timeline.tolist() == full.timeline.tolist()
    assert plus.frames.tolist() == full.frames.tolist()
    assert plus.summary() == full.summary()
    assert other.timeline.tolist() != full.timeline.tolist()


@pytest.mark.parametrize(
    "option",
    [
        {"patience": 0.9},
        {"patience": 8.1},
        {"drop_cap": 11},
        {"drop_cap": 1.5},
        {"supernet_margin": -0.1},
        {"supernet_margin": 5},
    ],
    ids=str,
)
def test_options_have_bounds(option: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"dream_plus: {next(iter(option))}"):
        dream_gym.simulate("ar_call", "4k_2ws", "dream_plus", seconds=0.1, **option)
