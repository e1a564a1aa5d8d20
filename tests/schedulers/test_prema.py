from __future__ import annotations

import pytest

from tests.handmade import Given


@pytest.mark.parametrize(("released_ns", "first"), [(10, "a0"), (900, "b0")])
def test_tokens_beat_length(play, released_ns, first):
    # Decisions at 990, when b0 comes, and at 1010. a0 gains (990 - 10)/400 and (1010 - 10)/400:
    # 1 + 2.45 + 2.5 tokens, beyond the threshold of 3, which b0's 1 + 20/100 are not. Released at
    # 900 it has 1 + 0.225 + 0.275: both are candidates, and the shorter is first.
    f = Given("f", [1000])
    a = Given("a", [400], phase_ns=released_ns, deadline_ns=9000)
    b = Given("b", [100], phase_ns=990, deadline_ns=9000)
    rows = play(f, a, b, scheduler="prema", priorities="equal")
    assert rows[1][0] == first
    assert play(f, a, b, scheduler="sjf")[1][0] == "b0"


@pytest.mark.parametrize(("priorities", "first"), [("rate", "a0"), ("equal", "b0")])
def test_the_model_of_the_highest_rate_has_nine_tokens(play, priorities, first):
    # Two of three models have a lower rate than a; so it is the only one above the threshold of 9.
    f = Given("f", [500])
    a = Given("a", [400], every_ns=5000, phase_ns=400)
    b = Given("b", [100], phase_ns=400, deadline_ns=9000)
    assert play(f, a, b, scheduler="prema", priorities=priorities)[1][0] == first
