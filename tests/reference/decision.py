"""What a scheduler is asked, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tests.reference.outcome import Outcome
from tests.reference.world import Accelerator, Execution, Frame


@dataclass
class Moment:
    """One decision: it is asked at every instant at which something happens, until it passes."""

    now_ns: int
    unfinished: list[Frame]  # released and neither complete nor lost, in any order
    accelerators: list[Accelerator]  # by index
    outcome: Outcome  # so far

    @property
    def waiting(self) -> list[Frame]:
        """By seniority."""
        return sorted((frame for frame in self.unfinished if frame.waiting), key=seniority)

    @property
    def idle(self) -> list[Accelerator]:
        return [item for item in self.accelerators if item.running is None]

    @property
    def running(self) -> list[Execution]:
        return [item.running for item in self.accelerators if item.running is not None]

    def remark(self, trait: str) -> None:
        """Note that the scheduler did something worth seeing, which its dispatches do not show."""
        self.outcome.remarks.add(trait)


class Choice(NamedTuple):
    """To dispatch a frame, or to drop it where there is no accelerator."""

    frame: Frame
    accelerator: Accelerator | None
    variant: int = 0
    layers: int = 1


Choose: TypeAlias = Callable[[Moment], Choice | None]
"""A scheduler; None is to pass."""


def seniority(frame: Frame) -> tuple[int, int, int]:
    """How ties are broken: the earlier release, then the lower model, then the lower frame."""
    assert frame.release_ns is not None
    return frame.release_ns, frame.model.index, frame.index
