"""The catalogue of networks: each follows its publication, or says that it is a substitute.

A builder is a plain function of a few parameters that returns a `Network`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from dream_gym.errors import ConfigError, hint, shown
from dream_gym.workload.layer import Network
from dream_gym.workload.networks.d2go import d2go_faster_rcnn
from dream_gym.workload.networks.depth import (
    focal_length_depth_substitute,
    midas_small,
    rgbd_200,
)
from dream_gym.workload.networks.ed_tcn import ed_tcn
from dream_gym.workload.networks.emformer import emformer
from dream_gym.workload.networks.fbnet import fbnet_c
from dream_gym.workload.networks.gnmt import gnmt
from dream_gym.workload.networks.googlenet import googlenet
from dream_gym.workload.networks.hand import hand_graph_cnn, hand_pose_net_substitute
from dream_gym.workload.networks.hrvit import hrvit_b1
from dream_gym.workload.networks.keyword_spotting import kws_res8, kws_res8_narrow
from dream_gym.workload.networks.once_for_all import once_for_all
from dream_gym.workload.networks.plane_rcnn import plane_rcnn
from dream_gym.workload.networks.rapid_rl import rapid_rl
from dream_gym.workload.networks.ritnet import ritnet
from dream_gym.workload.networks.skipnet import skipnet
from dream_gym.workload.networks.sosnet import sosnet
from dream_gym.workload.networks.ssdlite import ssdlite_mobilenetv2
from dream_gym.workload.networks.trailnet import trailnet
from dream_gym.workload.networks.voxceleb import vgg_voxceleb

__all__ = ["NETWORKS", "build_network"]

Builder = Callable[..., Network]

NETWORKS: Mapping[str, Builder] = MappingProxyType(
    {
        builder.__name__: builder
        for builder in (
            d2go_faster_rcnn,
            ed_tcn,
            emformer,
            fbnet_c,
            focal_length_depth_substitute,
            gnmt,
            googlenet,
            hand_graph_cnn,
            hand_pose_net_substitute,
            hrvit_b1,
            kws_res8,
            kws_res8_narrow,
            midas_small,
            once_for_all,
            plane_rcnn,
            rapid_rl,
            rgbd_200,
            ritnet,
            skipnet,
            sosnet,
            ssdlite_mobilenetv2,
            trailnet,
            vgg_voxceleb,
        )
    }
)
"""The builder of every network, by name."""

_MOST = {
    "height": 16_384,
    "width": 16_384,
    "frames": 100_000,
    "tokens": 1_000,  # each adds layers of its own, and so does each patch
    "patches": 1_000,
    "rows": 1_000,
    "depth": 1_000,
}
"""The largest value of each parameter that is a size or a count."""


def build_network(name: str, **parameters: float) -> Network:
    """Build a network of the catalogue; one that was built before is returned again.

    Args:
        name: A key of `NETWORKS`.
        **parameters: Passed to its builder.

    Raises:
        ConfigError: If there is no such network, or it does not take these parameters.
    """
    if name not in NETWORKS:
        raise ConfigError(f"no network is called {shown(name)}; {hint(name, NETWORKS)}")
    known = inspect.signature(NETWORKS[name]).parameters
    for parameter, value in parameters.items():
        if parameter not in known:
            takes = f"it takes {', '.join(known)}" if known else "it takes none"
            raise ConfigError(f"{name}: unknown parameter {shown(parameter)}; {takes}")
        most = _MOST.get(parameter) if isinstance(known[parameter].default, int) else None
        _check(f"{name}: {parameter}", value, most)
    return _build(name, **parameters)


def _check(field: str, value: object, most: int | None) -> None:
    """Sizes and counts are whole, positive and bounded; the rest are numbers."""
    if most is not None and (type(value) is not int or not 1 <= value <= most):
        raise ConfigError(f"{field} must be a whole number from 1 to {most}, got {shown(value)}")
    if type(value) not in (int, float):
        raise ConfigError(f"{field} must be a number, got {shown(value)}")


@cache
def _build(name: str, **parameters: float) -> Network:
    """Build a network; sizes other than the default ones go into its name.

    Cost tables know networks by their names, so two with different layers need different ones.
    """
    network = NETWORKS[name](**parameters)
    sizes = [
        f"{key}={parameters[key]}"
        for key, known in inspect.signature(NETWORKS[name]).parameters.items()
        if isinstance(known.default, int) and parameters.get(key, known.default) != known.default
    ]
    return replace(network, name=f"{name}({', '.join(sizes)})") if sizes else network
