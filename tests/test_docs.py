"""What a page tells its reader to write and to run, written and run in the page's order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dream_gym.cli import main
from dream_gym.schedulers.learned.features import CONTEXT_FEATURES, FRAME_FEATURES, PAIR_FEATURES

pytestmark = pytest.mark.compiled

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(
    r"(?:^`([^`\n]+)`:\n\n)?^```(sh|yaml|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


def run_page(page: str, tmp_path: Path) -> None:
    """Write the files of a page and run its commands, in order."""
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": commands}
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert {language for _, language, _ in blocks} >= {"sh", "python"}
    for name, language, text in blocks:
        if language != "sh":
            assert name, f"no name for: {text}"
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
            continue
        done = subprocess.run(
            ["sh", "-ec", text], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"


def test_the_page_of_your_own_runs(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("polars")
    pytest.importorskip("matplotlib")
    run_page("bring-your-own.md", tmp_path)
    table = (tmp_path / "results" / "table.csv").read_text()
    assert "my_measured_chip" in table
    assert (tmp_path / "results" / "uxcost.png").stat().st_size > 100


def test_the_page_of_random_workloads_runs(tmp_path: Path) -> None:
    run_page("generator.md", tmp_path)


def test_the_page_of_the_learned_score_runs(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("cma")
    agents = Path(__file__).parents[1]
    for name in ("train.py", "agents"):
        (tmp_path / name).symlink_to(agents / name)
    run_page("learned.md", tmp_path)


def test_the_page_of_the_learned_score_has_every_feature() -> None:
    page = (DOCS / "learned.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    assert rows == [*{**PAIR_FEATURES, **FRAME_FEATURES, **CONTEXT_FEATURES}.items()]


def test_the_page_of_the_evolved_rule_runs(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    agents = Path(__file__).parents[1]
    for name in ("train.py", "agents"):
        (tmp_path / name).symlink_to(agents / name)
    run_page("evolved.md", tmp_path)
    assert '"rule": ' in next((tmp_path / "runs" / "rule").glob("best-*.json")).read_text()


def test_the_page_of_schedulers_in_python_runs(tmp_path: Path) -> None:
    run_page("schedulers-in-python.md", tmp_path)


def test_the_command_of_the_planner_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "schedulers.md").read_text(encoding="utf-8")
    (command,) = (text for *_, text in BLOCK.findall(page) if "rollout:" in text)
    assert main(shlex.split(command.replace("\\\n", ""))[1:]) == 0
    assert "UXCost" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    ["TimeDiscount", "make_player", "MaskableEvalCallback", "max_slots", "skip_forced", "jitter"],
)
def test_the_page_of_learning_names_what_learners_need(name: str) -> None:
    assert name in (DOCS / "learning.md").read_text(encoding="utf-8")


def test_the_page_of_learning_runs(tmp_path: Path) -> None:
    pytest.importorskip("sb3_contrib")
    run_page("learning.md", tmp_path)
