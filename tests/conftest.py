"""Hypothesis and markers for all tests."""

from __future__ import annotations

from pathlib import Path

import numba
import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what runs whole commands; leave out what needs the speed of compiled code.

    Files are given to two processes as they come: with these at the end, one would work alone for
    minutes. Code is not compiled in `make coverage`.
    """
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent)
    if numba.config.DISABLE_JIT:
        for item in items:
            if item.get_closest_marker("compiled"):
                item.add_marker(pytest.mark.skip(reason="needs the speed of compiled code"))
