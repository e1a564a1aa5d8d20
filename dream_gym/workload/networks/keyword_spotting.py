"""Residual networks that listen for a few spoken commands."""

from __future__ import annotations

from dream_gym.workload.layer import Network
from dream_gym.workload.networks.builder import ChainBuilder

_SOURCE = "Tang and Lin, Deep Residual Learning for Small-Footprint Keyword Spotting, ICASSP 2018"


def kws_res8() -> Network:
    """res8: 45 channels, on one second of speech (101 frames of 40 MFCCs), for 12 classes."""
    return _res8("kws_res8", 45)


def kws_res8_narrow() -> Network:
    """res8-narrow: res8 with 19 channels."""
    return _res8("kws_res8_narrow", 19)


def _res8(name: str, channels: int) -> Network:
    net = ChainBuilder(1, 101, 40)
    net.conv("stem", channels, 3)
    net.pool((4, 3))
    for block in range(1, 4):
        net.conv(f"block{block}.conv1", channels, 3)
        net.conv(f"block{block}.conv2", channels, 3)
    net.global_pool()
    net.fc("classifier", 12)
    return Network(name, tuple(net.layers), _SOURCE)
