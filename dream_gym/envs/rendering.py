"""Pictures of a run for ``render_mode="rgb_array"``: who ran where of late, and who is behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dream_gym.errors import ConfigError
from dream_gym.simulator import Simulation
from dream_gym.units import NS_PER_MS, NS_PER_S

WINDOW_NS = NS_PER_S // 10
"""How much of the past a picture shows."""
_INCHES, _DPI = (8.0, 4.0), 80


def draw_run(simulation: Simulation) -> NDArray[np.uint8]:
    """A picture of the last 100 ms of a recorded run, and of each model's violations so far.

    Returns:
        uint8, (320, 640, 3).

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:
        from matplotlib import colormaps
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError(
            'render_mode: needs matplotlib: pip install "dream_gym[bench]"'
        ) from error
    result = simulation.result()
    colours = colormaps["tab20"].colors  # type: ignore[attr-defined]
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    canvas: Any = FigureCanvasAgg(figure)
    lanes, bars = figure.subplots(1, 2, width_ratios=(3, 1))
    _draw_lanes(lanes, simulation, result.timeline, colours)
    names = list(result.violation_rate)
    rates = [100 * rate for rate in result.violation_rate.values()]
    bars.barh(names, rates, color=[colours[index % 20] for index in range(len(names))])
    bars.set(xlim=(0, 100), xlabel="violated so far, %")
    bars.invert_yaxis()
    bars.tick_params(labelsize=7)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_lanes(axes: Any, simulation: Simulation, timeline: Any, colours: Any) -> None:
    now_ns = simulation.now_ns
    start_ns = max(now_ns - WINDOW_NS, 0)
    names = simulation.platform.accelerator_names
    shown = timeline[(timeline["end_ns"] > start_ns) & (timeline["start_ns"] <= now_ns)]
    for lane in range(len(names)):
        rows = shown[shown["accelerator"] == lane]
        spans = np.stack([rows["start_ns"], rows["end_ns"] - rows["start_ns"]], axis=1)
        faces = [colours[model % 20] for model in rows["model"]]
        axes.broken_barh((spans / NS_PER_MS).tolist(), (lane - 0.4, 0.8), facecolors=faces)
    axes.axvline(now_ns / NS_PER_MS, color="black", linewidth=1)
    axes.set(
        xlim=(start_ns / NS_PER_MS, (start_ns + 1.1 * WINDOW_NS) / NS_PER_MS),
        xlabel="ms",
        yticks=range(len(names)),
        yticklabels=names,
        ylim=(len(names) - 0.5, -0.5),
        title=f"UXCost {simulation.uxcost():.3g}",
    )
