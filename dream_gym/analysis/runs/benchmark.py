"""The benchmark: every policy on every cell, in the same worlds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from dream_gym.analysis.extra import polars
from dream_gym.analysis.measures.rows import result_row
from dream_gym.analysis.runs.parts import NOTHING_KEPT, Parts
from dream_gym.analysis.runs.policies import Policy, TunedPolicy
from dream_gym.analysis.runs.pool import processes, run_tasks
from dream_gym.analysis.suites.suite import Suite
from dream_gym.compiling.sources import package_digest
from dream_gym.errors import ConfigError
from dream_gym.players import CompiledPlayer, OptionValue, Player
from dream_gym.simulator import Cell
from dream_gym.workload import evaluation_seeds, training_seeds

if TYPE_CHECKING:
    import polars as pl

BLOCK = 5
"""Seeds that one task plays, with all policies on one cell."""
WARM_UP_SECONDS = 1e-6


@dataclass(frozen=True)
class Benchmark:
    """The outcome of a benchmark.

    Args:
        suite: What was run.
        policies: Names of the policies in order.
        seeds: The evaluation seeds.
        settings: What each policy was set to, one dict per cell and policy.
        rows: One row per cell, policy and seed, in that order; see `measures.result_row`. The
            column ``cell`` is the index of the cell in the suite.
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
    workers: int = 1,
    parts: Parts = NOTHING_KEPT,
    on_start: Callable[[int], None] = lambda runs: None,
    on_runs: Callable[[str, int], None] = lambda what, runs: None,
) -> Benchmark:
    """Run every policy on every cell of a suite, on the same evaluation seeds.

    The outcome is the same, bit for bit, whatever the number of workers, and whether or not it was
    interrupted and resumed.

    Args:
        suite: Cells, seeds and seconds; its own `policies` are ignored.
        policies: Who is compared; see `policies.make_policy`.
        workers: Number of processes. With more than one, call it from a module that may be
            imported again, as `multiprocessing` says.
        parts: Where to keep finished work, see `parts.keep_parts`; it is reused after an
            interruption, unless something that it depends on has changed.
        on_start: Called with the number of runs before the first one.
        on_runs: Called after some runs with a description of them and their number.

    Raises:
        ConfigError: Two policies have the same name, or a run is not possible.
    """
    names = [policy.name for policy in policies]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ConfigError(f"two policies are called {name!r}")
    if workers < 1:
        raise ConfigError(f"workers: expected at least 1, got {workers}")
    for cell in suite.cells:
        cell.check_frames(suite.seconds)
        for policy in policies:
            if isinstance(policy, TunedPolicy):
                cell.check_frames(policy.tuning.seconds, f"{policy.name}: tune.seconds")
    frame = polars().DataFrame
    job = _Job(suite.cells, tuple(policies), suite.seconds)
    searches = job.searches()
    seeds = evaluation_seeds(suite.seeds)
    tuning_runs = sum(job.runs(search) for search in searches)
    on_start(tuning_runs + len(suite.cells) * len(policies) * suite.seeds)

    def done(task: _Search | _Block) -> None:
        on_runs(suite.cells[task.cell].title, job.runs(task))

    with processes(job, workers) as pool:
        if pool is not None:
            run_tasks(job, job.warm_ups(), pool, parts=NOTHING_KEPT)
        found = run_tasks(job, searches, pool, parts=parts, on_done=done)
        options: list[list[dict[str, OptionValue]]] = [[{}] * len(policies) for _ in suite.cells]
        for search, point in zip(searches, found, strict=True):
            options[search.cell][search.policy] = point
        tasks = [
            _Block(cell, tuple(seeds[start : start + BLOCK]), tuple(options[cell]))
            for cell in range(len(suite.cells))
            for start in range(0, suite.seeds, BLOCK)
        ]
        played = run_tasks(job, tasks, pool, parts=parts, on_done=done)
    rows = [row for block in played for row in block]
    place = {name: index for index, name in enumerate(names)}
    rows.sort(key=lambda row: (row["cell"], place[row["policy"]], row["seed"]))
    table = frame(rows, infer_schema_length=None)
    return Benchmark(
        suite=suite,
        policies=tuple(names),
        seeds=seeds,
        settings=tuple(
            {"cell": cell, "policy": policy.name, **_player_at(policy, point).settings}
            | ({"tuning": policy.settings["tuning"]} if isinstance(policy, TunedPolicy) else {})
            for cell in range(len(suite.cells))
            for policy, point in zip(policies, options[cell], strict=True)
        ),
        rows=table,
    )


