"""Playing DREAM's choices through the dispatch environment is DREAM; and the rules it plays by."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dream_gym
from dream_gym.analysis.calibration_table import CalibratedCell, calibrated_cells
from dream_gym.envs import DreamRTMMDispatchEnv, DreamRTMMEnv
from dream_gym.envs.dispatch.menu import Menu, view_menu
from dream_gym.jit import entry_point
from dream_gym.schedulers.dream.full import DREAM_FULL
from dream_gym.simulator import DROP, PASS, Ints, view_problem_compiled, view_state_compiled
from dream_gym.simulator.frames import FATES
from tests.handmade import Given, make_platform, make_scenario

EVERY = int(os.environ.get("DREAM_GYM_EVERY", "13"))
"""One cell in so many of the catalogue is played; `make test-all-cells` plays them all."""

SECONDS = 0.1
RUNS: tuple[dict[str, Any], ...] = (
    {"expiry": "soft"},
    {"expiry": "firm"},
    {"expiry": "soft", "contention": True},
)


def menu_of(env: DreamRTMMDispatchEnv) -> Menu:
    return view_menu(env.buffers["menu"])


_decide = DREAM_FULL.decide


@entry_point("of_the_environment", cache=False)
def ask_dream(problem_arena: Ints, state_arena: Ints) -> tuple[int, int, int]:
    """What `dream_full` decides here: kind, slot and accelerator."""
    decision = _decide(view_problem_compiled(problem_arena), view_state_compiled(state_arena))
    return decision.kind, decision.slot, decision.accelerator


def dreams_choice(env: DreamRTMMDispatchEnv) -> int:
    """The number of the action that `dream_full` would take."""
    menu, simulation = menu_of(env), env.simulation
    kind, slot, accelerator = ask_dream(simulation.problem_arena, simulation.state_arena)
    if kind == PASS:
        return env.actions - 1
    row = menu.rows.tolist().index(slot)
    accelerators = int(menu.shape[0])
    if kind == DROP:
        return len(menu.rows) * accelerators + row
    return row * accelerators + accelerator


def play(env: DreamRTMMDispatchEnv, seed: int) -> dream_gym.Result:
    env.reset(seed=seed, options={"record": True})
    parameters = DREAM_FULL.configure().parameters()
    env.simulation.parameters[: len(parameters)] = parameters
    while not env.simulation.ended:
        action = dreams_choice(env)
        assert env.action_masks()[action], "what DREAM chooses is legal"
        env.step(action)
    return env.simulation.result()


def load_of(cell: CalibratedCell) -> float:
    """A load at which there is more to do than can be done."""
    return 2.0 if math.isnan(cell.contended_load) else 1.5 * cell.contended_load


@pytest.mark.compiled
@pytest.mark.parametrize(
    "cell", calibrated_cells()[::EVERY], ids=lambda cell: f"{cell.scenario}-{cell.platform}"
)
def test_playing_dream_is_dream(cell: CalibratedCell) -> None:
    run = {"load": load_of(cell), **RUNS[sum(map(ord, cell.platform)) % len(RUNS)]}
    env = DreamRTMMDispatchEnv(cell.scenario, cell.platform, episode_seconds=SECONDS, **run)
    played = play(env, seed=7)
    compiled = dream_gym.simulate(
        cell.scenario, cell.platform, "dream_full", seconds=SECONDS, seed=7, record=True, **run
    )
    assert played.timeline is not None
    assert played.frames is not None
    assert compiled.timeline is not None
    assert compiled.frames is not None
    assert played.timeline.tolist() == compiled.timeline.tolist()
    assert played.frames.tolist() == compiled.frames.tolist()
    assert played.summary() == compiled.summary()


@pytest.mark.compiled
@pytest.mark.parametrize("scenario", sorted({cell.scenario for cell in calibrated_cells()}))
def test_constant_actions_are_dream_plus_on_all_cells(scenario: str) -> None:
    values = {"alpha": 0.5, "beta": 1.5, "patience": 3.0, "drop_cap": 4, "supernet_margin": 2.0}
    action = np.array(list(values.values()), np.float32)
    cells = [cell for cell in calibrated_cells() if cell.scenario == scenario]
    for number, cell in enumerate(cells):
        where, run = (scenario, cell.platform), {"load": load_of(cell), **RUNS[number % len(RUNS)]}
        env = DreamRTMMEnv(
            *where, tunables=tuple(values), episode_seconds=SECONDS, interval_ms=7, **run
        )
        env.reset(seed=7, options={"record": True})
        ended = False
        while not ended:
            *_, ended, _, info = env.step(action)
        compiled = dream_gym.simulate(
            *where, "dream_plus", seconds=SECONDS, seed=7, record=True, **run, **values
        )
        assert info["result"].timeline.tolist() == compiled.timeline.tolist(), where
        assert info["result"].frames.tolist() == compiled.frames.tolist(), where
        assert info["result"].summary() == compiled.summary(), where


Play = Callable[..., DreamRTMMDispatchEnv]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Play:
    """A hand-made environment at its first choice."""

    def begin(*models: Given, accelerators: int = 1, **arguments: Any) -> DreamRTMMDispatchEnv:
        networks = [network for model in models for network in (model, *model.lighter)]
        tables = {network.name: network.costs(accelerators) for network in networks}
        monkeypatch.setattr(
            "dream_gym.simulator.building.cost_table", lambda network, _: tables[network.name]
        )
        env = DreamRTMMDispatchEnv(
            make_scenario(models),
            make_platform(accelerators),
            **{"episode_seconds": 1e-5, **arguments},
        )
        env.reset(seed=0, options={"record": True})
        return env

    return begin


def names(env: DreamRTMMDispatchEnv) -> list[str]:
    """The frames of the rows, as a model's index and its own."""
    slots = env.simulation.state.slots
    listed = menu_of(env).rows[: menu_of(env).now[0].rows]
    return [f"{'abcdef'[slots[slot].model]}{slots[slot].frame}" for slot in listed]


