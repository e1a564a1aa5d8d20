from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from dream_gym.analysis.calibration.page import calibration_page
from dream_gym.analysis.calibration.runs import as_row, calibrate_cells
from dream_gym.analysis.calibration.scan import calibrate
from dream_gym.analysis.runs.parts import keep_parts
from dream_gym.analysis.suites.calibrated import (
    calibrated_cells,
    edge_cells,
    read_table,
    write_table,
)
from dream_gym.cli import main
from dream_gym.errors import ConfigError, DreamGymError
from dream_gym.reading import resources

DREAM = ("ar_call", "ar_social", "drone_indoor", "drone_outdoor", "vr_gaming")
ROOT = Path(__file__).parents[3]


def test_the_table_has_all_cells_of_dream() -> None:
    found = {(cell.scenario, cell.platform) for cell in calibrated_cells()}
    platforms = [name for name in resources.names("platforms") if name[:2] in ("4k", "8k")]
    assert len(platforms) == 8
    assert found >= {(scenario, platform) for scenario in DREAM for platform in platforms}


@pytest.mark.compiled
@pytest.mark.parametrize(("scenario", "platform"), [("vr_gaming", "4k_2os"), ("ar_call", "8k_2os")])
def test_the_shipped_table_is_what_the_simulator_says(scenario: str, platform: str) -> None:
    (shipped,) = (
        cell
        for cell in calibrated_cells()
        if (cell.scenario, cell.platform) == (scenario, platform)
    )
    found = as_row(scenario, platform, calibrate(scenario, platform))
    assert str(found) == str(shipped)  # as text, since NaN is not itself


def test_edge_cells_are_those_where_scheduling_decides() -> None:
    cells = edge_cells()
    assert 10 < len(cells) < len(calibrated_cells())
    for cell in cells:
        assert cell.fcfs < cell.edge_load <= max(cell.edf, cell.dream_mapscore)
        assert not cell.edge_load >= cell.infeasible_load


def test_a_cell_that_is_infeasible_at_its_load_has_no_edge() -> None:
    cell = edge_cells()[0]
    narrow = replace(cell, infeasible_model="depth", infeasible_load=cell.edge_load)
    assert not narrow.has_edge
    assert not replace(cell, fcfs=math.nan).has_edge


def test_what_a_table_has_is_not_calibrated_again(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    known = replace(calibrated_cells()[0], fcfs=0.123)  # which no calibration would say
    write_table(path, [known])
    seen: list[str] = []
    pair = (known.scenario, known.platform)
    (found,) = calibrate_cells([pair], path, on_cell=seen.append)
    assert found.fcfs == read_table(path)[0].fcfs == 0.123
    assert seen == [f"{known.scenario} on {known.platform}"]


def test_an_interrupted_run_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, parts = tmp_path / "table.csv", tmp_path / "parts"
    known = calibrated_cells()[-1]
    write_table(path, [known])
    before = path.read_bytes()
    pairs = [("ar_call", "4k_2ws"), ("ar_social", "4k_2ws"), ("ar_call", "4k_2os")]
    asked: list[tuple[str, str]] = []

    def stand_in(*pair: str) -> None:
        if len(asked) == 2 and pair not in asked:
            asked.append(pair)  # type: ignore[arg-type]
            raise KeyboardInterrupt
        asked.append(pair)  # type: ignore[arg-type]
        raise DreamGymError("no deadline is missed")

    monkeypatch.setattr("dream_gym.analysis.calibration.runs.calibrate", stand_in)
    with pytest.raises(KeyboardInterrupt), keep_parts(parts) as kept:
        calibrate_cells(pairs, path, parts=kept)
    assert path.read_bytes() == before
    with keep_parts(parts) as kept:
        calibrate_cells(pairs, path, parts=kept)
    assert asked == [*pairs, pairs[-1]]  # none but the one that was interrupted again
    found = {(row.scenario, row.platform) for row in read_table(path)}
    assert found == {*pairs, (known.scenario, known.platform)}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "words"), [("", "line 1"), ("a,b\n1,2\n", "line 1"), (None, "cannot be read")]
)
def test_a_malformed_table_is_named(text: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_a_truncated_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_table(path, calibrated_cells()[:2])
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ConfigError, match="line 3"):
        read_table(path)


def test_rows_that_cannot_be_are_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_table(path, calibrated_cells()[:1])
    head, row = path.read_text().splitlines()
    load = row.split(",")[2]
    for text, told in (
        (f"{row}\n{row}", "line 3: .* is there twice"),
        (f"{row},more", "line 2: expected 9 columns"),
        (row.replace(load, "1_0", 1), "line 2: fcfs: expected a number, got '1_0'"),
        (row.replace(load, "inf", 1), "line 2: fcfs: expected a number"),
    ):
        path.write_text(f"{head}\n{text}\n")
        with pytest.raises(ConfigError, match=told):
            read_table(path)


def test_the_command_writes_table_and_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, page = tmp_path / "table.csv", tmp_path / "page.md"
    cell = calibrated_cells()[0]
    write_table(table, [cell])
    command = ["calibrate", "--output", str(table), "--page", str(page)]
    assert main([*command, "--scenarios", cell.scenario, "--platforms", cell.platform]) == 0
    assert "1 cells" in capsys.readouterr().out
    assert f"`{cell.platform}`" in page.read_text()


def test_the_page_is_that_of_the_table() -> None:
    page = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert page == calibration_page(calibrated_cells()), "run: make calibration"
