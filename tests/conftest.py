"""Hypothesis and markers for all tests."""

from __future__ import annotations

import numba
import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what needs the speed of compiled code where there is none (`make coverage`)."""
    if numba.config.DISABLE_JIT:
        for item in items:
            if item.get_closest_marker("compiled"):
                item.add_marker(pytest.mark.skip(reason="needs the speed of compiled code"))
