"""What holds for every built-in scheduler; what each decides is tested where it is defined."""

from __future__ import annotations

import pytest

import dream_gym
from dream_gym.compiling.jit import inlined
from dream_gym.errors import ConfigError, SchedulerError
from dream_gym.hardware import load_platform
from dream_gym.schedulers import BUILTIN, get_scheduler
from dream_gym.schedulers.dream.scoring import ALPHA, BETA, LAST, LATE_URGENCY
from dream_gym.simulator import Decision, Engine, Problem, Simulation, State, dispatch, make_run
from dream_gym.workload import load_scenario

CELL = ("ar_social", "4k_1ws_2os")


@pytest.mark.parametrize("scheduler", BUILTIN)
def test_one_seed_gives_one_timeline(scheduler):
    runs = [
        dream_gym.simulate(*CELL, scheduler, seconds=0.5, seed=7, load=1.3, record=True)
        for _ in range(2)
    ]
    assert runs[0].uxcost == runs[1].uxcost
    assert (runs[0].timeline == runs[1].timeline).all()
    assert (runs[0].frames == runs[1].frames).all()


@pytest.mark.compiled
@pytest.mark.parametrize("scheduler", BUILTIN)
@pytest.mark.parametrize("load", [0.5, 1.5])
def test_invariants(scheduler, load):
    for scenario in ("ar_social", "ar_call", "drone_indoor"):
        for expiry in ("soft", "firm"):
            dream_gym.simulate(
                scenario,
                "4k_1ws_2os",
                scheduler,
                seconds=1.0,
                load=load,
                expiry=expiry,
                contention=True,
                decision_ns=1000,
                validate=True,
            )


@pytest.mark.compiled
@pytest.mark.parametrize("scheduler", BUILTIN)
def test_none_starves_a_frame_when_there_is_little_to_do(scheduler):
    result = dream_gym.simulate(
        "drone_outdoor", "4k_1ws_2os", scheduler, seconds=10.0, load=0.02, expiry="soft"
    )
    assert sum(result.frame_count.values()) > 10
    assert result.mean_violation_rate == 0.0
    assert sum(result.lost_rate.values()) == 0.0


def test_all_schedulers_face_the_same_frames():
    def world(scheduler: str) -> list[tuple[int, ...]]:
        frames = dream_gym.simulate(*CELL, scheduler, seconds=1.0, seed=3, record=True).frames
        return sorted(frames[["model", "frame", "deadline_ns"]].tolist())

    worlds = [world(scheduler) for scheduler in BUILTIN]
    assert all(found == worlds[0] for found in worlds[1:])


def test_options_become_parameters_in_order():
    options = get_scheduler("dream_mapscore").configure(alpha=0.5, beta=0.25, late_urgency="last")
    parameters = options.parameters()
    assert parameters[ALPHA] == 0.5
    assert parameters[BETA] == 0.25
    assert parameters[LATE_URGENCY] == LAST


@pytest.mark.parametrize(
    ("scheduler", "options", "words"),
    [
        ("dream_mapscore", {"alpha": 3}, r"dream_mapscore: alpha: .*expected at most 2"),
        ("dream_mapscore", {"alpha": float("nan")}, r"dream_mapscore: alpha"),
        ("dream_mapscore", {"late_urgency": "never"}, r"dream_mapscore: late_urgency"),
        ("fcfs", {"alpha": 1}, r"scheduler fcfs: alpha: no such key"),
        ("fifo", {}, r"'fifo' is no built-in scheduler; did you mean fcfs"),
    ],
)
def test_bad_options_are_named(scheduler, options, words):
    with pytest.raises(ConfigError, match=words):
        dream_gym.simulate(*CELL, scheduler, seconds=0.1, **options)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seconds": 0}, "seconds"),
        ({"seconds": float("nan")}, "seconds"),
        ({"seed": -1}, "seed"),
        ({"load": 0}, "load"),
        ({"load": float("inf")}, "load"),
        ({"expiry": "hard"}, "expiry"),
        ({"energy_norm": "none"}, "energy_norm"),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises(ConfigError, match=words):
        dream_gym.simulate(*CELL, "fcfs", **({"seconds": 0.1} | arguments))


def test_an_impossible_decision_is_an_error():
    @inlined
    def decide(problem: Problem, state: State) -> Decision:
        slot, accelerator = int(state.parameter[0]), int(state.parameter[1])
        return dispatch(state.live[0] if slot == 0 else slot, accelerator)

    simulation = Simulation(
        load_scenario(CELL[0]), load_platform(CELL[1]), Engine(make_run("wrong", decide))
    )
    for wrong in ((10_000, 0), (-1, 0), (0, 99), (0, -1)):
        simulation.parameters[:2] = wrong
        simulation.reset(seed=0, seconds=0.1)
        with pytest.raises(SchedulerError, match="at 0 ns"):
            simulation.advance(simulation.horizon_ns)
