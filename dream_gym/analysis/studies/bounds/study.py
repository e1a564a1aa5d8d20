"""The study: bounds and schedulers side by side, window by window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any, NamedTuple

from dream_gym.analysis.extra import cp_model
from dream_gym.analysis.runs.parts import NOTHING_KEPT, Parts
from dream_gym.analysis.runs.pool import processes, run_tasks
from dream_gym.analysis.studies.bounds.exact import near_optimal
from dream_gym.analysis.studies.bounds.genetic import Search
from dream_gym.analysis.studies.bounds.plan import Plan, make_genome, plan_of, play
from dream_gym.analysis.studies.bounds.relaxation import prove_energies, prove_rates
from dream_gym.analysis.studies.bounds.window import Attained, attained, read_window
from dream_gym.compiling.sources import package_digest
from dream_gym.errors import ConfigError
from dream_gym.players import Player
from dream_gym.simulator import Cell, Result, Simulation

EXACT, GENETIC = "CP-SAT", "magma"


class Budget(NamedTuple):
    """How much computation bounds may take.

    Args:
        limit: Deterministic time of each solution of CP-SAT, of which there are four a window;
            about seconds. 0 leaves CP-SAT out, and what it finds and proves.
        generations: Generations of the genetic search.
        blocks: Most blocks of a frame for CP-SAT.
    """

    limit: float = 0.5
    generations: int = 50
    blocks: int = 8

    def check(self) -> None:
        """Raise `ConfigError` where a number is out of range."""
        if not self.limit >= 0:
            raise ConfigError(f"limit: expected at least 0, got {self.limit:g}")
        for name, value, least in (
            ("generations", self.generations, 0),
            ("blocks", self.blocks, 1),
        ):
            if value < least:
                raise ConfigError(f"{name}: expected at least {least}, got {value}")


@dataclass(frozen=True)
class Proofs:
    """What CP-SAT proved in one window.

    Args:
        rates: No schedule has a lower sum of violation rates.
        energies: None whose sum of violation rates is at most the best known one's has a lower
            sum of normalised energies.
        model_rates: CP-SAT's bound on the sum of violation rates in its own model, of blocks.
        model_energies: Its bound on the sum of energies in the same model, for violation rates that
            are at most those of its schedule.
    """

    rates: float
    energies: float
    model_rates: float
    model_energies: float


@dataclass(frozen=True)
class WindowBounds:
    """What was found in one window; ready for JSON by ``asdict``.

    Args:
        seed: Seed of the world.
        frames: Number of frames.
        lower_bound: The analytic lower bound of UXCost.
        proven_uxcost: No schedule has a lower UXCost; the analytic bound where CP-SAT is left out.
        proofs: What CP-SAT proved; None where it is left out.
        played: UXCost, both of its factors and the number of violations of each schedule.
    """

    seed: int
    frames: int
    lower_bound: float
    proven_uxcost: float
    proofs: Proofs | None
    played: dict[str, Attained]

    @staticmethod
    def from_json(row: dict[str, Any]) -> WindowBounds:
        """The inverse of ``asdict``."""
        proofs = row["proofs"]
        played = {name: Attained(**figures) for name, figures in row["played"].items()}
        return WindowBounds(
            **{**row, "proofs": None if proofs is None else Proofs(**proofs), "played": played}
        )

    @property
    def best(self) -> float:
        """UXCost of the best known schedule."""
        return min(row.uxcost for row in self.played.values())


class _Task(NamedTuple):
    cell: int
    seed: int


@dataclass
class _Job:
    """What the windows of a study have in common."""

    cells: tuple[Cell, ...]
    policies: tuple[Player, ...]
    seconds: float
    budget: Budget
    _digests: dict[int, str] = field(default_factory=dict)

    def key(self, task: _Task) -> Any:
        """See `Job`."""
        if task.cell not in self._digests:
            self._digests[task.cell] = self.cells[task.cell].digest()
        packages = ["numpy", "numba"] + ["ortools"] * (self.budget.limit > 0)
        versions = [version(package) for package in packages]
        who = [[policy.name, policy.settings] for policy in self.policies]
        where = [package_digest(), versions, self._digests[task.cell], task.seed, self.seconds]
        return ["bounds", *where, who, self.budget]

    def run(self, task: _Task) -> Any:
        """See `Job`."""
        cell = self.cells[task.cell]
        results = {
            policy.name: policy.run(cell, task.seed, self.seconds, record=True)
            for policy in self.policies
        }
        world = cell.simulation()
        world.reset(seed=task.seed, seconds=self.seconds)
        return asdict(bound_window(world, results, self.budget))


def bound_window(world: Simulation, results: dict[str, Result], budget: Budget) -> WindowBounds:
    """Bound the results that schedules can reach in one window.

    Args:
        world: The window, just reset; it has no scheduler, and no network has variants.
        results: Results of schedulers in it, recorded, by name; at least one.
        budget: How much computation it may take.
    """
    first = next(iter(results.values()))
    seed, seconds = first.seed, first.seconds
    window = read_window(world, first)
    genome = make_genome(world, window)
    plans = [plan_of(genome, result) for result in results.values()]

    def played(plan: Plan) -> Result:
        return play(world, genome, plan, seed=seed, seconds=seconds)

    found, _ = Search(world, window, genome, seed).run(plans, generations=budget.generations)
    runs = {**results, GENETIC: played(found)}
    figures = {name: attained(window, run) for name, run in runs.items()}
    proven_uxcost, proofs = first.lower_bound, None
    if budget.limit > 0:
        least_rates = prove_rates(window, limit=budget.limit)
        known = sorted(runs, key=lambda name: runs[name].uxcost)
        near = near_optimal(
            window,
            genome,
            [plan_of(genome, runs[name]) for name in known],
            blocks=budget.blocks,
            limit=budget.limit,
        )
        if near.plan is not None:
            figures[EXACT] = attained(window, played(near.plan))
        rates = min(row.rates for row in figures.values())
        energies = prove_energies(window, least_rates=least_rates, rates=rates, limit=budget.limit)
        proven = least_rates / window.rate_unit
        proofs = Proofs(proven, energies, max(proven, near.rates), near.energies)
        # A schedule has at most the violations of the best known one, or else more.
        least = sum(window.energy_share(f.model, window.least_energy_pj(f)) for f in window.frames)
        proven_uxcost = max(proven_uxcost, min(proofs.rates * energies, rates * least))
    return WindowBounds(seed, len(window.frames), first.lower_bound, proven_uxcost, proofs, figures)


def run_study(
    cells: Sequence[Cell],
    policies: Sequence[Player],
    seeds: Sequence[int],
    *,
    seconds: float,
    budget: Budget,
    workers: int = 1,
    parts: Parts = NOTHING_KEPT,
    on_start: Callable[[int], None] = lambda windows: None,
    on_window: Callable[[str], None] = lambda cell: None,
) -> list[list[WindowBounds]]:
    """Bound the windows of cells, from their start, and let schedulers play them.

    The outcome is the same whatever the number of workers, and whether or not it was interrupted.

    Args:
        cells: The cells; Supernets run their original network only.
        policies: The schedulers.
        seeds: Seeds of the worlds.
        seconds: Length of the windows.
        budget: How much computation a window may take.
        workers: Number of processes.
        parts: Where to keep finished work, see `parts.keep_parts`.
        on_start: Called with the number of windows.
        on_window: Called with the title of the cell after each window.

    Returns:
        The windows of each cell, in the order of the seeds.

    Raises:
        ConfigError: An argument is out of range.
        DreamGymError: OR-Tools is missing.
    """
    budget.check()
    if workers < 1:
        raise ConfigError(f"workers: expected at least 1, got {workers}")
    if budget.limit > 0:
        cp_model()
    plain = tuple(cell.without_variants() for cell in cells)
    for cell in plain:
        cell.check_frames(seconds)
    job = _Job(plain, tuple(policies), seconds, budget)
    tasks = [_Task(cell, seed) for cell in range(len(cells)) for seed in seeds]
    on_start(len(tasks))
    with processes(job, workers) as pool:
        rows = run_tasks(
            job, tasks, pool, parts=parts, on_done=lambda task: on_window(cells[task.cell].title)
        )
    found = [WindowBounds.from_json(row) for row in rows]
    return [found[at : at + len(seeds)] for at in range(0, len(found), len(seeds))]
