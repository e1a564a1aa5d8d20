from __future__ import annotations

import pytest

from dream_gym.schedulers import BUILTIN
from tests.handmade import Given, Step

DEFAULTS = {
    name: scheduler.options.model_fields["placement"].default
    for name, scheduler in BUILTIN.items()
    if "placement" in scheduler.options.model_fields
}
"""Where those put frames that only order them, unless they are told."""


def test_there_are_such_schedulers_with_either_default():
    assert set(DEFAULTS.values()) == {"idle", "eft"}


def options(scheduler, placement):
    """Nothing where it is the default."""
    return {} if DEFAULTS[scheduler] == placement else {"placement": placement}


@pytest.mark.parametrize("scheduler", DEFAULTS)
def test_idle_takes_the_fastest_idle_accelerator(play, scheduler):
    a, b = Given("a", [Step((100, 1000))]), Given("b", [Step((100, 1000))])
    rows = play(a, b, scheduler=scheduler, accelerators=2, **options(scheduler, "idle"))
    assert rows == [("a0", 1, 0, 0), ("b0", 1, 1, 0)]


@pytest.mark.parametrize("scheduler", DEFAULTS)
def test_eft_waits_for_the_accelerator_that_ends_first(play, scheduler):
    # b0 would end at 110 + 100 where a0 runs, and at 1000 where it could start now. c0 comes last
    # by every order, and goes ahead, since its place is idle.
    a, b = Given("a", [Step((100, 1000))]), Given("b", [Step((100, 1000))])
    c = Given("c", [Step((3000, 150))], deadline_ns=11_000)
    eft = options(scheduler, "eft")
    rows = play(a, b, c, scheduler=scheduler, accelerators=2, horizon_ns=11_000, **eft)
    assert rows[:3] == [("a0", 1, 0, 0), ("c0", 1, 1, 0), ("b0", 1, 0, 110)]


@pytest.mark.parametrize("scheduler", DEFAULTS)
def test_eft_takes_what_is_idle_when_that_ends_first(play, scheduler):
    # 110 + 100 against 209: b0 goes at once; at 210 or 211 a tie would go to the lower index.
    a, b = Given("a", [Step((100, 900))]), Given("b", [Step((100, 209))])
    if scheduler == "sjf":  # which would take b0, the shorter, first
        a = Given("a", [Step((100, 205))])
    rows = play(a, b, scheduler=scheduler, accelerators=2, **options(scheduler, "eft"))
    assert rows == [("a0", 1, 0, 0), ("b0", 1, 1, 0)]


def test_a_tie_of_eft_goes_to_the_lower_index(play):
    a, b = Given("a", [Step((100, 900))]), Given("b", [Step((100, 210))])
    rows = play(a, b, scheduler="fcfs", accelerators=2, placement="eft")
    assert rows == [("a0", 1, 0, 0), ("b0", 1, 0, 110)]
