"""The report of a benchmark: a table to read, a CSV and a JSON file."""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dream_gym.analysis.extra import polars
from dream_gym.analysis.measures.responses import Responses
from dream_gym.analysis.measures.statistics import (
    Interval,
    amount_interval,
    paired_ratio,
    rate_interval,
    ratio_interval,
)
from dream_gym.analysis.report.folder import SCHEMA
from dream_gym.analysis.report.tables import Name, TextTable
from dream_gym.analysis.runs.benchmark import Benchmark
from dream_gym.errors import ConfigError
from dream_gym.files import is_stream, write_bytes, write_text
from dream_gym.simulator import Cell

if TYPE_CHECKING:
    import polars as pl

RESPONSES = Responses._fields
PACKAGES = ("dream_gym", "numpy", "numba", "gymnasium", "polars")


@dataclass(frozen=True)
class Summary:
    """The results of one policy on one cell: means over the seeds, with 95 % intervals if known.

    Args:
        policy: Its name.
        uxcost: UXCost.
        multiple: UXCost over its lower bound, geometric mean over the seeds.
        multiple_lightest: The same, over the bound with lightest variants.
        ratio: UXCost over that of the first policy, geometric mean over the seeds.
        violation_rate: Share of frames that were late or lost.
        lost_rate: Share of frames that were lost.
        accuracy_loss: Accuracy given up by lighter variants, as a share of frames.
        energy_mj: Energy spent per frame.
        accuracy: Mean top-1 accuracy of the Supernets' completed frames in percent; None where
            none states it.
        energy_multiple: UXCost's second factor over that of its bound, geometric mean.
        power_mw: Energy spent over the simulated time.
        model_violation_rate: Violation rate by model.
        model_energy_mj: Energy spent per frame by model.
        model_response_ms: Response times p50, p99 and max by model, see `responses`; None where
            no frame completed.
    """

    policy: str
    uxcost: Interval
    multiple: Interval
    multiple_lightest: Interval
    ratio: Interval
    violation_rate: Interval
    lost_rate: Interval
    accuracy: Interval | None
    accuracy_loss: Interval
    energy_mj: Interval
    energy_multiple: Interval
    power_mw: Interval
    model_violation_rate: dict[str, Interval]
    model_energy_mj: dict[str, Interval]
    model_response_ms: dict[str, tuple[Interval | None, ...]]

    def flat(self) -> dict[str, str | float | None]:
        """One row of the CSV; empty where there is no interval."""
        row: dict[str, str | float | None] = {"policy": self.policy}
        figures: dict[str, Interval | None] = {
            name: item for name, item in vars(self).items() if isinstance(item, Interval)
        }
        figures |= {f"violation_rate.{m}": item for m, item in self.model_violation_rate.items()}
        figures |= {f"energy_mj.{m}": item for m, item in self.model_energy_mj.items()}
        for model, responses in self.model_response_ms.items():
            for which, item in zip(RESPONSES, responses, strict=True):
                figures[f"response_{which}_ms.{model}"] = item
        for name, value in figures.items():
            low, high = value.ends if value and value.known else (None, None)
            row |= {name: value.mean if value else None, f"{name}_low": low, f"{name}_high": high}
        return row


def summarise(benchmark: Benchmark, cell: Cell) -> list[Summary]:
    """Summarise the rows of a cell, policy by policy in order."""
    rows = benchmark.cell_rows(cell)
    models = cell.workload.model_names
    baseline = rows.filter(policy=benchmark.policies[0])
    return [
        _summary(policy, rows.filter(policy=policy), baseline, models)
        for policy in benchmark.policies
    ]


def _summary(
    policy: str, rows: pl.DataFrame, baseline: pl.DataFrame, models: Sequence[str]
) -> Summary:
    def mean(column: str) -> Interval:
        return amount_interval(rows[column].to_numpy())

    def mean_if_any(column: str) -> Interval | None:
        defined = rows[column].drop_nulls()
        return amount_interval(defined.to_numpy()) if len(defined) else None

    def rate(column: str) -> Interval:
        return rate_interval(rows[column].to_numpy())

    def ratio(column: str) -> Interval:
        return ratio_interval(rows[column].to_numpy())

    return Summary(
        policy=policy,
        uxcost=mean("uxcost"),
        multiple=ratio("multiple"),
        multiple_lightest=ratio("multiple_lightest"),
        ratio=paired_ratio(rows["uxcost"].to_numpy(), baseline["uxcost"].to_numpy()),
        violation_rate=rate("violation_rate"),
        lost_rate=rate("lost_rate"),
        accuracy=mean_if_any("accuracy"),
        accuracy_loss=mean("accuracy_loss"),
        energy_mj=mean("energy_mj"),
        energy_multiple=ratio("energy_multiple"),
        power_mw=mean("power_mw"),
        model_violation_rate={m: rate(f"violation_rate.{m}") for m in models},
        model_energy_mj={m: mean(f"energy_mj.{m}") for m in models},
        model_response_ms={
            m: tuple(mean_if_any(f"response_{which}_ms.{m}") for which in RESPONSES) for m in models
        },
    )


