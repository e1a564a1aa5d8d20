from __future__ import annotations

import pytest

from tests.handmade import Given, Step


def test_what_cannot_be_saved_comes_last(play):
    f = Given("f", [1000])
    a = Given("a", [100], phase_ns=10, deadline_ns=590)
    b = Given("b", [100], phase_ns=10, deadline_ns=3000)
    assert [row[0] for row in play(f, a, b, scheduler="planaria")] == ["f0", "b0", "a0"]
    assert [row[0] for row in play(f, a, b, scheduler="edf")] == ["f0", "a0", "b0"]


def test_of_what_cannot_be_saved_the_shortest_is_first(play):
    f = Given("f", [1000])
    a = Given("a", [200], phase_ns=10, deadline_ns=590)
    b = Given("b", [100], phase_ns=20, deadline_ns=700)
    assert [row[0] for row in play(f, a, b, scheduler="planaria")] == ["f0", "b0", "a0"]


@pytest.mark.parametrize(("deadline_ns", "chosen"), [(300, 1), (299, 0)])
def test_the_cheapest_accelerator_that_meets_the_slack(play, deadline_ns, chosen):
    # Accelerator 1 needs a quarter of the energy, and 300 for both layers.
    step = Step((100, 150), (1000, 250))
    a = Given("a", [step, step], deadline_ns=deadline_ns)
    assert play(a, scheduler="planaria", accelerators=2)[0] == ("a0", 1, chosen, 0)


def test_needing_less_goes_before_being_due(play):
    # a0 is in time only by hopping between both accelerators (200; 1100 on one): 600 × 2. b0 needs
    # one: 1000 × 1.
    a = Given("a", [Step((100, 1000)), Step((1000, 100))], deadline_ns=600)
    b = Given("b", [Step((90, 100))], deadline_ns=1000)
    assert play(a, b, scheduler="planaria", accelerators=2)[0] == ("b0", 1, 0, 0)
    assert play(a, b, scheduler="edf", accelerators=2)[0] == ("a0", 1, 0, 0)
