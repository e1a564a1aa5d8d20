from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from dream_gym import Cell, simulate, simulate_many
from dream_gym.errors import ConfigError
from dream_gym.players import make_player
from dream_gym.reading.resources import shipped_folder
from dream_gym.schedulers.learned import learned_with
from dream_gym.schedulers.learned.features import INPUT_NAMES
from dream_gym.schedulers.learned.network import HIDDEN, VARIANTS
from dream_gym.schedulers.learned.weights import (
    first_parameters,
    new_parameters,
    pack_weights,
    read_weights,
    tables_of,
    trained_places,
    widened,
)

CELL = Cell(scenario="ar_social", platform="4k_1ws_2os", load=1.5)


def random_parameters(hidden: int, seed: int = 0) -> Any:
    parameters = new_parameters(hidden, block_ms=0.25)
    random = np.random.default_rng(seed)
    for table in tables_of(parameters).values():
        table[...] = random.normal(size=table.shape).astype(np.float32)
    return parameters


def write(path: Path, tensors: dict[str, Any], card: dict[str, Any]) -> Path:
    told = {"dream_gym": json.dumps(card)}
    path.write_bytes(safetensors.numpy.save(tensors, metadata=told))
    return path


def packed(hidden: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tensors and the card of a good file."""
    tables = tables_of(random_parameters(hidden))
    tensors = {name: table.astype(np.float32) for name, table in tables.items()}
    return tensors, {"schema": 1, "inputs": list(INPUT_NAMES), "block_ms": 0.25}


@pytest.mark.parametrize("hidden", [0, 7])
def test_what_is_written_is_read(hidden: int, tmp_path: Path) -> None:
    parameters = random_parameters(hidden)
    path = tmp_path / "w.safetensors"
    path.write_bytes(pack_weights(parameters, {"seed": 3}))
    weights, digest = read_weights(path)
    assert (weights.parameters == parameters).all()
    assert weights.about == {"seed": 3}
    assert weights.hidden == hidden
    assert len(digest) == 64


def test_a_file_without_a_feature_counts_it_nothing(tmp_path: Path) -> None:
    tensors, card = packed(3)
    gone = INPUT_NAMES.index("demand")
    order = [place for place in reversed(range(len(INPUT_NAMES))) if place != gone]
    card["inputs"] = [INPUT_NAMES[place] for place in order]
    fewer = {
        name: tensor[order] if name.endswith((".linear", ".input")) else tensor
        for name, tensor in tensors.items()
    }
    path = write(tmp_path / "w.safetensors", fewer, card)
    expected = random_parameters(3)
    for name, table in tables_of(expected).items():
        if name.endswith((".linear", ".input")):
            table[gone] = 0.0
    assert (read_weights(path)[0].parameters == expected).all()


def test_bad_files_are_refused_in_one_sentence(tmp_path: Path) -> None:
    tensors, card = packed(3)
    path = tmp_path / "w.safetensors"
    broken = tensors["dispatch.linear"].copy()
    broken[4] = np.nan
    missing = {name: tensor for name, tensor in tensors.items() if name != "drop.bias"}
    cases = [
        (missing, card, r"drop.bias: expected float32 \(1,\), got none"),
        (tensors | {"dispatch.linear": broken}, card, "dispatch.linear: holds numbers"),
        (
            tensors | {"wait.linear": tensors["wait.linear"].astype(np.float64)},
            card,
            "wait.linear: expected float32 .* got float64",
        ),
        (tensors, card | {"inputs": ["urgency", "foo"]}, "inputs: .* no feature 'foo'"),
        (tensors, card | {"inputs": ["late", "late"]}, "inputs: a feature is named twice"),
        (tensors, card | {"block_ms": -1}, "block_ms"),
        (tensors, card | {"schema": 2}, "schema"),
    ]
    for given, told, message in cases:
        with pytest.raises(ConfigError, match=rf"w\.safetensors: .*{message}"):
            read_weights(write(path, given, told))
    path.write_bytes(b"no tensors")
    with pytest.raises(ConfigError, match="no file of weights"):
        read_weights(path)
    path.write_bytes(safetensors.numpy.save(tensors))
    with pytest.raises(ConfigError, match="no file of weights"):
        read_weights(path)
    with pytest.raises(ConfigError, match=r"none\.safetensors"):
        make_player(f"learned:{tmp_path / 'none.safetensors'}")


def test_a_reference_plays_and_its_settings_tell_the_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    points = [random_parameters(4, seed) for seed in (1, 2)]
    for path, parameters in zip((first, second), points, strict=True):
        path.write_bytes(pack_weights(parameters, {}))
    players = [make_player(f"learned:{path}") for path in (first, second)]
    digests = {player.settings["weights_sha256"] for player in players}
    assert len(digests) == 2
    alone = [player.run(CELL, 3, 0.5).uxcost for player in players]
    assert alone[0] != alone[1]
    many = simulate_many(CELL, f"learned:{first}", 3, seconds=0.5, parameters=points)
    assert many.uxcost.tolist() == alone
    called = simulate("ar_social", "4k_1ws_2os", f"learned:{second}", seconds=0.5, seed=3, load=1.5)
    assert called.uxcost == alone[1]


def test_what_is_not_trained_is_not_read_or_stays_0() -> None:
    parameters = random_parameters(2)
    places = trained_places(2).astype(np.float64)
    places[HIDDEN] = 2
    tables, trained = tables_of(parameters), tables_of(places)
    idle = {name: trained[name] == 0 for name in tables if not trained[name].all()}
    assert set(idle) == {"dispatch.bias", "dispatch.linear", "drop.linear", "wait.linear"}
    before = simulate_many(CELL, learned_with(parameters), 3, seconds=0.5).uxcost
    for name in ("drop.linear", "wait.linear"):
        tables[name][idle[name]] += 100.0
    assert simulate_many(CELL, learned_with(parameters), 3, seconds=0.5).uxcost == before
    # Only differences between kinds count: what all three gain together changes nothing.
    context = INPUT_NAMES.index("crowd")
    assert idle["dispatch.linear"][context]
    for kind in ("dispatch", "drop", "wait"):
        tables[f"{kind}.bias"][0] += 1.0
        tables[f"{kind}.linear"][context] += 1.0
    assert simulate_many(CELL, learned_with(parameters), 3, seconds=0.5).uxcost == before


def test_training_begins_with_a_sensible_rule() -> None:
    first = first_parameters(hidden=3, block_ms=0.25, variants=False, seed=1)
    linear = first_parameters(hidden=0, block_ms=0.25, variants=False, seed=2)
    costs = [
        simulate_many(CELL, learned_with(p), 3, seconds=1.0).uxcost[0] for p in (first, linear)
    ]
    assert costs[0] == costs[1], "hidden units do not count yet"
    assert costs[0] < 2 * simulate_many(CELL, "fcfs", 3, seconds=1.0).uxcost[0]
    other = first_parameters(hidden=3, block_ms=0.25, variants=False, seed=2)
    assert not np.array_equal(first, other)


def test_added_units_change_nothing_until_they_are_trained() -> None:
    narrow = random_parameters(2)
    wide = widened(narrow, first_parameters(5, 0.25, False, 1))
    costs = [simulate_many(CELL, learned_with(p), 3, seconds=0.5).uxcost[0] for p in (narrow, wide)]
    assert costs[0] == pytest.approx(costs[1])
    assert tables_of(wide)["hidden.input"][:, 2:].any()
    with pytest.raises(ConfigError, match="start: has 2 hidden units, more than 1"):
        widened(narrow, first_parameters(1, 0.25, False, 1))


def test_shipped_weights_are_named() -> None:
    folder = shipped_folder("weights")
    names = {path.stem for path in folder.glob("*.safetensors")}
    assert "generalist" in names
    for name in names:
        weights, _ = read_weights(folder / f"{name}.safetensors")
        assert not weights.parameters[VARIANTS], "accuracy is not given away"
        assert (folder / f"{name}.safetensors").stat().st_size <= 200 * 1024
        assert (folder / f"{name}.md").read_text().startswith(f"# {name}\n")
        played = make_player(f"shipped:{name}").run(CELL, 3, 0.5)
        assert (
            played.uxcost
            == simulate_many(CELL, learned_with(weights.parameters), 3, seconds=0.5).uxcost
        )
    with pytest.raises(ConfigError, match=r"shipped:.generalis.: .*did you mean generalist"):
        make_player("shipped:generalis")
