"""Random apps: which models run on a platform, how often, by when, and after which others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dream_gym.generator.chips import Kind, frame_seconds
from dream_gym.generator.draws import Draws
from dream_gym.hardware import BUSIEST_STEPS, busiest_share
from dream_gym.workload import NETWORKS

LEAST_MODELS, MOST_MODELS = 2, 16
RATES = (1, 2, 3, 5, 10, 15, 30, 45, 60, 90, 120)
"""Frames per second at load 1."""
MOST_CASCADES = 3
LEAST_PROBABILITY = 0.2
LEAST_DEADLINE, MOST_DEADLINE = 0.5, 1.5
"""In periods at the load."""
MOST_JITTER = 0.2
"""In periods at the load."""
MOST_OF_DEADLINE = 0.6
"""Share of its deadline that a frame may need alone, with those that it depends on."""
LEAST_LOAD, MOST_LOAD = 0.4, 2.5
LOAD_DIGITS = 3
FIRST_LOADS = (0.5, 2.0)
"""Range of the load that rates are first drawn for."""
MOST_ROOM = 2.05
LEAST_ROOM = 1.05
"""How much more work than asked for the models may do within their limits; the more, the more of
them there are."""
_MOST_ROUNDS = 20
_TRIALS, _TRIAL_STEPS = 3, 20
"""How often the amount of work is corrected before loads are settled, and how precisely."""


@dataclass
class Model:
    """A model while it is drawn.

    Args:
        network: Name of its network.
        seconds: What a frame takes on each accelerator, see `frame_seconds`.
        least_s: Least latency of a frame.
        deadline: Relative deadline in periods at the load.
        rate: Frames per second at load 1.
        parent: The model whose frames trigger its own.
        probability: Probability that they do.
        jitter: Most release jitter in periods at the load; 0 for a dependent.
    """

    network: str
    seconds: NDArray[np.float64]
    least_s: float
    deadline: float
    rate: int = 0
    parent: Model | None = None
    probability: float = 1.0
    jitter: float = 0.0

    @property
    def chain_s(self) -> float:
        """Least time from the release of the root to the end of a frame."""
        return self.least_s + (self.parent.chain_s if self.parent else 0.0)

    @property
    def chance(self) -> float:
        """Probability that a frame exists."""
        return self.probability * (self.parent.chance if self.parent else 1.0)

    def needed_deadline(self, load: float) -> float:
        """The deadline in periods of which a frame alone needs as much as it may."""
        return self.chain_s * self.rate * load / MOST_OF_DEADLINE


@dataclass(frozen=True)
class App:
    """Models and the load that makes them use a share of a platform.

    Args:
        models: The models, parents and children in any order.
        load: Factor on every rate.
    """

    models: list[Model]
    load: float


def draw_app(draws: Draws, kinds: Sequence[Kind], utilisation: float) -> App | None:
    """An app that uses a share of a platform; None if these draws make none that makes sense.

    Args:
        draws: Where it is drawn from.
        kinds: The accelerators.
        utilisation: Share of the platform, see `busiest_share`.
    """
    load = draws.uniform(*FIRST_LOADS)
    models = _draw_models(draws, kinds, utilisation, load)
    if models is None:
        return None
    _set_rates(models, draws.parts_of_one(len(models)), utilisation, load)
    _draw_cascades(draws, models, load)
    for model in models:
        jitter = draws.uniform(0.0, MOST_JITTER)
        model.jitter = jitter if model.parent is None else 0.0
    return _settle(draws, models, utilisation)


def used_share(models: Sequence[Model], *, steps: int = BUSIEST_STEPS) -> float:
    """Share of the platform that models use at load 1, see `busiest_share`."""
    work = [model.seconds * (model.rate * model.chance) for model in models]
    return busiest_share(np.concatenate(work), steps=steps)


def _draw_models(
    draws: Draws, kinds: Sequence[Kind], utilisation: float, load: float
) -> list[Model] | None:
    """As many models as can do the work within their limits, and some room; None if too few can."""
    wanted = utilisation * len(kinds) * draws.uniform(LEAST_ROOM, MOST_ROOM)
    models: list[Model] = []
    for network in draws.shuffled(sorted(NETWORKS)):
        seconds = frame_seconds(network, kinds)
        least_s = sum(seconds.min(axis=1).tolist())
        model = Model(network, seconds, least_s, draws.uniform(LEAST_DEADLINE, MOST_DEADLINE))
        enough = sum(_most_work(model, load) for model in models) >= wanted
        if len(models) == MOST_MODELS or (enough and len(models) >= LEAST_MODELS):
            break
        if model.least_s * RATES[0] * load <= MOST_OF_DEADLINE * model.deadline:
            models.append(model)
    room = sum(_most_work(model, load) for model in models)
    return models if room >= LEAST_ROOM * utilisation * len(kinds) else None


def _most_work(model: Model, load: float) -> float:
    """The most seconds of work a second that a model may ask for."""
    return min(MOST_OF_DEADLINE * model.deadline, RATES[-1] * load * model.least_s)


def _set_rates(
    models: Sequence[Model], weights: Sequence[float], utilisation: float, load: float
) -> None:
    """Give models rates by the shares of the work that were drawn.

    How much work uses that share of the platform depends on who does it: it is found by trial.
    """
    work = utilisation * models[0].seconds.shape[1]
    for _ in range(_TRIALS):
        for model, share in zip(models, _shares(models, weights, work, load), strict=True):
            most = MOST_OF_DEADLINE * model.deadline / model.least_s / load
            model.rate = _nearest_rate(share / model.least_s / load, most)
        work *= utilisation / (load * used_share(models, steps=_TRIAL_STEPS))


def _shares(
    models: Sequence[Model], weights: Sequence[float], work: float, load: float
) -> list[float]:
    """Seconds of work a second for each model: as drawn, but no more than it may.

    What one may not do is left to the others, in the ratio of what they have drawn.
    """
    most = [_most_work(model, load) for model in models]
    shares, free, left = list(most), list(range(len(models))), work
    while free:
        total = sum(weights[index] for index in free)
        full = [index for index in free if weights[index] / total * left >= most[index]]
        if not full:
            for index in free:
                shares[index] = weights[index] / total * left
            break
        left -= sum(most[index] for index in full)
        free = [index for index in free if index not in full]
    return shares


def _nearest_rate(wanted: float, most: float) -> int:
    """The rate whose ratio to the one wanted is nearest to 1, of those that are not too high."""
    allowed = [rate for rate in RATES if rate <= most]
    return min(allowed, key=lambda rate: max(wanted, rate) / max(min(wanted, rate), 1e-9))


def _draw_cascades(draws: Draws, models: Sequence[Model], load: float) -> None:
    """Let some models depend on others, as far as there are pairs that may."""
    for _ in range(draws.index(MOST_CASCADES + 1)):
        parents = {id(model.parent) for model in models}
        pairs = [
            (parent, child)
            for parent in models
            for child in models
            if parent is not child
            and child.parent is None
            and id(child) not in parents
            and parent.rate % child.rate == 0
            and (parent.chain_s + child.least_s) * child.rate * load
            <= MOST_OF_DEADLINE * child.deadline
        ]
        if pairs:
            parent, child = draws.choice(pairs)
            child.parent = parent
            child.probability = round(draws.uniform(LEAST_PROBABILITY, 1.0), 2)


def _settle(draws: Draws, models: list[Model], utilisation: float) -> App | None:
    """Find the load of a utilisation; lower rates where a model could not meet its deadline."""
    for _ in range(_MOST_ROUNDS):
        load = round(utilisation / used_share(models), LOAD_DIGITS)
        late = [model for model in models if model.needed_deadline(load) > model.deadline]
        if not late:
            return App(models, load) if LEAST_LOAD <= load <= MOST_LOAD else None
        for model in late:
            needed = model.needed_deadline(load)
            if needed <= MOST_DEADLINE:
                model.deadline = draws.uniform(needed, MOST_DEADLINE)
            elif not _lower_rate(model, models):
                return None
    return None


def _lower_rate(model: Model, models: Sequence[Model]) -> bool:
    """Take the next lower rate that fits the model's parent and children, if there is one."""
    children = [child for child in models if child.parent is model]
    for rate in reversed(RATES):
        fits = model.parent is None or model.parent.rate % rate == 0
        if rate < model.rate and fits and all(rate % child.rate == 0 for child in children):
            model.rate = rate
            return True
    return False
