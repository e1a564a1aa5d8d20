from __future__ import annotations

import pytest

from tests.handmade import Given


@pytest.mark.parametrize(("deadline_ns", "first"), [(20_000, "b0"), (9000, "a0")])
def test_weighs_waiting_against_urgency(play, deadline_ns, first):
    # At 1010, a0 has waited 1000/1000, b0 200/100. Urgency adds 10·1000/20 000 to a0 and
    # 10·100/40 000 to b0: 2.5 against 3.025; with a slack of 9000, a0 has 3.11.
    long = {"every_ns": 60_000}
    f = Given("f", [1000], **long)
    a = Given("a", [1000], phase_ns=10, deadline_ns=1000 + deadline_ns, **long)
    b = Given("b", [100], phase_ns=810, deadline_ns=200 + 40_000, **long)
    rows = play(f, a, b, scheduler="moca", horizon_ns=60_000)
    assert rows[1][0] == first
    for other in ("fcfs", "edf"):
        assert play(f, a, b, scheduler=other, horizon_ns=60_000)[1][0] == "a0"