def droppable(env: DreamRTMMDispatchEnv) -> set[str]:
    """The frames that may be dropped now."""
    drops = env.action_masks()[-1 - len(menu_of(env).rows) : -1]
    return {name for name, legal in zip(names(env), drops, strict=False) if legal}


def drop(env: DreamRTMMDispatchEnv, name: str) -> None:
    env.step(env.actions - 1 - len(menu_of(env).rows) + names(env).index(name))


def dispatch(env: DreamRTMMDispatchEnv, name: str, variant: int = 0) -> None:
    """Run a frame's next layer on the first accelerator."""
    accelerators, networks = menu_of(env).shape
    env.step(int(names(env).index(name) * accelerators * networks + variant))


def fates(env: DreamRTMMDispatchEnv) -> dict[str, str]:
    """Wait to the end of the run: how its frames have ended, those of a few letters."""
    terminated = False
    while not terminated:
        _, _, terminated, _, info = env.step(env.actions - 1)
    rows = info["result"].frames
    return {f"{'abcdef'[row['model']]}{row['frame']}": FATES[row["fate"]] for row in rows}


@pytest.mark.parametrize(("latency_ns", "expected"), [(500, {"b0"}), (501, {"a0", "b0"})])
def test_what_cannot_meet_its_deadline_may_be_dropped(
    begin: Play, latency_ns: int, expected: set[str]
) -> None:
    a = Given("a", [latency_ns], deadline_ns=500)
    env = begin(a, Given("b", [1000], deadline_ns=600), Given("c", [100]))
    assert names(env) == ["a0", "b0", "c0"]  # by deadline
    assert droppable(env) == expected
    drop(env, "b0")
    assert names(env) == ["a0", "c0"]
    assert fates(env)["b0"] == "dropped"


def test_it_need_not_help_another(begin: Play) -> None:
    # DREAM itself would keep it: condition 2.
    env = begin(Given("a", [1000], deadline_ns=500))
    assert droppable(env) == {"a0"}
    assert dreams_choice(env) == 0


def test_a_model_with_dependents_may_not(begin: Play) -> None:
    models = [Given(name, [1000], deadline_ns=500) for name in "ab"]
    env = begin(*models, Given("c", [10], parent="a", probability=0.0))
    assert droppable(env) == {"b0"}


def test_nor_one_that_has_lost_two_of_its_last_ten(begin: Play) -> None:
    env = begin(Given("a", [1000], every_ns=1000, deadline_ns=500))
    drop(env, "a0")
    drop(env, "a1")
    assert names(env) == ["a2"]
    assert droppable(env) == set()