class _WarmUp(NamedTuple):
    """Compile one scheduler, so that all processes find it in the cache."""

    policy: int


class _Search(NamedTuple):
    """Tune one policy on one cell."""

    cell: int
    policy: int


class _Block(NamedTuple):
    """Let all policies play some seeds of one cell, with options found by tuning."""

    cell: int
    seeds: tuple[int, ...]
    options: tuple[dict[str, OptionValue], ...]


@dataclass
class _Job:
    """What the tasks of a benchmark have in common."""

    cells: tuple[Cell, ...]
    policies: tuple[Policy, ...]
    seconds: float
    _digests: dict[int, str] = field(default_factory=dict)

    def warm_ups(self) -> list[_WarmUp]:
        """A task for each compiled scheduler."""
        first: dict[str, int] = {}
        for index, policy in enumerate(self.policies):
            player = _player_at(policy, {})
            if isinstance(player, CompiledPlayer):
                first.setdefault(player.scheduler.name, index)
        return [_WarmUp(index) for index in first.values()]

    def searches(self) -> list[_Search]:
        """A task for each cell and policy that is to be tuned."""
        return [
            _Search(cell, index)
            for cell in range(len(self.cells))
            for index, policy in enumerate(self.policies)
            if isinstance(policy, TunedPolicy)
        ]

    def runs(self, task: _Search | _Block) -> int:
        """Number of runs that a task takes."""
        if isinstance(task, _Block):
            return len(self.policies) * len(task.seeds)
        policy = self.policies[task.policy]
        assert isinstance(policy, TunedPolicy)
        return len(policy.tuning.combinations()) * policy.tuning.seeds

    def key(self, task: _WarmUp | _Search | _Block) -> Any:
        """See `Job`."""
        if isinstance(task, _WarmUp):
            return task.policy
        versions = [version(package) for package in ("numpy", "numba")]
        where = [package_digest(), versions, self._cell_digest(task.cell)]
        if isinstance(task, _Search):
            policy = self.policies[task.policy]
            return ["search", *where, policy.settings]
        pairs = zip(self.policies, task.options, strict=True)
        who = [[policy.name, _player_at(policy, point).settings] for policy, point in pairs]
        return ["block", *where, task.cell, who, task.seeds, self.seconds]

    def _cell_digest(self, index: int) -> str:
        if index not in self._digests:
            self._digests[index] = self.cells[index].digest()
        return self._digests[index]

    def run(self, task: _WarmUp | _Search | _Block) -> Any:
        """See `Job`."""
        if isinstance(task, _WarmUp):
            policy = _player_at(self.policies[task.policy], {})
            self._rows(0, policy, training_seeds(1), WARM_UP_SECONDS)
            return True
        if isinstance(task, _Search):
            tuned = self.policies[task.policy]
            assert isinstance(tuned, TunedPolicy)
            return tuned.search(self.cells[task.cell])
        return self._play(task)

    def _play(self, task: _Block) -> list[dict[str, Any]]:
        rows = []
        for policy, point in zip(self.policies, task.options, strict=True):
            rows += self._rows(task.cell, _player_at(policy, point), task.seeds, self.seconds)
        return rows

    def _rows(
        self, index: int, policy: Player, seeds: Sequence[int], seconds: float
    ) -> list[dict[str, Any]]:
        cell = self.cells[index]
        world, rows = cell.simulation(), []
        for seed in seeds:
            result = policy.run(cell, seed, seconds, record=True)
            world.reset(seed=seed, seconds=seconds)
            rows.append({"cell": index, **result_row(cell, policy.name, result, world)})
        return rows


def _player_at(policy: Policy, point: dict[str, OptionValue]) -> Player:
    return policy.player(point) if isinstance(policy, TunedPolicy) else policy
