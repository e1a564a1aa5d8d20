"""The search for options: CMA-ES by itself, then with the simulator, then the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("cma")

import dream_gym
from dream_gym.analysis.runs.parts import keep_parts
from dream_gym.analysis.runs.search import Axis, Found, minimise, search, search_axes
from dream_gym.analysis.suites.suite import load_suite
from dream_gym.cli import main
from dream_gym.errors import ConfigError
from dream_gym.players import make_player
from dream_gym.simulator import Cell

CELL = {"scenario": "drone_outdoor", "platform": "4k_1ws_2os", "load": 2.9}
SMALL: dict[str, Any] = {"seeds": 1, "seconds": 0.3, "evaluations": 12, "fixed": {}}


@pytest.mark.parametrize("dimensions", [1, 3])
def test_a_known_optimum_is_found(dimensions: int) -> None:
    target = np.array([0.2, 0.9, 0.0])[:dimensions]
    seen: list[Any] = []

    def height(point: Any) -> float:
        return float(((np.array(point)[:dimensions] - target) ** 2).sum())

    def bowl(points: Any) -> list[float]:
        seen.extend(points)
        return [height(point) for point in points]

    minimise(bowl, dimensions, evaluations=300, seed=1)
    best = min(seen, key=height)
    assert best[:dimensions] == pytest.approx(target, abs=0.02)
    assert np.min(seen) >= 0
    assert np.max(seen) <= 1


def test_axes_are_the_ranges_of_the_options() -> None:
    axes = search_axes("dream_plus", (), ["beta"])
    assert axes == [
        Axis("alpha", 0, 2, False),
        Axis("patience", 1, 8, False),
        Axis("drop_cap", 0, 10, True),
        Axis("supernet_margin", 0, 4, False),
    ]
    assert [axes[1].value(share) for share in (0, 0.5, 1)] == [1.0, 4.5, 8.0]
    assert [axes[2].value(share) for share in (0, 0.449, 1)] == [0, 4, 10]


@pytest.mark.parametrize(
    ("scheduler", "names", "words"),
    [
        ("dream_plus", ("gamma",), "'gamma' is no number of dream_plus; it has alpha"),
        ("dream_plus", ("late_urgency",), "'late_urgency' is no number"),
        ("dream_plus", ("beta",), "'beta' is fixed"),
        ("dream_plus", ("alpha", "alpha"), "'alpha' is given twice"),
        ("fcfs", (), "fcfs has no numbers to search"),
        ("fcfz", (), "fcfz"),
    ],
)
def test_what_cannot_be_searched(scheduler: str, names: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        search_axes(scheduler, names, ["beta"])


def found(tmp_path: Path, **changes: Any) -> Found:
    axes = search_axes("dream_plus", ("patience", "drop_cap"), ())
    with keep_parts(tmp_path / "parts") as parts:
        return search("dream_plus", Cell(**CELL), axes, **SMALL, parts=parts, **changes)


def test_an_interrupted_search_is_taken_up_again(tmp_path: Path) -> None:
    parts = tmp_path / "parts"

    def kept() -> dict[Path, int]:
        """The points that are kept, and when they were written."""
        return {path: path.stat().st_mtime_ns for path in parts.glob("*.json")}

    def interrupt(points: int) -> None:
        if len(kept()) == 8:
            raise KeyboardInterrupt

    def look(points: int) -> None:
        now = kept()
        assert now.items() >= first.items(), "nothing is played again"
        counts.append(len(now))

    whole = found(tmp_path)
    assert whole.evaluations > 12
    assert whole.uxcost < 0.5 * whole.default_uxcost
    assert whole.ratio.mean < 1
    with pytest.raises(KeyboardInterrupt):
        found(tmp_path, on_points=interrupt)
    first = kept()
    assert len(first) == 8
    counts: list[int] = []
    assert found(tmp_path, on_points=look) == whole
    assert counts == [max(number, 8) for number in range(1, whole.evaluations + 6 + 1)]
    assert not parts.exists()


@pytest.mark.compiled
def test_workers_change_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, workers=2) == found(tmp_path)


def test_defaults_are_kept_where_nothing_is_better(tmp_path: Path) -> None:
    calm = Cell(scenario="ar_call", platform="4k_2ws", load=0.5)
    axes = search_axes("dream_plus", ("drop_cap",), ())
    result = search("dream_plus", calm, axes, **SMALL)
    assert result.options == {}
    assert result.uxcost == result.default_uxcost


def test_the_command_writes_what_schedulers_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "best.yaml"
    words = ["tune", "--scheduler", "dream_plus", "--scenario", "drone_outdoor", "--load", "2.9"]
    words += ["--platform", "4k_1ws_2os", "--search-for", "patience", "--option", "beta=0.5"]
    words += ["--seeds", "1", "--seconds", "0.3", "--evaluations", "6", "--output", str(file)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert f"--scheduler tuned:{file}" in out
    options = yaml.safe_load(file.read_text())["options"]
    assert options["beta"] == 0.5
    assert 1 <= options["patience"] < 8

    arguments: dict[str, Any] = {"seconds": 0.3, "seed": 9, "load": 2.9}
    place = ("drone_outdoor", "4k_1ws_2os")
    plain = dream_gym.simulate(*place, "dream_plus", record=True, **arguments, **options)
    tuned = dream_gym.simulate(*place, f"tuned:{file}", record=True, **arguments)
    assert (tuned.timeline == plain.timeline).all()
    other = dream_gym.simulate(*place, f"tuned:{file}", **arguments, patience=8)
    assert other.uxcost != tuned.uxcost
    assert (
        main(["simulate", *place[:1], "--platform", place[1], "--scheduler", f"tuned:{file}"]) == 0
    )

    policy = make_player(f"tuned:{file}")
    assert policy.settings == {"scheduler": "dream_plus", "family": "ours", "options": options}
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        "{schema: 1, name: s, cells: [{scenario: ar_call, platform: 4k_2ws}], "
        "policies: [{scheduler: 'tuned:best.yaml'}]}"
    )
    assert load_suite(suite).policies[0].title == "best.yaml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("{schema: 1, options: {}}", "scheduler"),
        ("{schema: 2, scheduler: edf, options: {}}", "schema"),
        ("{schema: 1, scheduler: edg, options: {}}", "'edg' is no built-in scheduler"),
        ("{schema: 1, scheduler: dream_plus, options: {alpha: 3}}", "alpha"),
        ("{schema: 1, scheduler: dream_plus, options: {gamma: 1}}", "gamma"),
        ("[", "best.yaml"),
    ],
)
def test_a_file_that_cannot_be(text: str | None, words: str, tmp_path: Path) -> None:
    file = tmp_path / "best.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        dream_gym.simulate("ar_call", "4k_2ws", f"tuned:{file}", seconds=0.01)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [["--evaluations", "0"], ["--workers", "0"], ["--seeds", "0"], ["--search-seed", "-1"],
     ["--search-for", "nope"], ["--option", "alpha=9"], ["--load", "0"]],
)  # fmt: skip
def test_bad_arguments(words: list[str], tmp_path: Path) -> None:
    command = ["tune", "--scheduler", "dream_plus", "--scenario", "ar_call"]
    command += ["--platform", "4k_2ws", "--output", str(tmp_path / "best.yaml")]
    assert main([*command, *words]) == 2
    assert list(tmp_path.iterdir()) == []
