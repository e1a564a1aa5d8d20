"""A few kills of running commands; `make test-kills` does many more, see `tests.kills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kills.killing import COMMANDS, Rehearsal

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc"),
]


@pytest.mark.parametrize(("name", "seeds"), [("benchmark", [2, 4]), ("tune", [3])])
def test_a_kill_loses_nothing_and_leaves_nobody(
    name: str, seeds: list[int], tmp_path: Path
) -> None:
    rehearsal = Rehearsal(COMMANDS[name], tmp_path)
    for seed in seeds:
        rehearsal.kill(seed)
