from __future__ import annotations

import pytest

from tests.handmade import Given


def test_the_last_stage_goes_first(play):
    # At 110, a0 has only its last stage to run; b0, due long before it, its first.
    a = Given("a", [100, 100])
    b = Given("b", [100, 100], phase_ns=50, deadline_ns=1000)
    assert [row[0] for row in play(a, b, scheduler="sgprs", stages=2)] == ["a0", "a0", "b0", "b0"]
    for neighbour in ("edf", "evdf"):
        assert [row[0] for row in play(a, b, scheduler=neighbour)] == ["a0", "b0", "b0", "a0"]


@pytest.mark.parametrize(("deadline_ns", "second"), [(900, "a0"), (1230, "b0")])
def test_so_does_a_frame_whose_stage_was_late(play, deadline_ns, second):
    # At 410, a0 has ended its first of three stages: late for 300, in time for 410. b0 is due
    # before it, and its first stage before a0's second.
    a = Given("a", [400, 400, 400], deadline_ns=deadline_ns)
    b = Given("b", [100, 100, 100], phase_ns=20, deadline_ns=600)
    assert play(a, b, scheduler="sgprs", stages=3)[1][0] == second
    assert play(a, b, scheduler="edf")[1][0] == "b0"


def test_stages_share_the_window_out(play):
    # First stages due at 4000/4 and 3600/2 if a has four equal layers and b two.
    f = Given("f", [200])
    a = Given("a", [100] * 4, phase_ns=10, deadline_ns=4000)
    b = Given("b", [200] * 2, phase_ns=10, deadline_ns=3600)
    assert play(f, a, b, scheduler="sgprs")[1][0] == "a0"
    assert play(f, a, b, scheduler="edf")[1][0] == "b0"
