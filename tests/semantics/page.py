"""docs/semantics.md, made from the cases."""

from __future__ import annotations

from pathlib import Path

from tests.semantics.cases import CASES, MS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "semantics.md"
PICTURES = DOCS / "images" / "semantics"

INTRODUCTION = """# Semantics, by example

What the simulator does, in schedules that are small enough to be worked out by hand. Each of them
is a test: engine and reference simulator must give exactly the dispatches listed. Unless it says
otherwise there is one accelerator, the scheduler is FCFS, and every frame is due 100 ms after its
release; a layer has 1 ms of input and 2 ms of output to move over the off-chip link when an
accelerator changes frames.

In the pictures, a block is a frame's run of layers, pale while activations are moved; below, a line
is a frame from its release to its end, a tick its deadline, and a red cross a deadline missed.

Made by `python -m tests.semantics`.
"""


def page() -> str:
    """The text of the page."""
    parts = [INTRODUCTION]
    for case in CASES:
        picture = f"![{case.title}](images/semantics/{case.file})"
        rows = "\n".join(
            f"| {frame} | {layer} | {accelerator} | {start:g} | {switch:g} | {end:g} |"
            for frame, layer, accelerator, start, switch, end in case.rows
        )
        parts.append(
            f"## {case.title}\n\n{case.text}\n\n{picture}\n\n"
            "| frame | layer | accelerator | start, ms | switch, ms | end, ms |\n"
            f"|---|---|---|---|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


__all__ = ["CASES", "MS", "PAGE", "PICTURES", "page"]
