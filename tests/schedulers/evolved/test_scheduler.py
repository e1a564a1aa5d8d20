"""Files of rules, and the references to them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from dream_gym import Cell, simulate, simulate_many
from dream_gym.errors import ConfigError
from dream_gym.players import make_player
from dream_gym.reading.resources import shipped_folder
from dream_gym.schedulers import EVOLVED
from dream_gym.schedulers.evolved.expressions import parameters_of, parse
from dream_gym.schedulers.evolved.scheduler import find_rule, pack_rule
from dream_gym.schedulers.learned import learned_with
from dream_gym.schedulers.learned.features import INPUT_NAMES
from dream_gym.schedulers.learned.weights import new_parameters, tables_of

pytestmark = pytest.mark.compiled

CELL = Cell(scenario="ar_social", platform="4k_1ws_2os", load=1.5)
RULES = ("urgency - 2 * finish", "-work - 3 * late - finish")


def write(path: Path, **content: Any) -> Path:
    path.write_text(json.dumps({"schema": 1, "rule": RULES[0], **content}))
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(pack_rule(parse(RULES[1]), 0.25, {"seed": 3, "who": "ünë"}))
    file = find_rule(str(path))
    assert file.rule == RULES[1]
    assert file.program == parse(RULES[1])
    assert (file.block_ms, file.about) == (0.25, {"seed": 3, "who": "ünë"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"rule": "urgency - 2 * finnish"}, "rule: .*no feature 'finnish'; did you mean finish"),
        ({"rule": "urgency -"}, "rule: .*ends where a feature"),
        ({"rule": 3}, "rule: "),
        ({"block_ms": -1}, "block_ms"),
        ({"block_ms": True}, "block_ms"),
        ({"schema": 2}, "schema"),
        ({"hidden": 3}, "hidden: no such key"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(
    content: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "r.json", **content)
    with pytest.raises(ConfigError, match=rf"r\.json: {words}") as error:
        make_player(f"evolved:{path}")
    assert "\n" not in str(error.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("[1, 2]")
    with pytest.raises(ConfigError, match=r"r\.json: expected a mapping"):
        make_player(f"evolved:{tmp_path / 'r.json'}")
    with pytest.raises(ConfigError, match=r"none\.json: cannot be read"):
        make_player("evolved:none.json")
    with pytest.raises(ConfigError, match="shipped:'evolvd': no such rule; did you mean evolved"):
        make_player("evolved", {"rule": "shipped:evolvd"})


def test_a_reference_plays_and_its_settings_tell_the_rule(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{rule[:3]}.json", rule=rule, block_ms=0.1) for rule in RULES]
    players = [make_player(f"evolved:{path}") for path in paths]
    assert [player.settings["expression"] for player in players] == list(RULES)
    alone = [player.run(CELL, 3, 0.5).uxcost for player in players]
    assert alone[0] != alone[1]
    assert pickle.loads(pickle.dumps(players[1])).run(CELL, 3, 0.5).uxcost == alone[1]
    points = [parameters_of(parse(rule), 0.1) for rule in RULES]
    many = simulate_many(CELL, "evolved", 3, seconds=0.5, parameters=points)
    assert many.uxcost.tolist() == alone
    below = make_player("evolved:urg.json", folder=tmp_path)
    assert below.run(CELL, 3, 0.5).uxcost == alone[0]


def test_a_linear_rule_is_learned_that_never_waits_and_never_drops() -> None:
    parameters = new_parameters(0, block_ms=0.1)
    tables = tables_of(parameters)
    tables["drop.bias"][:] = tables["wait.bias"][:] = -1e6
    for name, weight in {"urgency": 1.0, "late": -2.0, "finish": -2.0, "crowd": 4.0}.items():
        tables["dispatch.linear"][INPUT_NAMES.index(name)] = weight
    rule = parameters_of(parse("urgency - 2 * late - 2 * finish + 4 * crowd"), 0.1)
    mine = simulate_many(CELL, EVOLVED, [3, 4], seconds=0.5, parameters=rule)
    theirs = simulate_many(CELL, learned_with(parameters), [3, 4], seconds=0.5)
    assert mine.uxcost.tolist() == theirs.uxcost.tolist()
    assert mine.dispatches.tolist() == theirs.dispatches.tolist()


def test_shipped_rules_are_named() -> None:
    folder = shipped_folder("rules")
    names = {path.stem for path in folder.glob("*.json")}
    assert "evolved" in names
    assert not names & {path.stem for path in shipped_folder("weights").glob("*.safetensors")}
    for name in names:
        player = make_player(f"shipped:{name}")
        assert player.settings["expression"] == find_rule(f"shipped:{name}").rule
        by_file = simulate(
            "ar_social",
            "4k_1ws_2os",
            f"evolved:{folder / name}.json",
            seconds=0.5,
            load=1.5,
            seed=3,
        )
        assert player.run(CELL, 3, 0.5).uxcost == by_file.uxcost
