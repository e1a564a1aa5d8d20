from __future__ import annotations

from tests.handmade import Given, RunByHand


def test_between_mapscore_and_the_whole(run: RunByHand) -> None:
    """Of its neighbours one drops nothing, the other runs a lighter variant, too."""
    a = Given("a", [1000], deadline_ns=500)
    b = Given("b", [1000], lighter=[Given("light", [300])], deadline_ns=600)
    fates = {}
    for scheduler in ("dream_mapscore", "dream_smartdrop", "dream_full"):
        seen = run(a, b, scheduler=scheduler)
        fates[scheduler] = seen.fates["a0"][0], seen.variants["b0"]
    assert fates == {
        "dream_mapscore": ("completed", 0),
        "dream_smartdrop": ("dropped", 0),
        "dream_full": ("dropped", 1),
    }


def test_options_of_mapscore(run: RunByHand) -> None:
    # b0 is late when f0 ends, alone.
    f = Given("f", [1000])
    a = Given("a", [100], phase_ns=10, deadline_ns=5000)
    b = Given("b", [100], phase_ns=10, deadline_ns=700)
    order = {
        rule: [row[0] for row in run(f, a, b, scheduler="dream_smartdrop", late_urgency=rule).rows]
        for rule in ("floor", "last")
    }
    assert order == {"floor": ["f0", "b0", "a0"], "last": ["f0", "a0", "b0"]}
