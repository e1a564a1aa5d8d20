"""The schedulers of the reference by id."""

from __future__ import annotations

from typing import Any

from tests.reference import dream
from tests.reference.schedulers import Choose, dream_mapscore, edf, fcfs, whim

DREAMS = {
    "dream_mapscore": dream_mapscore,
    "dream_smartdrop": dream.dream_smartdrop,
    "dream_full": dream.dream_full,
    "dream_plus": dream.dream_plus,
    "dream_online": dream.dream_online,
}


def make_choose(scheduler: str | Choose, dram_pj_per_byte: int, **options: Any) -> Choose:
    """A scheduler for one run."""
    if callable(scheduler):
        return scheduler
    if scheduler in DREAMS:
        return DREAMS[scheduler](dram_pj_per_byte, **options)
    return {"fcfs": fcfs, "edf": edf, "whim": whim()}[scheduler]
