from __future__ import annotations

from tests.handmade import Given, Step


def test_each_model_has_its_accelerator(play):
    # a has more work and takes 0 (400 against 500); b then takes 1 (700 against 350), though 0 is
    # idle and faster when a frame of b is the oldest.
    a, b = Given("a", [Step((400, 500))]), Given("b", [Step((300, 350))])
    rows = play(b, a, scheduler="fcfs_static", accelerators=2)
    assert rows == [("b0", 1, 1, 0), ("a0", 1, 0, 0)]
    assert play(b, a, scheduler="fcfs", accelerators=2)[0] == ("b0", 1, 0, 0)


def test_work_counts_by_rate(play):
    # 2 × 300 at its best against 400: b chooses first.
    a = Given("a", [Step((400, 500))])
    b = Given("b", [Step((300, 350))], every_ns=5000)
    rows = play(a, b, scheduler="fcfs_static", accelerators=2)
    assert rows[:2] == [("a0", 1, 1, 0), ("b0", 1, 0, 0)]
