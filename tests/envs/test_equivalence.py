"""Playing DREAM's choices through the dispatch environment is DREAM; and the rules it plays by."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dream_gym
from dream_gym.analysis.suites.calibrated import CalibratedCell, calibrated_cells
from dream_gym.envs import DreamRTMMDispatchEnv, DreamRTMMEnv
from dream_gym.envs.dispatch.entries import Kind
from dream_gym.envs.rewards import REWARDS
from dream_gym.errors import ConfigError
from dream_gym.simulator.frames import FATES
from tests.handmade import Given, Step, make_platform, make_scenario

EVERY = int(os.environ.get("DREAM_GYM_EVERY", "13"))
"""One cell in so many of the catalogue is played; `make test-all-cells` plays them all."""

SECONDS = 0.1
RUNS: tuple[dict[str, Any], ...] = (
    {"expiry": "soft"},
    {"expiry": "firm"},
    {"expiry": "soft", "contention": True},
)


def play(env: DreamRTMMDispatchEnv, seed: int) -> dream_gym.Result:
    env.reset(seed=seed, options={"record": True})
    while not env.simulation.ended:
        env.step(env.expert_action("dream_full"))  # -1, which is refused, if it is not legal
    return env.simulation.result()


def load_of(cell: CalibratedCell) -> float:
    """A load at which there is more to do than can be done."""
    return 2.0 if math.isnan(cell.edge_load) else 1.5 * cell.edge_load


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
def begin() -> Play:
    """A hand-made environment at its first choice."""

    def begin(*models: Given, accelerators: int = 1, **arguments: Any) -> DreamRTMMDispatchEnv:
        env = DreamRTMMDispatchEnv(
            make_scenario(models),
            make_platform(accelerators, models),
            **{"episode_seconds": 1e-5, **arguments},
        )
        env.reset(seed=0, options={"record": True})
        return env

    return begin


def names(env: DreamRTMMDispatchEnv) -> list[str]:
    """The frames of the rows, as a model's name and their index."""
    per_row = env.sizes["accelerators"] * env.sizes["variants"]
    entries = [env.describe(row * per_row) for row in range(env.sizes["rows"])]
    return [f"{entry.model}{entry.frame}" for entry in entries if entry.model is not None]


def choice(env: DreamRTMMDispatchEnv, kind: Kind, name: str, **more: Any) -> int:
    """The action that dispatches or drops a frame."""
    return env.action_of(kind, model=name[0], frame=int(name[1:]), **more)


def droppable(env: DreamRTMMDispatchEnv) -> set[str]:
    """The frames that may be dropped now."""
    return {name for name in names(env) if env.action_masks()[choice(env, "drop", name)]}


def drop(env: DreamRTMMDispatchEnv, name: str) -> None:
    env.step(choice(env, "drop", name))


def dispatch(env: DreamRTMMDispatchEnv, name: str, variant: int | None = None) -> None:
    """Run a frame's next layer on the first accelerator."""
    first = env.simulation.platform.accelerator_names[0]
    env.step(choice(env, "dispatch", name, accelerator=first, variant=variant))


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
    assert env.describe(env.expert_action("dream_full")).kind == "dispatch"


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
    while not env.simulation.ended and "a0" in names(env):
        dispatch(env, "a0")
    rows = env.simulation.records[0][: env.simulation.state.run[0].timeline_rows]
    return [int(row[6]) for row in rows]


NS = 1e-6
"""In ms."""


@pytest.mark.parametrize(
    ("latencies_ns", "limits", "layers"),
    [
        ([100] * 8, {"block_ms": 200 * NS}, [2, 2, 2, 2]),
        ([100] * 8, {"block_ms": 199 * NS}, [1] * 8),
        ([100] * 8, {"block_share": 0.25}, [2, 2, 2, 2]),
        ([100] * 8, {"block_share": 0.25, "block_ms": 100 * NS}, [1] * 8),
        ([100] * 8, {"block_share": 0.125, "block_ms": 200 * NS}, [1] * 8),
        ([100, 300, 50, 50, 300], {"block_share": 0.25}, [1, 1, 2, 1]),  # at most 200 of 800
        ([700, 50, 50, 50], {"block_ms": 200 * NS}, [1, 3]),  # the first is longer, and one layer
        ([100] * 8, {"block_share": 1.0}, [8]),
        ([100] * 6, {"block_share": 1 / 3}, [2, 2, 2]),
        ([100] * 8, {}, [8]),
        ([100_000] * 5, {}, [2, 2, 1]),  # 250,000 ns by default
    ],
)
def test_a_block_is_within_its_limits(
    begin: Play, latencies_ns: list[int], limits: dict[str, float], layers: list[int]
) -> None:
    a, seconds = Given("a", latencies_ns, every_ns=2_000_000), {"episode_seconds": 2e-3}
    assert layers_taken(begin(a, decision="block", **limits, **seconds)) == layers
    assert layers_taken(begin(a, **seconds)) == [1] * len(latencies_ns)


def test_the_time_of_a_block_is_that_where_it_runs(begin: Play) -> None:
    a = Given("a", [Step((100, 300))] * 6, deadline_ns=9000)
    taken = {}
    for accelerator in range(2):
        env = begin(a, accelerators=2, decision="block", block_ms=300 * NS)
        env.step(accelerator)
        taken[accelerator] = int(env.simulation.records[0][0, 6])
    assert taken == {0: 3, 1: 1}


