from __future__ import annotations

from tests.handmade import Given


def test_laxity_counts_the_work_that_is_left(play):
    # At 510: a0 can wait until 3000 - 100, b0, due later, only until 4000 - 2500.
    f = Given("f", [500])
    a = Given("a", [100], phase_ns=10, deadline_ns=2990)
    b = Given("b", [2500], phase_ns=10, deadline_ns=3990)
    assert [row[0] for row in play(f, a, b, scheduler="llf")] == ["f0", "b0", "a0"]
    assert [row[0] for row in play(f, a, b, scheduler="edf")] == ["f0", "a0", "b0"]
