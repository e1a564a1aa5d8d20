"""The reports of suites: what they compute, and that they say no more than they may."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dream_gym.analysis.report import summary as report
from dream_gym.analysis.report.folder import read_outcome
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.report.page import file_stems, report_files, write_page, write_report
from dream_gym.analysis.report.reductions import reduction_table
from dream_gym.analysis.report.suite_tables import (
    cause_table,
    cost_table,
    deadline_table,
    energy_table,
    shown_policies,
)
from dream_gym.analysis.report.tables import TextTable
from dream_gym.analysis.report.verdicts import challenge, representatives, verdict, where_beaten
from dream_gym.analysis.report.where_tables import (
    cell_table,
    sustained_load,
    sustained_table,
    sweeps,
)
from dream_gym.analysis.runs.benchmark import Benchmark
from dream_gym.errors import DreamGymError
from tests.analysis.report.made_up import made_up

FIGURE = re.compile(r"^(?:≥ )?(-?[\d.]+(e[-+]\d+)?%?( %)?)( \[.+\])?$")


@pytest.fixture
def outcome(small_benchmark: Benchmark) -> Outcome:
    return Outcome(report.about(small_benchmark, command="make it"), small_benchmark.rows)


def assert_all_are_figures(table: TextTable, *, but_for: Sequence[str] = ()) -> None:
    for row in table.rows:
        assert len(row) == len(table.headings)
        for text in row[1:]:
            for part in text.split("; "):
                assert part in ("", *but_for) or FIGURE.match(part), text


def test_tables_of_a_real_outcome(outcome: Outcome) -> None:
    for make in (cost_table, deadline_table, energy_table, cause_table, cell_table):
        table = make(outcome)
        assert_all_are_figures(table, but_for=outcome.policies)
    assert [row[0] for row in cost_table(outcome).rows] == outcome.ranking
    assert [row[0] for row in cell_table(outcome).rows] == [
        "ar_social on 4k_1ws_2os, load 1.3",
        "ar_call on 4k_2ws, load 4, firm",
    ]


def test_cost_table_by_hand() -> None:
    costs = {"dream_full": [[2.0] * 4, [8.0] * 4], "edf": [[1.0] * 4, [4.0] * 4]}
    table = cost_table(made_up(costs))
    assert table.rows[0][0] == "edf"
    assert table.rows[0][1] == "2"  # no seed differs
    assert table.rows[0][2] == "0.5"
    # Cell by cell, four seeds each; 1 - 0.025^(1/8) is unseen.
    assert table.rows[0][4] == "100.00% [63.06, 100.00]"
    assert [row[5] for row in table.rows] == ["2", "0"]  # cells on which it is first
    assert table.rows[1][:3] == ("dream_full", "4", "1")


AGAINST: tuple[Any, Any] = ("DREAM", ["rule", "rival"])


def test_the_verdict_is_about_the_best_policy_and_whom_it_beats() -> None:
    noise = np.random.default_rng(0).lognormal(0, 0.05, size=(3, 8))
    base = np.ones((3, 8))
    assert verdict(made_up({"mine": base})) == (
        "On `asplos23`: `mine` has the least UXCost, 1 times its bound in runs of 1 s. It violates "
        "0.00% [0.00, 14.25] of the frames, with 1 times the least energy, 0 mW."
    )
    won = verdict(made_up({"mine": 0.5 * base, "edf": base, "theirs": 2 * base}))
    assert "; it beats all others, the next being `edf`, with 0.5 of its UXCost. It" in won
    assert won.endswith(" It is first on 3 of 3 cells.")
    level = verdict(made_up({"mine": base, "edf": 1.001 * noise, "sjf": 9 * base}))
    best, other = sorted(["mine", "edf"], key=lambda name: f"`{name}` has the least" not in level)
    assert f"`{best}` has the least UXCost" in level
    told = (
        rf"cannot be told from `{other}`, with [\d.]+ \[.+\] of its UXCost; it beats the others, "
    )
    assert re.search(f"{told}the next being `sjf`", level)
    few = verdict(made_up({"mine": base[:, :3], "edf": 2 * noise[:, :3]}))
    assert "in runs of 1 s; 3 seeds are too few to say whom it beats. It violates" in few
    many = {f"p{index}": 1.0001 * noise for index in range(9)}
    assert "cannot be told from `p" in (text := verdict(made_up({"mine": base, **many})))
    assert "and 8 others" in text


def test_a_challenge_says_what_the_intervals_allow() -> None:
    noise = np.random.default_rng(0).lognormal(0, 0.05, size=(3, 8))
    base = np.ones((3, 8))
    texts = [
        challenge(made_up({"dream_full": base, "edf": factor * noise, "sjf": 9 * base}), *AGAINST)
        for factor in (0.5, 1.0, 2.0)
    ]
    plain = "`dream_full`, DREAM's `dream_full` with its defaults: "
    assert f"{plain}the simple rule `edf` beats it, at 0." in texts[0]
    assert "the best simple rule, `edf`, cannot be told from it" in texts[1]
    assert "no simple rule beats it, the best being `edf`" in texts[2]
    both = challenge(
        made_up({"dream_full": base, "dream_full tuned": 0.3 * base, "edf": 0.5 * noise}), *AGAINST
    )
    defaults, best = both.split(". `")
    assert "the simple rule `edf` beats it" in defaults
    assert best.startswith("dream_full tuned`, the best of DREAM here: no simple rule")
    # Rivals are told of beside the rules; what is ours counts as neither DREAM nor a rival, and
    # without either side there is nothing to say.
    assert "rival" not in both
    costs = {"dream_full": base, "dream_plus": 0.1 * base, "edf": 2 * base, "moca": 0.5 * base}
    text = challenge(made_up(costs), *AGAINST)
    assert "no simple rule beats it" in text
    assert "the rival `moca` beats it, at 0.5 times its UXCost" in text  # with every seed
    assert challenge(made_up({"dream_full": base, "dream_plus": 0.1 * base}), *AGAINST) == ""


def with_settings(outcome: Outcome, policy: str, **settings: Any) -> Outcome:
    """The same outcome, with one policy's settings."""
    items = [
        {**item, **settings} if item["policy"] == policy else item
        for item in outcome.about["policies"]
    ]
    return replace(outcome, about={**outcome.about, "policies": items})


