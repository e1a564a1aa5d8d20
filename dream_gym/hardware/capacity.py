"""How much of a platform some work needs, however it is spread over the accelerators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BUSIEST_STEPS = 100
"""With so many, the share is found to within 1 %, in most cases 0.1 %."""
_FIRST_STEP = 0.5


def busiest_share(work: NDArray[np.float64], *, steps: int = BUSIEST_STEPS) -> float:
    """The share of time for which some accelerator must be busy, however work is spread.

    Each piece of work is done on any of the accelerators, or in parts on several. The least time
    of the busiest accelerator is the value of a linear program. By its dual it is the largest,
    over all prices of the accelerators that add up to 1, of what the work costs if each piece is
    done where that is cheapest; prices of busy accelerators are raised, step by step. Any prices
    give a bound that nobody can beat, so the share is never overstated.

    It computes with +, -, × and ÷ in a fixed order: the same bits on every machine.

    Args:
        work: What each piece takes on each accelerator, shape (pieces, accelerators), in any unit
            of time per unit of time.
        steps: How often to change the prices.

    Returns:
        The share; above 1, nobody keeps up.
    """
    pieces, accelerators = work.shape
    row = np.arange(pieces)
    prices = np.full(accelerators, 1.0 / accelerators)
    share = 0.0
    for step in range(steps):
        chosen = (work * prices).argmin(axis=1)
        # Unlike np.sum, bincount adds one by one.
        busy = np.bincount(chosen, weights=work[row, chosen], minlength=accelerators)
        share = max(share, sum((prices * busy).tolist()))
        most = busy.max()
        if most == 0.0:
            return 0.0
        prices = prices * (1.0 + _FIRST_STEP / (1.0 + step / 10.0) * (busy / most))
        prices = prices / sum(prices.tolist())
    return share