def uxcost_table(summaries: Sequence[Summary], title: str, seconds: float) -> TextTable:
    """A row per policy: UXCost in runs of so many seconds, its two factors, losses, power."""
    first = summaries[0]
    columns: dict[str, Callable[[Summary], str]] = {
        f"UXCost in {seconds:g} s [95 %]": lambda item: with_interval(item.uxcost),
        "× lower bound": lambda item: with_interval(item.multiple),
    }
    if any(item.multiple_lightest != item.multiple for item in summaries):
        columns["× bound, lightest variants"] = lambda item: with_interval(item.multiple_lightest)
    columns |= {
        f"÷ {first.policy} [95 %]": lambda item: (
            "1" if item is first else with_interval(item.ratio)
        ),
        "violated": lambda item: percent(item.violation_rate),
        "lost": lambda item: percent(item.lost_rate),
        "energy ÷ least": lambda item: with_interval(item.energy_multiple),
        "power, mW": lambda item: with_interval(item.power_mw),
    }
    if any(item.accuracy for item in summaries):
        columns["accuracy, %"] = lambda item: with_interval(item.accuracy)
        columns["accuracy lost"] = lambda item: percent(item.accuracy_loss)
    rows = tuple(
        (Name(item.policy), *(show(item) for show in columns.values())) for item in summaries
    )
    return TextTable(title, ("policy", *columns), rows)


def model_table(summaries: Sequence[Summary]) -> TextTable:
    """A row per policy: energy per frame in mJ and violation rate, model by model."""
    rows = []
    for item in summaries:
        energies = [item.energy_mj, *item.model_energy_mj.values()]
        rates = [item.violation_rate, *item.model_violation_rate.values()]
        cells = (
            f"{with_interval(mj)} · {percent(rate)}"
            for mj, rate in zip(energies, rates, strict=True)
        )
        rows.append((Name(item.policy), *cells))
    headings = ("policy", "all models", *map(Name, summaries[0].model_energy_mj))
    return TextTable("mJ per frame · violated", headings, tuple(rows))


def response_table(summaries: Sequence[Summary]) -> TextTable:
    """A row per policy: response times in ms, end to end along a cascade, model by model."""
    rows = []
    for item in summaries:
        cells = (
            " · ".join("–" if figure is None else f"{figure.mean:.3g}" for figure in responses)
            for responses in item.model_response_ms.values()
        )
        rows.append((Name(item.policy), *cells))
    headings = ("policy", *map(Name, summaries[0].model_response_ms))
    return TextTable("Response p50 · p99 · max in ms, mean over the seeds", headings, tuple(rows))


def with_interval(value: Interval | None) -> str:
    """A figure with its interval, if it has one, to three digits; empty if there is no figure."""
    if value is None:
        return ""
    interval = f" [{_digits(value.low)}, {_digits(value.high)}]" if value.known else ""
    return f"{_digits(value.mean)}{interval}"


def _digits(figure: float) -> str:
    """Three digits; all before the point of a number of up to nine."""
    return f"{figure:.0f}" if 999.5 <= abs(figure) < 1e9 else f"{figure:.3g}"


def percent(share: Interval | None) -> str:
    """A share with its interval, if it has one, in percent; empty if there is no share."""
    if share is None:
        return ""
    interval = f" [{100 * share.low:.2f}, {100 * share.high:.2f}]" if share.known else ""
    return f"{share.mean:.2%}{interval}"


def write_csv(benchmark: Benchmark, path: str | Path) -> None:
    """Write the table: a row per cell and policy, intervals as ``_low`` and ``_high``."""
    rows = [
        {"cell": index, **_describe(cell), "seconds": benchmark.suite.seconds, **summary.flat()}
        for index, cell in enumerate(benchmark.suite.cells)
        for summary in summarise(benchmark, cell)
    ]
    write_text(path, polars().DataFrame(rows, infer_schema_length=None).write_csv())


def _describe(cell: Cell) -> dict[str, Any]:
    return {
        "scenario": cell.scenario,
        "platform": cell.platform,
        "load": cell.load,
        "expiry": cell.expiry_in_force,
        "cascade": cell.cascade,
        "jitter": cell.jitter,
        "contention": cell.contention,
        "costs": None if cell.costs is None else cell.costs.model_dump_json(),
    }


def check_table_path(path: Path) -> None:
    """Refuse a table whose format its name does not tell.

    Raises:
        ConfigError: The name ends neither in .parquet nor in .csv.
    """
    if path.suffix not in (".parquet", ".csv") and not is_stream(path):
        raise ConfigError(f"--table: {path}: expected a name that ends in .parquet or .csv")


def write_table(benchmark: Benchmark, path: Path) -> None:
    """Write the tidy rows as Parquet or CSV, as the name of the file says; to a stream, as CSV."""
    check_table_path(path)
    content = io.BytesIO()  # polars has errors of its own for what goes wrong with files
    if path.suffix == ".parquet":
        benchmark.rows.write_parquet(content)
    else:
        benchmark.rows.write_csv(content)
    write_bytes(path, content.getvalue())


def about(benchmark: Benchmark, *, command: str) -> dict[str, Any]:
    """How a benchmark was made, in full, ready for JSON.

    Args:
        benchmark: The outcome.
        command: The command line that made it.
    """
    return {
        "schema": SCHEMA,
        "command": command,
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "suite": benchmark.suite.model_dump(mode="json", by_alias=True),
        "seeds": {"first": benchmark.seeds[0], "count": len(benchmark.seeds)},
        "policies": benchmark.settings,
    }


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a JSON file."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
