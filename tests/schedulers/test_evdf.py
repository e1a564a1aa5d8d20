from __future__ import annotations

from tests.handmade import Given, Step


def test_the_deadline_of_the_next_layer_counts(play):
    # At 510: a0's first layer is a tenth of its work and due at 10 + 399; b0's is nine tenths, due
    # at 10 + 3501. By deadlines (3900, 4000) and laxities (2900, 3000), b0 would be first.
    f = Given("f", [500])
    a = Given("a", [100, 900], phase_ns=10, deadline_ns=3990)
    b = Given("b", [900, 100], phase_ns=10, deadline_ns=3890)
    assert play(f, a, b, scheduler="evdf")[1][0] == "a0"
    for other in ("edf", "llf"):
        assert play(f, a, b, scheduler=other)[1][0] == "b0"


def test_it_waits_for_the_earliest_finish(play):
    a, b = Given("a", [Step((100, 1000))]), Given("b", [Step((100, 1000))])
    assert play(a, b, scheduler="evdf", accelerators=2)[1] == ("b0", 1, 0, 110)
    assert play(a, b, scheduler="evdf", accelerators=2, placement="idle")[1] == ("b0", 1, 1, 0)