def test_a_block_is_of_the_variant_that_runs(begin: Play) -> None:
    a = Given("a", [100] * 8, lighter=[Given("light", [50] * 4)], deadline_ns=500)
    env = begin(a, decision="block", block_share=0.25)
    assert layers_taken(env) == [1] * 4, "a quarter of the lighter one"


def test_a_block_ends_where_the_path_forks(begin: Play) -> None:
    a = Given("a", [100] * 8, exits=[(0, 0.0)])
    assert layers_taken(begin(a, decision="block", block_share=0.25)) == [1, 2, 2, 2, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"block_ms": 1.0}, "block_ms"),
        ({"block_share": 0.5}, "block_share"),
        ({"decision": "block", "block_ms": -1.0}, "block_ms"),
        ({"decision": "block", "block_ms": "long"}, "block_ms"),
        ({"decision": "block", "block_share": 1.5}, "block_share"),
        ({"wait_until_idle": "yes"}, "wait_until_idle"),
        ({"skip_forced": "no"}, "skip_forced"),
    ],
)
def test_what_a_dispatch_may_be_is_checked(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        DreamRTMMDispatchEnv(**arguments)


def test_waiting_until_an_accelerator_is_idle(begin: Play) -> None:
    """b0 waits for the first accelerator, and nobody asks at the events in between."""
    models = (
        Given("a", [2900], every_ns=9000, deadline_ns=5000),
        Given("b", [Step((100, 800))] * 2, every_ns=9000, deadline_ns=6000),
        Given("c", [50], every_ns=1000, deadline_ns=7000),
    )
    asked = {}
    for waits in (False, True):
        env = begin(*models, accelerators=2, wait_until_idle=waits)
        first, second = env.simulation.platform.accelerator_names
        if waits:
            until = {name: env.action_of("wait", accelerator=name) for name in (first, second)}
            legal = env.action_masks()[list(until.values())]
            assert legal.tolist() == [False, False], "none is busy"
        dispatch(env, "a0")
        steps = 0
        while env.simulation.now_ns < 2910:  # a0 pays 10 ns for its input
            if waits:
                legal = env.action_masks()[list(until.values())]
                assert legal.tolist() == [True, False]
            *_, info = env.step(until[first] if waits else env.action_of("wait"))
            steps += 1
        asked[waits] = steps
        assert env.simulation.now_ns == 2910
        assert info["illegal_actions"] == 0
        assert not env.simulation.state.run[0].dispatches > 1
    assert asked == {False: 3, True: 1}  # at 1000, 2000 and 2910


def test_waiting_for_an_idle_accelerator_is_illegal(begin: Play) -> None:
    env = begin(Given("a", [900]), accelerators=2, wait_until_idle=True)
    with pytest.warns(UserWarning, match="1 of the 1 actions"):
        *_, info = env.step(env.actions - 2)
    assert info["illegal_actions"] == 1


def test_the_end_ends_the_wait_for_an_accelerator(begin: Play) -> None:
    models = Given("a", [9000], deadline_ns=9500), Given("b", [50], every_ns=1000)
    env = begin(*models, accelerators=2, wait_until_idle=True)
    dispatch(env, "a0")
    *_, ended, _, info = env.step(env.actions - 3)
    assert (ended, info["elapsed_ns"]) == (False, 9010)
    env.reset(seed=0)
    dispatch(env, "b0")
    dispatch(env, "a0")
    assert env.simulation.now_ns < 1000, "a new episode waits for nothing"


def total_of(env: DreamRTMMDispatchEnv, variant: int) -> tuple[float, dict[str, Any]]:
    """What an episode earns that runs a0 in a variant, then whatever is due first."""
    first, total, ended = env.simulation.platform.accelerator_names[0], 0.0, False
    variants = None if env.sizes["variants"] == 1 else variant
    action = choice(env, "dispatch", "a0", accelerator=first, variant=variants)
    while not ended:
        _, reward, ended, _, info = env.step(action)
        total += reward
        action = 0 if env.action_masks()[0] else env.actions - 1
    return total, info


@pytest.mark.parametrize("reward", REWARDS)
def test_lost_accuracy_is_charged_as_a_fraction_of_a_violation(begin: Play, reward: str) -> None:
    light = Given("light", [600], top1=60.0)
    models = Given("a", [1000], top1=80.0, lighter=[light]), Given("b", [100], every_ns=2000)
    arguments = {"supernet": "free", "reward": reward}
    for variant, lost in ((0, 0.0), (1, 0.25)):
        plain, info = total_of(begin(*models, **arguments, accuracy_weight=0.0), variant)
        result = info["result"]
        assert result.accuracy_loss == {"a": pytest.approx(lost), "b": 0.0}
        assert result.frame_count == {"a": 1, "b": 5}
        assert result.mean_accuracy_loss == pytest.approx(lost / 6)
        for weight, given in ((1.0, {}), (2.0, {"accuracy_weight": 2.0})):
            total, _ = total_of(begin(*models, **arguments, **given), variant)
            fraction = lost / 6 if reward == "dense" else lost
            assert plain - total == pytest.approx(weight * fraction)
    assert begin(*models, reward=reward).weights.accuracy == 0.0, "DREAM's rule chooses"


def test_no_accuracy_is_lost_where_none_is_stated_or_more_is(begin: Play) -> None:
    for lighter in (Given("light", [600]), Given("light", [600], top1=90.0)):
        env = begin(Given("a", [1000], top1=80.0, lighter=[lighter]), supernet="free")
        _, info = total_of(env, 1)
        assert info["result"].accuracy_loss == {"a": 0.0}
