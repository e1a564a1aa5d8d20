"""Names beside the points of a picture, where they hide neither each other nor the points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from dream_gym.analysis.report.pictures.plots import FAINT, label

RINGS = (9, 18, 30, 45, 65, 90)
"""Distances from a point, in points of print, at which there may be room for its name."""
DIRECTIONS = 12
POINT = 4
"""Radius of a point, likewise."""
LINE_FROM = 18
"""Names this far away have a line to their point."""


def name_points(axes: Any, points: Mapping[str, tuple[float, float]]) -> None:
    """Write each name at the nearest free place; the first are placed first.

    A name for which there is no room is left out.

    Args:
        axes: The axes; their limits do not change any more.
        points: Where they are, in the units of the axes.
    """
    figure = axes.figure
    frame = axes.get_window_extent()
    at = axes.transData.transform(list(points.values()))
    taken = [_around(x, y, POINT * figure.dpi / 72) for x, y in at.tolist()]
    angles = [2 * math.pi * step / DIRECTIONS for step in range(DIRECTIONS)]
    for name, point in points.items():
        text = axes.annotate(
            label(name),
            point,
            (0, 0),
            textcoords="offset points",
            fontsize=7,
            va="center",
            ha="center",
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
        )
        for distance, angle in itertools.product(RINGS, angles):
            half = text.get_window_extent().width / figure.dpi * 36
            across = distance * math.cos(angle) + half * math.copysign(1, math.cos(angle))
            text.set_position((across, distance * math.sin(angle)))
            box = text.get_window_extent()
            inside = frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1)
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                if distance >= LINE_FROM:
                    _draw_line(axes, point, text)
                break
        else:
            text.remove()


def _around(x: float, y: float, radius: float) -> Any:
    from matplotlib.transforms import Bbox

    return Bbox([[x - radius, y - radius], [x + radius, y + radius]])


def _draw_line(axes: Any, point: tuple[float, float], text: Any) -> None:
    across, up = text.get_position()
    axes.annotate(
        "",
        point,
        (across, up),
        textcoords="offset points",
        arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.6},
        zorder=0,
    )
