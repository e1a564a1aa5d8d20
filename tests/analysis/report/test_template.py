"""Templates of pages: what stands for what, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dream_gym.analysis.report import summary as report
from dream_gym.analysis.report import template
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.report.page import write_page
from dream_gym.analysis.report.template import DEFAULT, fill
from dream_gym.analysis.runs.benchmark import Benchmark
from dream_gym.errors import ConfigError

ROOT = Path(__file__).parents[3]
SHIPPED = (ROOT / "docs" / "templates" / "results.md").read_text(encoding="utf-8")


@pytest.fixture
def outcome(small_benchmark: Benchmark) -> Outcome:
    return Outcome(report.about(small_benchmark, command="make it"), small_benchmark.rows)


def test_the_shipped_template_is_filled(outcome: Outcome, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    write_page([outcome], page, SHIPPED)
    text = page.read_text(encoding="utf-8")
    assert "{{" not in text
    assert "On `small`: `half`, DREAM's `dream_mapscore` with alpha=0" in text
    assert "32.2 %" in text
    assert "*Nobody to compare.*" in text


def test_a_page_on_a_users_suite_talks_about_that_suite(outcome: Outcome, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    write_page([outcome], page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Results\n\nOn `small`: ")
    for word in ("DREAM", "planaria", "veltair", "asplos23", "roster"):
        assert word not in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{verdict}}", "did you mean verdicts"),
        ("{{}}", "is unknown"),
        ("{{beaten DREAM}}", "a family and others"),
        ("{{beaten dream rule}}", "no family; did you mean DREAM"),
        ("{{reductions DREAM}}", "ids of schedulers"),
    ],
)
def test_what_is_unknown_is_named(outcome: Outcome, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        fill(text, [outcome], lambda: "", lambda: "")


def test_the_default_has_all_that_is_not_dreams(outcome: Outcome) -> None:
    # What is about a family, such as DREAM, takes words.
    plain = re.findall(r"^\| ``(\{\{\w+\}\})`` ", template.__doc__ or "", flags=re.MULTILINE)
    assert len(plain) >= 4
    assert re.findall(r"\{\{.*?\}\}", DEFAULT) == plain
    assert fill(DEFAULT, [outcome], lambda: "OPENING", lambda: "SECTIONS").endswith("SECTIONS\n")
