from __future__ import annotations

from tests.handmade import Given, Step


def test_the_least_mean_latency_goes_first(play):
    # Means of 300 and 200, though a0 could be run in 100.
    a, b = Given("a", [Step((100, 500))]), Given("b", [Step((200, 200))])
    assert play(a, b, scheduler="sjf", accelerators=2) == [("b0", 1, 0, 0), ("a0", 1, 1, 0)]
    assert play(a, b, scheduler="fcfs", accelerators=2) == [("a0", 1, 0, 0), ("b0", 1, 1, 0)]


def test_layers_that_have_run_do_not_count(play):
    # At 1010, a0 has 50 left of 1050, b0 100 of 100.
    a, b = Given("a", [1000, 50]), Given("b", [100], phase_ns=10, deadline_ns=9000)
    assert [row[0] for row in play(a, b, scheduler="sjf")] == ["a0", "a0", "b0"]
