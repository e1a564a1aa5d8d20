"""Costs from a Python function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from dream_gym.errors import ConfigError, DreamGymError, shown
from dream_gym.hardware.chip import Chip
from dream_gym.hardware.cost import CostModel, CostTable
from dream_gym.reading.python_reference import PythonReference
from dream_gym.workload import Network


def _to_function(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    folder = Path(info.context["folder"] if info.context else "").absolute()
    return PythonReference(value, tuple(dict.fromkeys((str(folder), str(Path.cwd())))))


def _name(function: Callable[..., Any]) -> str:
    if isinstance(function, PythonReference):
        return function.name
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"


class PythonCosts(CostModel):
    """Costs from any callable.

    Args:
        model: ``python``.
        function: ``function(network, chip) -> CostTable``; in YAML its import path, such as
            ``my_chip.costs``, whose module is looked for in the folder of the YAML file, in the
            working directory, and where Python looks. It is imported, which runs its code, when
            costs are first needed.
    """

    model: Literal["python"] = "python"
    function: Annotated[
        Callable[..., CostTable],
        BeforeValidator(_to_function),
        PlainSerializer(_name, return_type=str),
        WithJsonSchema({"type": "string"}),
    ]

    def costs(self, network: Network, chip: Chip) -> CostTable:
        """Cost a network; see `CostModel.costs`."""
        try:
            table = self.function(network, chip)
        except ConfigError as error:
            raise ConfigError(f"{chip.name}: costs.function: {error}") from error
        except DreamGymError:
            raise
        except Exception as error:
            raise ConfigError(
                f"{chip.name}: costs.function: {type(error).__name__} for network {network.name}: "
                f"{error}"
            ) from error
        if not isinstance(table, CostTable):
            raise ConfigError(
                f"{chip.name}: costs.function: expected it to return a CostTable, got "
                f"{type(table).__name__}: {shown(table)}"
            )
        return table
