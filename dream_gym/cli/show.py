"""``dream-gym show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console

from dream_gym.analysis import Benchmark, make_policy, run_benchmark
from dream_gym.analysis.calibration.scan import Calibration, calibrate, sweep_suite
from dream_gym.analysis.extra import polars
from dream_gym.analysis.report import summary as report
from dream_gym.analysis.report.pictures.plots import plot_sweep
from dream_gym.analysis.report.tables import Name, TextTable
from dream_gym.analysis.suites.profile import ModelProfile, Profile, profile
from dream_gym.cli.output import make_console, make_progress, say, show_table
from dream_gym.errors import ConfigError
from dream_gym.files import check_outputs
from dream_gym.hardware import load_platform
from dream_gym.units import NS_PER_S
from dream_gym.workload import load_scenario


def show(
    scenario: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SCENARIO")],
    /,
    platform: str,
    load: float = 1.0,
    calibrate: bool = False,
    plot: Path | None = None,
) -> None:
    """Show what a scenario asks of a platform, and at which loads deadlines begin to be missed.

    Args:
        scenario: Name of a scenario or path of its YAML file.
        platform: Name of a platform or path of its YAML file.
        load: Factor on every rate.
        calibrate: Find the loads at which schedulers begin to miss, and compare them around there.
        plot: With --calibrate, draw that comparison into this PNG file.
    """
    if plot is not None:
        if not calibrate:
            raise ConfigError("--plot: needs --calibrate")
        check_outputs(plot)
    if calibrate:
        polars()
    workload, hardware = load_scenario(scenario), load_platform(platform)
    console = make_console(plot)
    for index, part in enumerate(workload.parts):
        title, alone = f"{workload.name} on {hardware.name}, load {load:.15g}", workload
        if workload.phases:
            title += f", phase {index} from {part.start_ns / NS_PER_S:g} s"
            alone = workload.model_copy(update={"models": part.models, "phases": ()})
        _show_models(console, profile(alone, hardware, load=load * float(part.load)), title)
    if calibrate:
        if workload.phases:
            raise ConfigError(f"--calibrate: {workload.name} has phases; calibrate them one by one")
        found = _calibrate(scenario, platform)
        _show_calibration(console, found)
        sweep = _sweep(scenario, platform, found.edge_load)
        _show_sweep(console, sweep)
        if plot is not None:
            plot_sweep(sweep, plot, mark=found.edge_load)


def _show_models(console: Console, asked: Profile, title: str) -> None:
    headings: tuple[str, ...]
    headings = ("model", "frames/s", "deadline ms", "layers", "MACs M", "weights M")
    rows: tuple[tuple[str, ...], ...] = tuple(
        (
            Name(model.name),
            f"{model.rate:.4g}",
            f"{model.deadline_ms:.2f}",
            str(model.layers),
            f"{model.macs / 1e6:.0f}",
            f"{model.weights / 1e6:.2f}",
        )
        for model in asked.models
    )
    show_table(console, TextTable(title, headings, rows))
    accelerators = map(Name, asked.models[0].latency_ms)
    headings = ("model", *accelerators, "fastest mix, ms", "load on best")
    rows = tuple(
        (
            Name(model.name),
            *(f"{ms:.2f} · {model.energy_mj[name]:.1f}" for name, ms in model.latency_ms.items()),
            f"{model.least_latency_ms:.2f}",
            f"{model.load_on_best:.1%}",
        )
        for model in asked.models
    )
    show_table(console, TextTable("A frame alone: ms · mJ", headings, rows))
    say(
        console,
        f"Utilisation {asked.utilisation:.1%}, however work is spread; lower bound of UXCost "
        f"{asked.lower_bound:.4g} (seed {asked.seed}, {asked.seconds:g} s)",
    )
    for model in asked.models:
        if not model.can_meet_deadline:
            say(console, _warning(model), style="yellow")


def _warning(model: ModelProfile) -> str:
    return (
        f"warning: {model.name} cannot meet its deadline even alone: it needs at least "
        f"{model.needed_ms:.2f} of {model.deadline_ms:.2f} ms"
    )


def _calibrate(scenario: str, platform: str) -> Calibration:
    with make_progress() as progress:
        task = progress.add_task("", total=None)
        return calibrate(
            scenario,
            platform,
            on_load=lambda scheduler, load: progress.update(
                task, advance=1, description=f"{scheduler} at load {load:.3f}"
            ),
        )


def _show_calibration(console: Console, found: Calibration) -> None:
    loads = {f"{name} begins to miss deadlines": at for name, at in found.begins_to_miss.items()}
    for model, load in found.infeasible_from.items():
        loads[f"{model} cannot meet its deadline even alone"] = load
    loads["utilisation reaches 1"] = found.utilisation_one
    loads[f"edge load: halfway between fcfs and {found.best_other}"] = found.edge_load
    rows = tuple((what, f"{load:.3f}") for what, load in loads.items())
    title = "Loads (grid of 0.001, soft deadlines, training seeds)"
    show_table(console, TextTable(title, ("what", "load"), rows))
    for model, load in found.infeasible_from.items():
        if load <= found.edge_load:
            say(
                console,
                f"warning: at the edge load no scheduler can meet the deadlines of {model}",
                style="yellow",
            )


def _sweep(scenario: str, platform: str, centre: float) -> Benchmark:
    suite = sweep_suite(scenario, platform, centre)
    policies = [make_policy(spec) for spec in suite.policies]
    with make_progress() as progress:
        task = progress.add_task("")
        return run_benchmark(
            suite,
            policies,
            on_start=lambda runs: progress.update(task, total=runs),
            on_runs=lambda what, runs: progress.update(task, description=what, advance=runs),
        )


def _show_sweep(console: Console, sweep: Benchmark) -> None:
    seeds = f"{len(sweep.seeds)} seeds from {sweep.seeds[0]} × {sweep.suite.seconds:g} s"
    rows = []
    for cell in sweep.suite.cells:
        cells = (
            f"{item.multiple.mean:.1f} · {item.violation_rate.mean:.1%}"
            for item in report.summarise(sweep, cell)
        )
        rows.append((f"{cell.load:.3f}", *cells))
    title = f"UXCost as a multiple of its lower bound · violated; {seeds}"
    headings = ("load", *map(Name, sweep.policies))
    show_table(console, TextTable(title, headings, tuple(rows)))
