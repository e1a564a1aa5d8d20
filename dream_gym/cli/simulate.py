"""``dream-gym simulate``."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from dream_gym.analysis.report.tables import Name, TextTable
from dream_gym.api import simulate
from dream_gym.cli.output import make_console, parse_options, say, show_table
from dream_gym.errors import ConfigError
from dream_gym.files import check_outputs, replacing, write_text
from dream_gym.hardware import Platform, load_platform
from dream_gym.simulator import Result, Simulation
from dream_gym.units import PJ_PER_MJ
from dream_gym.workload import Scenario, load_scenario, write_recording


def simulate_once(
    scenario: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SCENARIO")],
    /,
    platform: str,
    scheduler: str,
    seconds: float = 5.0,
    seed: int = 0,
    load: float = 1.0,
    expiry: Literal["soft", "firm"] | None = None,
    contention: tyro.conf.DisallowNone[bool | None] = None,
    decision_ns: int = 0,
    option: tyro.conf.UseAppendAction[tuple[str, ...]] = (),
    json: Path | None = None,
    timeline: Path | None = None,
    replay: Path | None = None,
    export: Path | None = None,
) -> None:
    """Simulate one run of a scheduler and show its result.

    Args:
        scenario: Name of a scenario or path of its YAML file.
        platform: Name of a platform or path of its YAML file.
        scheduler: Id of a scheduler, tuned:FILE, rollout:BASE, agent:FOLDER, or
            python:MODULE.CLASS, which may run any code: name only what you trust.
        seconds: Simulated time.
        seed: Seed of the world; under one seed all schedulers face the same frames.
        load: Factor on every rate.
        expiry: What becomes of late frames; by default what the scenario says.
        contention: Whether what runs at the same time shares the off-chip bandwidth; by default
            what the platform says.
        decision_ns: Time that the scheduler needs for each dispatch, in ns.
        option: An option of the scheduler, such as alpha=0.5; may be given several times.
        json: Write the outcome to this file; here and below, - is standard output.
        timeline: Write every dispatch to this CSV file.
        replay: Take releases and triggers from this CSV file, instead of drawing them; paths
            through dynamic networks are still drawn from the seed.
        export: Write the releases and triggers of this run to this CSV file, for --replay.
    """
    if export is not None and load != 1:
        raise ConfigError("--export: needs --load 1, since a recording is replayed at load 1")
    check_outputs(json, timeline, export)
    workload, hardware = load_scenario(scenario), load_platform(platform)
    if replay is not None:
        workload = workload.model_copy(update={"recording": replay})
    result = simulate(
        workload,
        hardware,
        scheduler,
        seconds=seconds,
        seed=seed,
        load=load,
        expiry=expiry,
        contention=contention,
        decision_ns=decision_ns,
        record=timeline is not None,
        **parse_options(option),
    )
    if export is not None:
        _write_world(workload, hardware, export, seed=seed, seconds=seconds)
    if timeline is not None:
        _write_timeline(result, workload, hardware, timeline)
    if json is not None:
        _write_json(result, json)
    console = make_console(json, timeline, export)
    title = f"{scheduler}: {workload.name} on {hardware.name}, load {load:.15g}, seed {seed}"
    _show(console, result, title)


def _show(console: Console, result: Result, title: str) -> None:
    rows = tuple((Name(model), *_figures(result, model)) for model in result.frame_count)
    headings = ("model", "frames", "violated", "lost", "mJ per frame")
    show_table(console, TextTable(f"{title}, {result.seconds:g} s", headings, rows))
    busy = ", ".join(f"{name} {share:.0%}" for name, share in result.busy_share.items())
    power_mw = sum(result.energy_spent.values()) / PJ_PER_MJ / result.seconds
    say(
        console,
        f"UXCost {result.uxcost:.4g} in {result.seconds:g} s, "
        f"lower bound {result.lower_bound:.4g}; {power_mw:.1f} mW; "
        f"{result.dispatches} dispatches; busy: {busy}",
    )
    for model, top1 in result.accuracy.items():
        lost = result.accuracy_loss[model]
        text = f"{model}: mean top-1 accuracy {top1:.1f} %, {lost:.2%} of the original's lost"
        say(console, text)


def _figures(result: Result, model: str) -> tuple[str, str, str, str]:
    frames = result.frame_count[model]
    if frames == 0:
        return "0", "–", "–", "–"
    energy_mj = result.energy_spent[model] / PJ_PER_MJ / frames
    rates = result.violation_rate[model], result.lost_rate[model]
    return str(frames), f"{rates[0]:.2%}", f"{rates[1]:.2%}", f"{energy_mj:.2f}"


def _write_json(result: Result, path: Path) -> None:
    write_text(path, json.dumps(result.summary(), indent=1) + "\n")


def _write_world(
    workload: Scenario, hardware: Platform, path: Path, *, seed: int, seconds: float
) -> None:
    """Write what happens in a run regardless of its scheduler, which is known at the start."""
    simulation = Simulation(workload, hardware, None)
    simulation.reset(seed=seed, seconds=seconds)
    write_recording(path, simulation.recording())


def _write_timeline(result: Result, scenario: Scenario, platform: Platform, path: Path) -> None:
    assert result.timeline is not None
    columns = result.timeline.dtype.names or ()
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for values in result.timeline.tolist():
            row = dict(zip(columns, values, strict=True))
            network = scenario.networks[row["model"]].family[row["variant"]]
            row["model"] = scenario.model_names[row["model"]]
            row["variant"] = network.name
            row["layer"] = network.layers[row["layer"]].name
            row["accelerator"] = platform.accelerator_names[row["accelerator"]]
            writer.writerow(row)
