"""Response times: from when the input of a chain of models is due to the end of a frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dream_gym.simulator import Ints, Table
from dream_gym.simulator.frames import COMPLETED

QUANTILES = (0.5, 0.99, 1.0)


class Responses(NamedTuple):
    """Quantiles of response times; None where no frame completed.

    Args:
        p50: The median.
        p99: The 99th percentile, interpolated.
        max: The longest.
    """

    p50: float | None = None
    p99: float | None = None
    max: float | None = None


def response_times_ns(frames: Table, nominal_ns: Ints) -> Ints:
    """From the nominal time of a frame's root to the frame's end, shape (frames,).

    So it is end to end along a cascade, jitter included, and a frame is late exactly if it is
    longer than the frame's relative deadline. Of a lost frame it is how long it was kept.

    Args:
        frames: A record of frames.
        nominal_ns: See `Simulation.nominal_ns`.
    """
    times: Ints = frames["end_ns"] - nominal_ns
    return times


def responses_by_model(frames: Table, nominal_ns: Ints, models: int) -> list[Responses]:
    """Response times of the completed frames of each model in ns."""
    times_ns = response_times_ns(frames, nominal_ns)
    done = frames["fate"] == COMPLETED
    return [_quantiles(times_ns[done & (frames["model"] == model)]) for model in range(models)]


def responses_of_deadline(frames: Table, nominal_ns: Ints) -> Responses:
    """Response times of all completed frames, as shares of their relative deadlines."""
    done = frames["fate"] == COMPLETED
    shares = response_times_ns(frames, nominal_ns) / (frames["deadline_ns"] - nominal_ns)
    return _quantiles(shares[done])


def _quantiles(values: Ints | NDArray[np.float64]) -> Responses:
    return Responses(*np.quantile(values, QUANTILES).tolist()) if len(values) else Responses()
