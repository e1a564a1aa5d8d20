"""Compiled or not, a run has the same bits."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.compiled

CODE = """
import hashlib, dream_gym
from dream_gym.workload import Phase, Scenario, load_scenario

call, social = load_scenario("ar_call"), load_scenario("ar_social")
apps = Scenario(schema=1, name="apps", phases=(
    Phase(scenario=call, seconds=0.05, rename={{"context": "skipnet"}}), Phase(scenario=social),
))
for scenario, expiry in (("ar_social", "soft"), (apps, "firm"), ("drone_indoor", "soft")):
    result = dream_gym.simulate(
        scenario, "4k_1ws_2os", "{scheduler}", seconds=0.15, seed=5, load=2.0, expiry=expiry,
        contention=expiry == "firm", decision_ns=500, record=True,
    )
    digest = hashlib.sha256(result.timeline.tobytes() + result.frames.tobytes()).hexdigest()
    print(digest, repr(result.uxcost), result.dispatches)
"""


@pytest.mark.parametrize(
    "scheduler", ["edf", "dream_mapscore", "heft_rt", "prema", "sgprs", "planaria", "veltair"]
)
def test_results_do_not_depend_on_compilation(scheduler):
    def output(disable: str) -> str:
        environment = os.environ | {"NUMBA_DISABLE_JIT": disable, "PYTHONWARNINGS": "error"}
        command = [sys.executable, "-c", CODE.format(scheduler=scheduler)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    interpreted = output("1")
    assert interpreted == output("0")
    assert int(interpreted.split()[2]) > 200