def test_a_challenge_says_how_the_challenged_is_set() -> None:
    base = np.ones((2, 4))
    plain = made_up({"dream_full": base, "edf": 2 * base})
    assert "DREAM's `dream_full` with its defaults:" in challenge(plain, *AGAINST)
    same = with_settings(plain, "dream_full", options={"alpha": 1.0})
    assert "DREAM's `dream_full` with its defaults:" in challenge(same, *AGAINST)
    other = with_settings(plain, "dream_full", options={"alpha": 0.5, "late_urgency": "last"})
    assert "DREAM's `dream_full` with alpha=0.5, late_urgency=last:" in challenge(other, *AGAINST)
    tuned = with_settings(plain, "dream_full", options={"alpha": 2}, tuning={"grid": {}})
    assert "DREAM's `dream_full` tuned cell by cell:" in challenge(tuned, *AGAINST)
    assert where_beaten([other], *AGAINST).startswith(
        "A simple rule has less UXCost than DREAM's `dream_full` with alpha=0.5, late_urgency=last"
    )
    # One with its defaults stands for DREAM, even where others are listed before it.
    both = made_up({"dream_full a": base, "dream_full b": 0.5 * base, "edf": 2 * base})
    both = with_settings(both, "dream_full a", options={"alpha": 0})
    assert representatives(both, "DREAM") == ["dream_full b"]
    assert challenge(both, *AGAINST).startswith(
        "On `asplos23`: `dream_full b`, DREAM's `dream_full` with its"
    )


def test_nobody_is_left_out_without_a_word() -> None:
    # All of few; of many the first and the best of each family, whatever they are called.
    few = made_up({name: np.ones((1, 2)) for name in ("edf", "moca", "veltair", "dysta")})
    assert shown_policies(few) == ["edf", "moca", "veltair", "dysta"]
    assert "policies" not in cell_table(few).title
    costs = {
        "edf first": 5.0,
        "edf": 2.0,
        "sjf": 3.0,
        "dream_full x": 4.0,
        "dream_plus any name": 1.0,
        "moca": 7.0,
        "dysta": 6.0,
        "mine": 9.0,
    }
    many = made_up({name: np.full((1, 2), cost) for name, cost in costs.items()})
    shown = shown_policies(many)
    assert shown[0] == "edf first"
    assert set(shown) == {
        "edf first",
        "edf",
        "dream_full x",
        "dream_plus any name",
        "dysta",
        "mine",
    }
    assert "6 of 8 policies: the first, and the best of each family" in cell_table(many).title


