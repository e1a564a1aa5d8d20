"""The hand-made schedules of docs/semantics.md, in ms.

Layers have 1 ms of input and 2 ms of output to move over the off-chip link unless said otherwise.
A dispatch is written as (frame, layer, accelerator, start, switch, end).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.handmade import Given, Step

MS = 1_000_000
Row: TypeAlias = tuple[str, int, int, float, float, float]


def model(name: str, *layers: int | Step, **times: Any) -> Given:
    """A model whose layers take so many ms, or are given; times in ms, too."""
    in_ms = ("every", "deadline", "phase")
    fields = {f"{key}_ns" if key in in_ms else key: value for key, value in times.items()}
    for key in in_ms:
        if f"{key}_ns" in fields:
            fields[f"{key}_ns"] *= MS
    steps = [
        layer if isinstance(layer, Step) else Step(layer * MS, 1000, MS, 2 * MS) for layer in layers
    ]
    return Given(name, steps, **{"every_ns": 100 * MS, **fields})


@dataclass(frozen=True)
class Case:
    """One schedule.

    Args:
        title: Heading on the page.
        text: What is to be seen.
        models: What runs.
        rows: Every dispatch, in ms.
        fates: How some of the frames end, and when.
        options: Further options of the run.
        apps: Apps in turn: the letters of their models, and their length in ms.
    """

    title: str
    text: str
    models: Sequence[Given]
    rows: Sequence[Row]
    fates: dict[str, tuple[str, int]]
    options: dict[str, Any] = field(default_factory=dict)
    apps: Sequence[tuple[str, int | None]] = ()

    @property
    def file(self) -> str:
        """Name of its picture."""
        return self.title.lower().replace(",", "").replace(" ", "-") + ".png"


FILLS_THE_LINK = Step(20 * MS - 1, 1000, bytes_in=1, bytes_out=10 * MS - 1)
"""1 byte in, for the switch, 1 byte in and 10 MB - 1 out, and as many weights: 20 MB in 20 ms."""

CASES = (
    Case(
        "Two models on one accelerator",
        "Both frames are released at 0; ties go to the lower model index. Each pays for its input, "
        "1 ms. The first is complete when the second comes, so nothing of it is moved out.",
        [model("a", 20), model("b", 30)],
        [("a0", 0, 0, 0, 1, 21), ("b0", 0, 0, 21, 1, 52)],
        {"a0": ("completed", 21), "b0": ("completed", 52)},
    ),
    Case(
        "Preemption at a layer boundary",
        "Under EDF, b0 is due first, but is released in the middle of a layer of a0: it waits for "
        "the end of the layer. The accelerator then moves 2 ms of a0's output out and 1 ms of b0's "
        "input in; a0 comes back, and pays only for its input, since b0 is complete.",
        [model("a", 20, 20), model("b", 10, deadline=30, phase=10)],
        [("a0", 0, 0, 0, 1, 21), ("b0", 0, 0, 21, 3, 34), ("a0", 1, 0, 34, 1, 55)],
        {"b0": ("completed", 34)},
        {"scheduler": "edf"},
    ),
    Case(
        "A context switch paid and not paid",
        "The second layer of a0 follows the first on the same accelerator: no switch. The next "
        "frame of the same model is another frame: it pays for its input.",
        [model("a", 10, 10, every=40)],
        [
            ("a0", 0, 0, 0, 1, 11),
            ("a0", 1, 0, 11, 0, 21),
            ("a1", 0, 0, 40, 1, 51),
            ("a1", 1, 0, 51, 0, 61),
        ],
        {"a1": ("completed", 61)},
    ),
    Case(
        "A dependent that is never triggered",
        "b depends on a with probability 0: its frames do not exist, and count nowhere. c depends "
        "on a with probability 1, and is released when a0 completes.",
        [model("a", 20), model("b", 20, parent="a", probability=0.0), model("c", 20, parent="a")],
        [("a0", 0, 0, 0, 1, 21), ("c0", 0, 0, 21, 1, 42)],
        {"a0": ("completed", 21), "c0": ("completed", 42)},
    ),
    Case(
        "A frame exactly at its deadline",
        "a0 completes at 21 ms and is due at 21 ms: it meets its deadline. b0 is due 1 ms before "
        "its end, and is late.",
        [model("a", 20, deadline=21), model("b", 20, deadline=41)],
        [("a0", 0, 0, 0, 1, 21), ("b0", 0, 0, 21, 1, 42)],
        {"a0": ("completed", 21), "b0": ("completed", 42)},
    ),
    Case(
        "Displacement",
        "b may have one frame waiting. While a0 runs, b1 is released at 20 ms, and b0, the waiting "
        "frame of lowest index, is lost.",
        [model("a", 30, phase=0), model("b", 10, every=20, deadline=40, backlog=1)],
        [
            ("a0", 0, 0, 0, 1, 31),
            ("b1", 0, 0, 31, 1, 42),
            ("b2", 0, 0, 42, 1, 53),
            ("b3", 0, 0, 60, 1, 71),
        ],
        {"b0": ("displaced", 20), "b1": ("completed", 42)},
    ),
    Case(
        "Expiry",
        "With firm expiry, b0 waits at its deadline and is lost then; c0 executes at its deadline, "
        "and is lost when its layer ends, though that is its last.",
        [model("a", 20), model("c", 20, deadline=30), model("b", 20, deadline=40)],
        [("a0", 0, 0, 0, 1, 21), ("c0", 0, 0, 21, 1, 42)],
        {"b0": ("expired", 40), "c0": ("expired", 42)},
        {"expiry": "firm"},
    ),
    Case(
        "An app switch with frames in flight",
        "At 30 ms the user changes from an app with a to one with b. a releases nothing more, but "
        "a0 goes on, and b0 waits for the accelerator.",
        [model("a", 20, 20, every=40), model("b", 20, every=40)],
        [
            ("a0", 0, 0, 0, 1, 21),
            ("a0", 1, 0, 21, 0, 41),
            ("b0", 0, 0, 41, 1, 62),
        ],
        {"a0": ("completed", 41), "b0": ("completed", 62)},
        apps=[("a", 30), ("b", None)],
    ),
    Case(
        "A skipped block and an early exit",
        "The second of a's three layers is a block that this frame skips. b has an exit after its "
        "first layer, and takes it.",
        [
            model("a", 10, 20, 10, blocks=[(1, 2, 1.0)]),
            model("b", 10, 20, exits=[(0, 1.0)]),
        ],
        [("a0", 0, 0, 0, 1, 11), ("a0", 2, 0, 11, 0, 21), ("b0", 0, 0, 21, 1, 32)],
        {"a0": ("completed", 21), "b0": ("completed", 32)},
    ),
    Case(
        "A scheduler that needs its time",
        "Each dispatch is decided in 5 ms, one after the other. An accelerator is taken from the "
        "decision on, and starts when the scheduler is done.",
        [model("a", 20), model("b", 20)],
        [("a0", 0, 0, 5, 1, 26), ("b0", 0, 1, 10, 1, 31)],
        {"a0": ("completed", 26), "b0": ("completed", 31)},
        {"accelerators": 2, "decision_ns": 5 * MS},
    ),
    Case(
        "Two accelerators that share the link",
        "With contention. Each layer moves 20 MB, weights and all, of which 1 byte is its input, "
        "so that the switch takes 1 ns. In its 20 ms alone, that is all that the link can do. a0 "
        "has the link to itself until 10 ms. Then both run at half their pace: what is left of a0, "
        "10 ms, takes 20. At 30 ms it ends, and b0 runs the 10 ms that it has left alone.",
        [model("a", FILLS_THE_LINK), model("b", FILLS_THE_LINK, phase=10, deadline=80)],
        [("a0", 0, 0, 0, 1e-6, 30), ("b0", 0, 1, 10, 1e-6, 40)],
        {"a0": ("completed", 30), "b0": ("completed", 40)},
        {"accelerators": 2, "contention": True},
    ),
)
HORIZON_MS = 100
