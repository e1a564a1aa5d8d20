"""The README's Python runs, and so do its commands that take no training run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.compiled

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
    if line.startswith("dream-gym") and "RUN" not in line
]


def test_the_examples_are_found():
    assert len(PYTHON) >= 4
    assert sum(".learn(" in code for code in PYTHON) == 1


@pytest.mark.parametrize("code", PYTHON)
def test_python(code, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(code, scope)
    assert "dream_gym" in code
    if ".learn(" in code:
        assert scope["curve"][-1] < 0.2 * scope["curve"][29], "the example shows no learning"
        assert Path("learning.png").stat().st_size > 10_000


def test_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) >= 5
    for command in COMMANDS:  # in order: some write what the next ones read
        arguments = [sys.executable, "-m", "dream_gym", *shlex.split(command)[1:]]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout


def test_pictures_and_links_exist():
    targets = re.findall(r"\]\(((?:docs|configs)/[^)#]+)\)", README)
    assert len(targets) >= 5
    for target in targets:
        assert (Path(__file__).parents[1] / target).exists(), target


def test_the_first_table_is_that_of_the_page_of_results():
    """Its figures are the means there; the page has the intervals, too."""
    page = (
        (Path(__file__).parents[1] / "docs" / "results.md")
        .read_text()
        .partition("\n## generated\n")[2]
    )
    table = README.partition("UXCost ÷ bound")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `([^`]+)`: [^|]+\|(.+)\|$", table, re.MULTILINE)
    assert len(rows) == 5
    for policy, figures in rows:
        violated, energy, multiple, first = (each.strip() for each in figures.split("|"))
        there = re.findall(rf"^\| `{policy}` \| (.+) \|$", page, re.MULTILINE)
        by_uxcost, by_deadlines, by_energy = (line.split(" | ") for line in there[:3])
        assert by_deadlines[0].startswith(f"{violated} [")
        assert by_energy[0].startswith(f"{energy} [")
        assert by_uxcost[0].startswith(f"{multiple} [")
        assert by_uxcost[-1] == first.removesuffix(" of 200")
