from __future__ import annotations

import pytest

from tests.handmade import Given, Step


def test_blocks_are_longer_under_load(play):
    # One frame on one accelerator: a block closes with the layer by which it has 10 000/20 ns. With
    # two frames it has 1000 ns, more than all layers.
    a, b = Given("a", [200] * 4), Given("b", [200] * 4)
    assert play(a, scheduler="veltair") == [("a0", 3, 0, 0), ("a0", 1, 0, 610)]
    assert play(a, b, scheduler="veltair") == [
        ("a0", 4, 0, 0),
        ("b0", 3, 0, 810),
        ("b0", 1, 0, 1420),
    ]
    assert len(play(a, scheduler="veltair", blocks=1000.0)) == 4


def test_blocks_end_at_forks(play):
    a = Given("a", [200] * 4, blocks=[(1, 2, 0.0)])
    rows = play(a, scheduler="veltair", blocks=1.0)
    assert [row[1] for row in rows] == [1, 3]


@pytest.mark.parametrize(
    ("deadline_ns", "alpha", "chosen"), [(200, 1.0, 1), (199, 1.0, 0), (399, 0.5, 0), (100, 2.0, 1)]
)
def test_the_smallest_accelerator_that_is_in_time(play, deadline_ns, alpha, chosen):
    a = Given("a", [Step((100, 200), (1000, 250))], deadline_ns=deadline_ns)
    assert play(a, scheduler="veltair", accelerators=2, alpha=alpha)[0] == ("a0", 1, chosen, 0)
    assert play(a, scheduler="fcfs", accelerators=2)[0] == ("a0", 1, 0, 0)
