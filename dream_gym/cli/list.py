"""``dream-gym list``."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from dream_gym.analysis import load_suite
from dream_gym.analysis.report.tables import Name, TextTable
from dream_gym.cli.output import make_console, show_table
from dream_gym.errors import ConfigError
from dream_gym.hardware import Accelerator, load_platform
from dream_gym.reading import resources
from dream_gym.schedulers import BUILTIN, BuiltinScheduler
from dream_gym.workload import ModelSpec, load_scenario


def list_configs() -> None:
    """List scenarios, platforms, schedulers with their options, and suites; your own too."""
    console = make_console()
    tables = {
        "scenarios": ("models, frames per second", _scenario),
        "platforms": ("accelerators", _platform),
        "schedulers": ("what it is; options, defaults", _scheduler),
        "suites": ("contents", _suite),
    }
    for kind, (heading, describe) in tables.items():
        names = BUILTIN if kind == "schedulers" else resources.names(kind)
        rows = tuple((Name(name), _described(name, describe)) for name in names)
        show_table(console, TextTable(kind.capitalize(), ("name", heading), rows, prose=True))


def _described(name: str, describe: Callable[[str], str]) -> str:
    """Describe it, or say what is wrong with it: one bad file does not hide the others."""
    try:
        return describe(name)
    except ConfigError as error:
        return f"error: {error}"


def _scenario(name: str) -> str:
    parts = load_scenario(name).parts
    return ", then ".join(", ".join(_model(model) for model in part.models) for part in parts)


def _model(model: ModelSpec) -> str:
    after = f" after {model.depends_on.model}" if model.depends_on else ""
    return f"{model.name} {float(model.rate):g}{after}"


def _platform(name: str) -> str:
    return ", ".join(_accelerator(item) for item in load_platform(name).accelerators)


def _accelerator(item: Accelerator) -> str:
    """Its name and what its platform's file says of it, which depends on the cost model."""
    details = [item.dataflow, f"{item.num_pes} PEs" if item.num_pes else None]
    return f"{item.name} ({', '.join(filter(None, details))})" if any(details) else item.name


def _scheduler(name: str) -> str:
    scheduler = BUILTIN[name]
    return "; ".join(filter(None, (scheduler.label, ", ".join(_options(scheduler)))))


def _options(scheduler: BuiltinScheduler) -> list[str]:
    texts = []
    for name, field in scheduler.options.model_fields.items():
        others = [choice for choice in get_args(field.annotation) if choice != field.default]
        texts.append(f"{name}={field.default}" + (f" (or {', '.join(others)})" if others else ""))
    return texts


def _suite(name: str) -> str:
    suite = load_suite(name)
    return (
        f"{suite.description}; cells: {len(suite.cells)}, policies: {len(suite.policies)}, "
        f"seeds: {suite.seeds} × {suite.seconds:g} s"
    )
