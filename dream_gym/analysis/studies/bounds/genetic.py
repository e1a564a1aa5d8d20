"""The genetic search of MAGMA (HPCA 2022) over plans, for one window with the future known.

Its genes are an accelerator and a priority for each job; here a job is a block of a frame's layers.
Rates as published: population 100, elite 5 %, crossovers 0.9, 0.1 and 0.1, mutation 0.05 a gene.
Adapted: the first population holds the schedules of online schedulers, and children have parents
among the better half.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dream_gym.analysis.studies.bounds.plan import RANKS_PER_NS, Genome, Plan, evaluate
from dream_gym.analysis.studies.bounds.window import Window
from dream_gym.simulator import Floats, Ints, Simulation

POPULATION = 100
ELITE = 5
PARENTS = POPULATION // 2
BOTH_GENES, ONE_GENE, ACCELERATOR = 0.1, 0.9, 0.1
MUTATION = 0.05
BLOCKS = 4
"""Jobs of a frame."""


class Search:
    """The search in one window.

    Args:
        simulation: A simulation of the cell.
        window: The window.
        genome: Where its genes lie.
        seed: Seed of the world.
    """

    def __init__(self, simulation: Simulation, window: Window, genome: Genome, seed: int) -> None:
        self._simulation, self._genome, self._seed = simulation, genome, seed
        self._horizon_ns = window.horizon_ns
        self._accelerators = window.accelerators
        self._jobs, self._from_ns, self._until_ns = _jobs(window, genome)

    def run(self, seeds: Sequence[Plan], *, generations: int) -> tuple[Plan, float]:
        """Search, and return the best plan with its UXCost; no worse than any of the seeds.

        Args:
            seeds: Plans of the first population, at most `POPULATION`, at least 1.
            generations: How often children replace all but the elite.
        """
        chance = np.random.default_rng(0)
        rows = [seeds[index % len(seeds)] for index in range(POPULATION)]
        accelerator = np.stack([plan.accelerator for plan in rows])
        rank = np.stack([plan.rank for plan in rows])
        self._mutate(chance, accelerator[len(seeds) :], rank[len(seeds) :])
        cost = self._cost(accelerator, rank)
        for _ in range(generations):
            order = np.argsort(cost, kind="stable")
            accelerator, rank, cost = accelerator[order], rank[order], cost[order]
            children = self._children(chance, accelerator, rank)
            accelerator[ELITE:], rank[ELITE:] = children
            cost[ELITE:] = self._cost(*children)
        best = int(np.argmin(cost))
        return Plan(accelerator[best].copy(), rank[best].copy()), float(cost[best])

    def _cost(self, accelerator: Ints, rank: Ints) -> Floats:
        cost = np.empty(len(accelerator))
        simulation, genome = self._simulation, self._genome
        arenas = simulation.problem_arena, simulation.state_arena
        genes = np.ascontiguousarray(accelerator), np.ascontiguousarray(rank)
        evaluate(*arenas, self._seed, self._horizon_ns, genome.first, genome.layers, *genes, cost)
        return cost

    def _children(
        self, chance: np.random.Generator, accelerator: Ints, rank: Ints
    ) -> tuple[Ints, Ints]:
        count, jobs = POPULATION - ELITE, len(self._from_ns)
        mother, father = chance.integers(PARENTS, size=(2, count))
        child, order = accelerator[mother], rank[mother]
        for row in range(count):
            of_father, rank_of_father = accelerator[father[row]], rank[father[row]]
            if chance.random() < ONE_GENE:
                taken = self._stretch(chance, jobs)
                if chance.random() < 0.5:
                    child[row, taken] = of_father[taken]
                else:
                    order[row, taken] = rank_of_father[taken]
            taken = np.zeros(len(self._jobs), dtype=bool)
            if chance.random() < BOTH_GENES:
                taken |= self._stretch(chance, jobs)
            if chance.random() < ACCELERATOR:
                taken |= of_father == chance.integers(self._accelerators)
            child[row, taken], order[row, taken] = of_father[taken], rank_of_father[taken]
        self._mutate(chance, child, order)
        return child, order

    def _stretch(self, chance: np.random.Generator, jobs: int) -> NDArray[np.bool_]:
        """The genes of a range of jobs."""
        low, high = np.sort(chance.integers(jobs + 1, size=2))
        return np.asarray((self._jobs >= low) & (self._jobs < high))

    def _mutate(self, chance: np.random.Generator, accelerator: Ints, rank: Ints) -> None:
        """Give jobs, whole, another accelerator or another rank; genes of no job stay."""
        size = len(accelerator), len(self._from_ns)
        used = self._jobs >= 0
        jobs = self._jobs[used]
        moved = chance.random(size) < MUTATION
        place = chance.integers(self._accelerators, size=size)
        accelerator[:, used] = np.where(moved[:, jobs], place[:, jobs], accelerator[:, used])
        moved = chance.random(size) < MUTATION
        start = chance.integers(self._from_ns, self._until_ns, size=size) * RANKS_PER_NS
        rank[:, used] = np.where(moved[:, jobs], start[:, jobs], rank[:, used])


def _jobs(window: Window, genome: Genome) -> tuple[Ints, Ints, Ints]:
    """The job of each gene, -1 for none, and between which times each job may start."""
    jobs = np.full(genome.size, -1, dtype=np.int64)
    from_ns: list[int] = []
    until_ns: list[int] = []
    for frame in window.frames:
        for block in np.array_split(np.array(frame.layers), min(BLOCKS, len(frame.layers))):
            jobs[genome.genes(frame, block)] = len(from_ns)
            from_ns.append(frame.release_ns)
            until_ns.append(max(frame.deadline_ns, frame.release_ns + 1))
    return jobs, np.array(from_ns), np.array(until_ns)
