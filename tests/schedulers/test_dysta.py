from __future__ import annotations

from tests.handmade import Given


def test_weighs_slack_against_length(play):
    # In ms, but for the waiting, which is below 0.01: a 0.2 + 0.01·(5 - 0.2) = 0.248,
    # b 0.19 + 0.01·(20 - 0.19) = 0.388, c 0.1 + 0.01·(8 - 0.1) = 0.179.
    every = {"every_ns": 30_000_000, "phase_ns": 1000}
    f = Given("f", [100_000], every_ns=30_000_000)
    a = Given("a", [200_000], deadline_ns=5_100_000, **every)
    b = Given("b", [190_000], deadline_ns=20_100_000, **every)
    c = Given("c", [100_000], deadline_ns=8_100_000, **every)

    def order(scheduler: str) -> str:
        rows = play(f, a, b, c, scheduler=scheduler, horizon_ns=30_000_000)
        return "".join(row[0][0] for row in rows[1:])

    assert order("dysta") == "cab"
    assert order("sjf") == "cba"
    assert order("edf") == "acb"


def test_what_has_waited_for_long_goes_later(play):
    # At 100 010 both are due in 30 ms. a waits 99 of its isolated times, b half of its one:
    # a 0.001 + 0.01·(30 + 99/2), b 0.002 + 0.01·(30 + 0.5/2).
    f = Given("f", [100_000], every_ns=30_000_000)
    a = Given("a", [1000], every_ns=30_000_000, phase_ns=1000, deadline_ns=30_099_000)
    b = Given("b", [2000], every_ns=30_000_000, phase_ns=99_000, deadline_ns=30_001_000)

    def order(scheduler: str) -> str:
        rows = play(f, a, b, scheduler=scheduler, horizon_ns=30_100_000)
        return "".join(row[0] for row in rows[1:3])

    assert order("dysta") == "b0a0"
    assert order("sjf") == "a0b0"
