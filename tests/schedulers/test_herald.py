from __future__ import annotations

from tests.handmade import Given, Step


def test_layers_go_by_energy_and_delay_and_to_balance_loads(play):
    # Energy × delay favours 1: 110·100 against 100·1000. Loads with the layer on 0 | on 1 would be
    # 100 | 110, 100 | 220 (beyond twice 100, so 0), 200 | 220, 200 | 330, 200 | 440 (so 0).
    a = Given("a", [Step((100, 110), (1000, 100))] * 5)
    rows = play(a, scheduler="herald", accelerators=2)
    assert [row[2] for row in rows] == [1, 0, 1, 1, 0]
    assert [row[2] for row in play(a, scheduler="fcfs", accelerators=2)] == [0] * 5
    assert [row[2] for row in play(a, scheduler="fcfs_static", accelerators=2)] == [0] * 5


def test_balance_is_an_option(play):
    a = Given("a", [Step((100, 110), (1000, 100))] * 5)
    rows = play(a, scheduler="herald", accelerators=2, balance=1000.0)
    assert [row[2] for row in rows] == [1] * 5
    # Loads with the layer on 0 | on 1 would be 100 | 110 and 100 | 220: with 1, always the lesser.
    rows = play(a, scheduler="herald", accelerators=2, balance=1.0)
    assert [row[2] for row in rows] == [0, 1, 0, 1, 0]


def test_a_layer_waits_for_its_accelerator(play):
    a, b = Given("a", [Step((1000, 90), (1000, 100))]), Given("b", [Step((990, 95), (900, 10))])
    assert play(a, b, scheduler="herald", accelerators=2) == [("a0", 1, 1, 0), ("b0", 1, 1, 100)]
