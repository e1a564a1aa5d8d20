"""``dream-gym new cell``: a random workload as files of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dream_gym.cli import main
from dream_gym.generator import generate_workload
from dream_gym.hardware import load_platform
from dream_gym.workload import load_scenario

pytestmark = pytest.mark.compiled


def test_a_random_cell_is_written_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in range(30):
        workload = generate_workload(seed)
        assert main(["new", "cell", f"mine{seed}", "--generate", str(seed)]) == 0
        assert f"load {workload.load}" in capsys.readouterr().out
        for kind in ("scenarios", "platforms"):
            assert f"at load {workload.load}: " in Path(kind, f"mine{seed}.yaml").read_text()
        named = {"name": f"mine{seed}"}
        assert load_scenario(f"mine{seed}") == workload.scenario.model_copy(update=named)
        assert load_platform(f"mine{seed}") == workload.platform.model_copy(update=named)
    command = ["simulate", "mine17", "--platform", "mine17", "--scheduler", "edf"]
    assert main([*command, "--load", str(generate_workload(17).load), "--seconds", "0.1"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cell", "mine"], "give its seed"),
        (["cell", "mine", "--generate", "-1"], "seed"),
        (["scenario", "mine", "--generate", "1"], "is for a cell"),
        (["cell", "4k_2ws", "--generate", "1"], "already one of the platforms"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.yaml"))


def test_half_a_cell_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("platforms").write_text("in the way")
    assert main(["new", "cell", "mine", "--generate", "17"]) == 2
    assert "platforms" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.yaml"))
    Path("platforms").unlink()
    assert main(["new", "cell", "mine", "--generate", "17"]) == 0
