"""Compiling before it is needed: everything, and nothing that is there."""

from __future__ import annotations

import logging
import subprocess
import sys

import numba
import pytest

from dream_gym import warming
from dream_gym.cli import main

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

ALL = """
import importlib, pkgutil
import dream_gym
from dream_gym import warming
from dream_gym.compiling.jit import ENTRY_POINTS

for module in pkgutil.walk_packages(dream_gym.__path__, "dream_gym."):
    if "__main__" not in module.name and "sb3" not in module.name:
        importlib.import_module(module.name)
assert warming.warm_up(1) >= 0
names = sorted(each.py_func.__qualname__ for each in ENTRY_POINTS if not each.overloads)
assert not names, names
assert len(ENTRY_POINTS) > len(warming.UNITS)
"""


def test_every_entry_point_is_used_by_a_unit() -> None:
    done = subprocess.run([sys.executable, "-c", ALL], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_compiled_is_left_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "UNITS", {"edf": warming.UNITS["scheduler edf"]})
    done: list[str] = []
    level = logging.getLogger("dream_gym").level
    warming.warm_up(1, done.append)
    assert logging.getLogger("dream_gym").level == level, "whoever warms up hears of faults after"
    assert done == [warming.SHARED, "edf"]
    assert warming.warm_up(1) == 0
    assert main(["warm", "--workers", "1"]) == 0
    assert "all was compiled" in capsys.readouterr().out
    assert main(["warm", "--workers", "0"]) == 2
    assert "workers: expected an integer" in capsys.readouterr().err
