"""The benchmark: every policy on every cell, in the same worlds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dream_gym.analysis.extra import polars
from dream_gym.analysis.policies import Policy
from dream_gym.analysis.suite import Cell, Suite
from dream_gym.errors import ConfigError
from dream_gym.simulator import Result
from dream_gym.workload.seeds import evaluation_seeds

if TYPE_CHECKING:
    import polars as pl

PJ_PER_MJ = 1e9
"""Picojoules in a millijoule."""


@dataclass(frozen=True)
class Benchmark:
    """The outcome of a benchmark.

    Args:
        suite: What was run.
        policies: Names of the policies in order.
        seeds: The evaluation seeds.
        settings: What each policy was set to, one dict per cell and policy.
        rows: One row per cell, policy and seed, in that order; see `result_row`.
    """

    suite: Suite
    policies: tuple[str, ...]
    seeds: range
    settings: tuple[dict[str, Any], ...]
    rows: pl.DataFrame

    def cell_rows(self, cell: Cell) -> pl.DataFrame:
        """The rows of one cell."""
        return self.rows.filter(cell=self.suite.cells.index(cell))


def run_benchmark(
    suite: Suite,
    policies: Sequence[Policy],
    *,
    on_start: Callable[[str], None] = lambda _: None,
    on_run: Callable[[], None] = lambda: None,
) -> Benchmark:
    """Run every policy on every cell of a suite, on the same evaluation seeds.

    Args:
        suite: Cells, seeds and seconds; its own `policies` are not looked at.
        policies: Who is compared; see `policies.make_policy`.
        on_start: Called with a description before each cell and policy.
        on_run: Called after each run; there are cells × policies × seeds of them.

    Raises:
        ConfigError: Two policies have one name, or a run is not possible.
    """
    names = [policy.name for policy in policies]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigError(f"two policies are called {name!r}")
    frame = polars().DataFrame
    seeds = evaluation_seeds(suite.seeds)
    rows: list[dict[str, Any]] = []
    settings: list[dict[str, Any]] = []
    for index, cell in enumerate(suite.cells):
        for policy in policies:
            on_start(f"{policy.name}: {cell.title}")
            for seed in seeds:
                result = policy.run(cell, seed, suite.seconds)
                rows.append({"cell": index, **result_row(cell, policy.name, result)})
                on_run()
            settings.append({"cell": index, "policy": policy.name, **policy.settings(cell)})
    return Benchmark(
        suite=suite,
        policies=tuple(names),
        seeds=seeds,
        settings=tuple(settings),
        rows=frame(rows, infer_schema_length=None),
    )


def result_row(cell: Cell, policy: str, result: Result) -> dict[str, Any]:
    """One tidy row.

    Rates are shares of frames, in [0, 1]; ``late_rate`` counts frames that completed late, so
    ``violation_rate`` is its sum with ``lost_rate``. Energies are all energy spent, in mJ per
    frame, whether the frame was completed or not. ``multiple`` is UXCost over its lower bound.
    The columns ``violation_rate.MODEL`` and ``energy_mj.MODEL`` are per model.
    """
    frames = sum(result.frame_count.values())
    violation_rate, lost_rate = result.mean_violation_rate, result.mean_lost_rate
    row: dict[str, Any] = {
        "scenario": cell.scenario,
        "platform": cell.platform,
        "load": cell.load,
        "expiry": cell.expiry_in_force,
        "policy": policy,
        "seed": result.seed,
        "seconds": result.seconds,
        "frames": frames,
        "uxcost": result.uxcost,
        "lower_bound": result.lower_bound,
        "multiple": result.uxcost / result.lower_bound if frames else 1.0,
        "violation_rate": violation_rate,
        "lost_rate": lost_rate,
        "late_rate": violation_rate - lost_rate,
        "energy_mj": _mj_per_frame(sum(result.energy_spent.values()), frames),
    }
    for model, rate in result.violation_rate.items():
        row[f"violation_rate.{model}"] = rate
    for model, energy_pj in result.energy_spent.items():
        row[f"energy_mj.{model}"] = _mj_per_frame(energy_pj, result.frame_count[model])
    return row


def _mj_per_frame(energy_pj: int, frames: int) -> float:
    return energy_pj / PJ_PER_MJ / frames if frames else 0.0
