"""CP-SAT and Ctrl-C: by itself it swallows the first, and dies of the next."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("ortools")

INTERRUPTED = """
import os, signal, threading, time
from ortools.sat.python import cp_model
from dream_gym.analysis.studies.bounds.solving import minimise

def ruler(marks, limit):
    '''The shortest ruler whose marks have all distances different: hard from 12 marks on.'''
    model = cp_model.CpModel()
    at = [model.new_int_var(0, 400, "") for _ in range(marks)]
    for left, right in zip(at, at[1:]):
        model.add(left < right)
    pairs = [(a, b) for b in range(marks) for a in range(b)]
    gaps = [model.new_int_var(1, 400, "") for _ in pairs]
    for gap, (a, b) in zip(gaps, pairs):
        model.add(gap == at[b] - at[a])
    model.add_all_different(gaps)
    return minimise(model, at[-1], limit)

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

assert ruler(5, 10.0).bound == 11
threading.Timer(1.0, interrupt).start()
try:
    ruler(16, 1000.0)
except KeyboardInterrupt:
    print("interrupted a solver")
try:
    interrupt()
    time.sleep(5)
except KeyboardInterrupt:
    print("and what came after it")
"""


def test_ctrl_c_ends_a_solver_and_what_comes_after_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == ["interrupted a solver", "and what came after it"], done
