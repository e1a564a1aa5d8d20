from __future__ import annotations

from tests.handmade import Given, Step


def test_the_longest_goes_first(play):
    a, b = Given("a", [100]), Given("b", [500])
    assert [row[0] for row in play(a, b, scheduler="heft_rt")] == ["b0", "a0"]
    assert [row[0] for row in play(a, b, scheduler="sjf")] == ["a0", "b0"]


def test_what_is_mapped_takes_up_its_accelerator(play):
    # By rank: f0 starts on 0, which is busy to 210. x0 would end there at 310, on 1 at 350: it
    # waits. So y0 would end there at 410, on 1 at 330, and starts. Without x0's place in the queue
    # it would wait for 310.
    f = Given("f", [Step((200, 5000))])
    x, y = Given("x", [Step((100, 350))]), Given("y", [Step((100, 330))])
    rows = play(f, x, y, scheduler="heft_rt", accelerators=2)
    assert rows == [("f0", 1, 0, 0), ("y0", 1, 1, 0), ("x0", 1, 0, 210)]
    rows = play(f, x, y, scheduler="fcfs", placement="eft", accelerators=2)
    assert rows[1] == ("x0", 1, 0, 210)