def test_an_executing_frame_may_not(begin: Play) -> None:
    env = begin(Given("a", [3000], deadline_ns=500), Given("b", [9000], phase_ns=10, every_ns=5000))
    dispatch(env, "a0")
    assert names(env) == ["b0", "a0"]  # at 10; those that wait come first
    assert droppable(env) == {"b0"}


def supernet(**fields: Any) -> Given:
    return Given("a", [1000], lighter=[Given("light", [600]), Given("lightest", [300])], **fields)


@pytest.mark.parametrize(("deadline_ns", "variant"), [(1000, 0), (999, 1), (599, 2)])
def test_dreams_rule_chooses_the_variant(begin: Play, deadline_ns: int, variant: int) -> None:
    env = begin(supernet(deadline_ns=deadline_ns))
    dispatch(env, "a0")
    assert env.simulation.records[0][0, 7] == variant


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_or_the_agent_does(begin: Play, variant: int) -> None:
    env = begin(supernet(deadline_ns=999), Given("b", [100, 100]), supernet="free")
    legal = np.flatnonzero(env.action_masks()[: 2 * 3])
    assert legal.tolist() == [0, 1, 2, 3], "b has no variants"
    dispatch(env, "a0", variant)
    assert env.simulation.records[0][0, 7] == variant


def test_a_variant_is_chosen_once(begin: Play) -> None:
    light = Given("light", [300, 300])
    env = begin(Given("a", [500, 500], lighter=[light]), supernet="free")
    assert env.action_masks()[:2].tolist() == [True, True]
    dispatch(env, "a0", 1)
    assert names(env) == ["a0"]
    assert env.action_masks()[:2].tolist() == [True, False]
    dispatch(env, "a0")
    assert env.simulation.records[0][:2, 7].tolist() == [1, 1]


def test_every_frame_that_waits_has_a_row(begin: Play) -> None:
    # Each model may have one frame waiting when another is released, and has two when that which
    # executed then has ended its layer.
    a = Given("a", [1000, 1000], every_ns=1000, deadline_ns=5000, backlog=1)
    b = Given("b", [1000, 1000], every_ns=1000, deadline_ns=9000, backlog=1, phase_ns=990)
    env = begin(a, b, episode_seconds=2e-5)
    dispatch(env, "a0")
    while env.simulation.now_ns < 1010:
        env.step(env.actions - 1)
    dispatch(env, "b0")
    while env.simulation.now_ns < 2040:
        env.step(env.actions - 1)
    assert env.simulation.state.run[0].live_count == 4
    assert names(env) == ["a1", "a2", "b0", "b1"]


def layers_taken(env: DreamRTMMDispatchEnv) -> list[int]:
    """Dispatch ``a0`` until it is complete: how many layers each dispatch took."""
    while "a0" in names(env):
        dispatch(env, "a0")
    rows = env.simulation.records[0][: env.simulation.state.run[0].timeline_rows]
    return [int(row[6]) for row in rows]


@pytest.mark.parametrize(
    ("latencies_ns", "layers"),
    [
        ([100] * 8, [2, 2, 2, 2]),
        ([100, 300, 50, 50, 300], [2, 3]),  # 800 in all, so at least 200 each
        ([700, 50, 50, 50], [1, 3]),  # less than 200 is left
    ],
)
def test_a_block_is_about_a_quarter_of_the_network(
    begin: Play, latencies_ns: list[int], layers: list[int]
) -> None:
    assert layers_taken(begin(Given("a", latencies_ns), decision="block")) == layers
    assert layers_taken(begin(Given("a", latencies_ns))) == [1] * len(latencies_ns)


def test_a_block_is_of_the_variant_that_runs(begin: Play) -> None:
    a = Given("a", [100] * 8, lighter=[Given("light", [50] * 4)], deadline_ns=500)
    assert layers_taken(begin(a, decision="block")) == [1] * 4, "a quarter of the lighter one"


def test_a_block_ends_where_the_path_forks(begin: Play) -> None:
    a = Given("a", [100] * 8, exits=[(0, 0.0)])
    assert layers_taken(begin(a, decision="block")) == [1, 2, 2, 2, 1]
