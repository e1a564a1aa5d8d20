"""The off-chip link, when what runs at the same time has to share it."""

from __future__ import annotations

import math
from fractions import Fraction

from tests.reference.world import Execution

Q = 2**20
"""Demands and remaining times are whole numbers of a Q-th."""


class Memory:
    """Which executions use the link, and how much isolated time each has left."""

    def __init__(self, bytes_per_ns: Fraction) -> None:
        self.supply = math.floor(bytes_per_ns * Q)
        self.remaining: dict[Execution, int] = {}
        self.last_change_ns = 0

    def start(self, execution: Execution, now_ns: int) -> None:
        self._run_until(now_ns)
        self.remaining[execution] = execution.isolated_ns * Q

    def end(self, execution: Execution, now_ns: int) -> None:
        self._run_until(now_ns)
        assert self.remaining.pop(execution) == 0

    def project(self, now_ns: int) -> list[Execution]:
        """Say anew when each ends if nothing changes any more; those that end at another time."""
        moved = []
        if self.last_change_ns == now_ns:
            for execution, remaining in self.remaining.items():
                end_ns = now_ns + math.ceil(remaining / (Q * self._pace()))
                if end_ns != execution.end_ns:
                    execution.end_ns = end_ns
                    moved.append(execution)
        return moved

    def _run_until(self, now_ns: int) -> None:
        """Let time pass since the last change; at one instant, only the first call counts."""
        done = math.floor((now_ns - self.last_change_ns) * Q * self._pace())
        for execution, remaining in self.remaining.items():
            self.remaining[execution] = max(remaining - done, 0)
        self.last_change_ns = now_ns

    def _pace(self) -> Fraction:
        """How much isolated time passes for each in one ns."""
        demand = sum(
            math.floor(Fraction(execution.moved_bytes * Q, execution.isolated_ns))
            for execution in self.remaining
        )
        return Fraction(self.supply, max(self.supply, demand))
