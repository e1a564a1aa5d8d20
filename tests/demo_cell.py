"""Which random workload the demo shows: the median of those that are neither calm nor hopeless.

``python -m tests.demo_cell`` runs FCFS and `dream_full` on the first 200 training workloads of the
generator, with 5 training seeds of 5 s each. Of those where FCFS violates 5 to 30 % of the frames
it names the median by the violation rate of `dream_full`, the lower of two.
"""

from __future__ import annotations

import multiprocessing

from dream_gym.players import make_player
from dream_gym.simulator import Cell
from dream_gym.workload import training_seeds

WORKLOADS, SEEDS, SECONDS = 200, 5, 5.0
LEAST_MISSED, MOST_MISSED = 0.05, 0.30


def violation_rate(scheduler: str, workload: int) -> float:
    """Mean violation rate over the training seeds."""
    player, cell = make_player(scheduler), Cell.generated(workload)
    rates = [player.run(cell, seed, SECONDS).mean_violation_rate for seed in training_seeds(SEEDS)]
    return sum(rates) / len(rates)


def both_rates(workload: int) -> tuple[float, float | None]:
    """Those of FCFS and `dream_full`; the latter is not asked where the former does not suit."""
    fcfs = violation_rate("fcfs", workload)
    suits = LEAST_MISSED <= fcfs <= MOST_MISSED
    return fcfs, violation_rate("dream_full", workload) if suits else None


def main() -> None:
    """Print the workloads that qualify, by `dream_full`'s violation rate, and the median."""
    workloads = training_seeds(WORKLOADS)
    with multiprocessing.get_context("spawn").Pool() as pool:
        rates = pool.map(both_rates, workloads, chunksize=1)
    found = sorted(
        (dream, fcfs, workload)
        for workload, (fcfs, dream) in zip(workloads, rates, strict=True)
        if dream is not None
    )
    for dream, fcfs, workload in found:
        print(f"generated:{workload}  fcfs {fcfs:.2%}  dream_full {dream:.2%}")
    dream, fcfs, workload = found[(len(found) - 1) // 2]
    print(f"median of {len(found)}: generated:{workload}, load {Cell.generated(workload).load:g}")


if __name__ == "__main__":
    main()