def test_two_folders_of_one_suite_are_told_apart(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    noise = np.random.default_rng(0).lognormal(0, 0.1, size=(1, 4))
    for folder, factor in ((before, 2.0), (after, 50.0)):
        made = made_up({"edf": factor * noise, "dream_full": noise})
        made = replace(made, about={**made.about, "versions": {"python": "3"}})
        report.write_json(made.about, folder / "about.json")
        made.rows.write_parquet(folder / "runs.parquet")
    page = tmp_path / "page.md"
    write_page([read_outcome(before), read_outcome(after)], page)
    text = page.read_text()
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [section.splitlines()[0] for section in sections] == [
        f"asplos23 ({before})",
        f"asplos23 ({after})",
    ]
    pictures = [re.findall(r"\]\((.+\.png)\)", section) for section in sections]
    assert len(set(pictures[0] + pictures[1])) == 4
    for name in pictures[0] + pictures[1]:
        assert (tmp_path / name).stat().st_size > 1000
    drawn = [(tmp_path / names[0]).read_bytes() for names in pictures]
    assert drawn[0] != drawn[1]
    for section, folder in zip(sections, (before, after), strict=True):
        assert f"Read from `{folder}`." in section
    assert f"On `asplos23 ({before})`" in text
    assert f"On `asplos23 ({after})`" in text
    write_page([read_outcome(before)], page)  # alone, it keeps its name
    assert "## asplos23\n" in page.read_text()


def test_files_of_suites_are_told_apart() -> None:
    names = ["a b", "a/b", "A_b", "../../x", "..", "a|b (c)"]
    stems = file_stems(names)
    assert stems == ["a_b", "a_b_2", "A_b_3", ".._.._x", "..", "a_b_c"]
    assert max(map(len, file_stems(["x" * 500]))) <= 100


def test_the_summary_says_where_a_family_is_beaten() -> None:
    base, noise = np.ones((3, 8)), np.random.default_rng(0).lognormal(0, 0.05, size=(3, 8))
    first = made_up({"dream_full": base, "edf": 0.5 * base, "moca": noise})
    other = made_up({"dream_full": base, "dream_full tuned": 0.1 * base, "edf": 0.5 * base})
    other.about["suite"]["name"] = "other"
    assert where_beaten([first, other], *AGAINST) == (
        "A simple rule has less UXCost than DREAM's `dream_full` with its defaults on `asplos23`, "
        "`other`. A rival has less UXCost than DREAM's `dream_full` with its defaults nowhere. "
        "A simple rule has less UXCost than the best of DREAM here nowhere."
    )


def test_reductions_by_hand() -> None:
    costs = {
        "dream_full": [[1.0, 1.0], [3.0, 3.0]],
        "planaria": [[4.0, 4.0], [3.0, 3.0]],
    }
    table = reduction_table([made_up(costs)], "DREAM", ["planaria", "veltair"])
    assert table is not None
    assert table.rows == (("asplos23", "dream_full", "planaria", "50.0 %", "75.0 %"),)
    alone = made_up({"dream_full": [[1.0, 1.0]], "moca": [[1.0, 1.0]]})
    assert reduction_table([alone], "DREAM", ["planaria"]) is None


def test_sustained_load_by_hand() -> None:
    loads = (0.5, 1.0, 1.5, 2.0, 2.5)
    costs = {name: np.ones((5, 4)) for name in ("edf", "fcfs", "sjf")}
    rows = [[0] * 4, [0, 0, 0.018, 0.018], [0.01] * 4, [0] * 4, [1] * 4]
    violated = {
        "edf": rows,  # once above, it is over
        "fcfs": [[0.01] * 4] + [[0] * 4] * 4,
        "sjf": [[0.0] * 4] * 5,
    }
    outcome = made_up(costs, loads, violation_rate=violated)
    (sweep,) = sweeps(outcome)
    assert sweep.loads == loads
    found = {policy: sustained_load(outcome, policy, sweep) for policy in costs}
    # In a resample with the last two seeds thrice, 0.0135 of all are violated at load 1.
    assert (found["edf"].mean, found["edf"].low, found["edf"].high) == (1.0, 0.5, 1.0)
    assert found["fcfs"].mean == 0
    assert found["sjf"].mean == 2.5
    texts = [row[1] for row in sorted(sustained_table(outcome).rows)]
    assert texts == ["1 [0.5, 1]", "0", "≥ 2.5"]
    assert_all_are_figures(sustained_table(outcome))


def assert_has_pictures(text: str, folder: Path) -> None:
    pictures = set(re.findall(r"\]\((.+\.png)\)", text))
    assert len(pictures) == 2
    for picture in pictures:
        assert (folder / picture).stat().st_size > 1000


def test_report_and_page(outcome: Outcome, tmp_path: Path) -> None:
    write_report(outcome, tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert text.count("make it") == 5  # under every table
    assert_has_pictures(text, tmp_path)
    page = tmp_path / "docs" / "results.md"
    write_page([outcome], page)
    text = page.read_text()
    opening, rest = text.removeprefix("# Results\n\n").split("\n\n* ", 1)
    assert re.fullmatch(r"On `small`: .+\n\n!\[.+\]\(images/results/small_plane.png\)", opening)
    assert opening.splitlines()[0] in rest
    assert "32.2 %" not in text  # there is nobody to set beside it
    assert_has_pictures(text, page.parent)


@pytest.mark.parametrize(
    ("description", "beginning"),
    [("", "2 cells, 3 policies"), ("Two places", "Two places. 2 cells, 3 policies")],
)
def test_a_section_begins_with_what_the_suite_is_about(
    description: str, beginning: str, outcome: Outcome, tmp_path: Path
) -> None:
    outcome.about["suite"]["description"] = description
    write_report(outcome, tmp_path)
    assert f"## small\n\n{beginning}" in (tmp_path / "report.md").read_text()


def test_the_files_of_a_report_are_known_before(outcome: Outcome, tmp_path: Path) -> None:
    names = report_files(replace(outcome, rows=pl.DataFrame()))
    write_report(outcome, tmp_path)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())


def test_one_seed_is_not_reported(outcome: Outcome, tmp_path: Path) -> None:
    about = {**outcome.about, "seeds": {"first": 0, "count": 1}}
    single = replace(outcome, about=about)
    with pytest.raises(DreamGymError, match="no intervals"):
        write_page([single], tmp_path / "page.md")
    assert list(tmp_path.iterdir()) == []
    write_report(single, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == report_files(single) == ["report.md"]
    assert (tmp_path / "report.md").read_text() == (
        "# Results\n\nsmall: one seed gives no intervals, and without them nothing is reported.\n"
    )


def test_read_what_was_written(small_benchmark: Benchmark, tmp_path: Path) -> None:
    report.write_table(small_benchmark, tmp_path / "runs.parquet")
    report.write_json(report.about(small_benchmark, command="c"), tmp_path / "about.json")
    found = read_outcome(tmp_path)
    assert found.rows.equals(small_benchmark.rows.select(found.rows.columns))
    assert found.policies == ["fcfs", "half", "tuned"]
    np.testing.assert_array_equal(
        found.scores("half", "uxcost")[1],
        small_benchmark.rows.filter(policy="half", cell=1)["uxcost"].to_numpy(),
    )


def test_the_verdict_says_where_the_best_is_not_first() -> None:
    costs = {"edf": np.ones((8, 2)), "sjf": np.full((8, 2), 3.0), "fcfs": np.full((8, 2), 3.0)}
    costs["sjf"][0] = 0.9
    text = verdict(made_up(costs, loads=tuple(float(load) for load in range(1, 9))))
    assert text.endswith("first on 7 of 8 cells; elsewhere: `sjf` on s on p, load 1.")
    costs["sjf"][:4], costs["fcfs"][4:7] = 0.9, 0.8
    text = verdict(made_up(costs))
    assert "`edf` has the least" in text
    assert text.endswith(" It is first on 1 of 8 cells; elsewhere `sjf` (4), `fcfs` (3) are.")
