"""What a compiled function's machine code on disk depends on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numba
import pytest

ROOT = Path(__file__).parents[2]

DIGESTS = """
import json
from dream_gym.compiling.sources import code_digest, package_digest
from dream_gym.envs.dispatch.stepping import step
from dream_gym.schedulers import BUILTIN
from dream_gym.simulator.lifetime import begin
functions = {"begin": begin, "edf": BUILTIN["edf"].decide, "moca": BUILTIN["moca"].decide,
             "step": step}
found = {name: code_digest(function) for name, function in functions.items()}
print(json.dumps(found | {"package": package_digest()}))
"""


def digests(copy: Path) -> dict[str, str]:
    command = [sys.executable, "-c", DIGESTS]  # which imports what lies in its working directory
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=copy.parent)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the package's sources."""
    folder = tmp_path_factory.mktemp("sources") / "dream_gym"
    for path in (ROOT / "dream_gym").rglob("*.py"):
        target = folder / path.relative_to(ROOT / "dream_gym")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def before(copy):
    """Digests with the sources as they are."""
    return digests(copy)


@pytest.mark.parametrize(
    ("changed", "compiled_again"),
    [
        ("cli/show.py", set()),
        ("analysis/report/summary.py", set()),
        ("workload/scenario.py", set()),
        ("schedulers/moca.py", {"moca"}),
        ("schedulers/ordering.py", {"edf"}),  # written there, though EDF's module only calls it
        ("envs/rewards.py", {"step"}),
        ("workload/chance.py", {"begin", "edf", "moca", "step"}),
        ("simulator/frames.py", {"begin", "edf", "moca", "step"}),
        ("compiling/jit.py", {"begin", "edf", "moca", "step"}),
    ],
)
def test_a_change_compiles_what_contains_it_and_nothing_else(copy, before, changed, compiled_again):
    path = copy / changed
    kept = path.read_bytes()
    path.write_bytes(kept + b"\n# changed\n")
    after = digests(copy)
    path.write_bytes(kept)
    differ = {name for name in before if before[name] != after[name]}
    assert differ == compiled_again | {"package"}, "the digest of the package covers all"


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is cached")
def test_cached_code_carries_its_digest():
    from dream_gym.compiling.sources import code_digest
    from dream_gym.simulator.lifetime import begin

    assert {file._source_stamp for file in begin._cache._files} == {code_digest(begin)}
