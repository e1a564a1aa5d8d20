"""Bounds on windows whose optimum is known by hand, and what holds on random ones."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings

import dream_gym
from dream_gym.analysis.bounds.genetic import Search
from dream_gym.analysis.bounds.page import lines
from dream_gym.analysis.bounds.plan import make_genome, plan_of, play
from dream_gym.analysis.bounds.relaxation import prove
from dream_gym.analysis.bounds.study import EXACT, GENETIC, Budget, bound_window
from dream_gym.analysis.bounds.window import attained, read_window
from dream_gym.cli import main
from dream_gym.errors import DreamGymError
from dream_gym.hardware import CostTable, Platform
from dream_gym.simulator import Result, Simulation, check_invariants
from dream_gym.workload import Network, Scenario
from tests.handmade import Given, Step, make_platform, make_scenario
from tests.strategies import Case, cases

pytestmark = pytest.mark.compiled

BUDGET = Budget(limit=1.0, generations=5, blocks=4)


def simulated(
    scenario: Scenario, platform: Platform, schedulers: Sequence[str], **options: Any
) -> tuple[Simulation, dict[str, Result]]:
    """A window, just reset, and what schedulers came to in it."""
    results = {
        name: dream_gym.simulate(scenario, platform, name, record=True, **options)
        for name in schedulers
    }
    world = {name: options[name] for name in ("load", "expiry", "contention") if name in options}
    simulation = Simulation(scenario, platform, None, **world)
    simulation.reset(seed=options.get("seed", 0), seconds=options["seconds"])
    return simulation, results


def by_hand(
    monkeypatch: pytest.MonkeyPatch, models: Sequence[Given], accelerators: int
) -> tuple[Simulation, dict[str, Result]]:
    tables = {model.network().name: model.costs(accelerators) for model in models}

    def given_costs(network: Network, platform: Platform) -> CostTable:
        return tables[network.name]

    monkeypatch.setattr("dream_gym.simulator.building.cost_table", given_costs)
    return simulated(
        make_scenario(models), make_platform(accelerators), ("fcfs", "edf"), seconds=1e-5
    )


def test_two_frames_of_which_one_accelerator_meets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # Both are due at 1000 ns, and each needs 600: at best one is late, and energies are the worst.
    models = [Given("a", [600], deadline_ns=1000), Given("b", [600], deadline_ns=1000)]
    found = bound_window(*by_hand(monkeypatch, models, 1), BUDGET)
    assert found.proven_rates == 1.5
    assert found.proven_energies == pytest.approx(2.0)
    assert found.proven_uxcost == pytest.approx(3.0)
    # A switch costs each of them 10 of 1000 pJ more.
    assert found.played["fcfs"]["uxcost"] == pytest.approx(1.5 * 2.02)
    assert found.best == pytest.approx(1.5 * 2.0, rel=0.02)


def test_the_future_pays_where_first_come_first_served_is_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # a comes first by index and may wait; b may not.
    models = [Given("a", [600], deadline_ns=5000), Given("b", [600], deadline_ns=700)]
    found = bound_window(*by_hand(monkeypatch, models, 1), BUDGET)
    assert found.played["fcfs"]["violations"] == 1
    assert found.proven_rates == 1.0
    assert found.played[EXACT]["rates"] == 1.0


def test_energy_follows_violations(monkeypatch: pytest.MonkeyPatch) -> None:
    # a is on time only where it needs 4000 pJ; b is on time on either, and needs 1000 on the other.
    step = Step((600, 3000), (4000, 1000))
    models = [
        Given("a", [step], deadline_ns=1000),
        Given("b", [Step((600, 800), (4000, 1000))], deadline_ns=1000),
    ]
    found = bound_window(*by_hand(monkeypatch, models, 2), BUDGET)
    assert found.proven_rates == 1.0
    assert found.proven_energies == pytest.approx(1.25, abs=1e-6)
    assert found.played[EXACT]["violations"] == 0
    assert found.played[EXACT]["energies"] == pytest.approx(1.25, abs=0.01)


def test_a_child_is_late_where_its_parent_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    models = [Given("a", [600]), Given("b", [600], deadline_ns=1000, parent="a")]
    found = bound_window(*by_hand(monkeypatch, models, 2), BUDGET)
    assert found.proven_rates == 1.5


SCHEDULERS = ("fcfs", "edf", "sjf", "dream_mapscore", "planaria")


def plain(case: Case) -> tuple[Scenario, dict[str, Any]]:
    """A case without phases, variants and what plans know nothing of."""
    models = [
        model.model_copy(
            update={
                "network": Network(
                    model.built_network.name,
                    model.built_network.layers,
                    source="random",
                    blocks=model.built_network.blocks,
                    exits=model.built_network.exits,
                )
            }
        )
        for model in case.scenario.all_models
    ]
    options = dict(case.options, energy_norm="charged", decision_ns=0, contention=False)
    options["seconds"] /= 2
    update = {"models": tuple(models), "phases": ()}
    return case.scenario.model_copy(update=update), options


@settings(max_examples=12, deadline=None, derandomize=True)
@given(cases(grid=False))
def test_nobody_is_below_what_is_proven(case: Case) -> None:
    if case.scenario.phases:
        return
    scenario, options = plain(case)
    world, results = simulated(scenario, case.platform, SCHEDULERS, **options)
    first = results["fcfs"]
    assert first.frames is not None
    if not 0 < len(first.frames) <= 80:
        return
    window = read_window(world, first)
    reached = [attained(window, result) for result in results.values()]
    for row, result in zip(reached, results.values(), strict=True):
        assert row.rates * row.energies == pytest.approx(result.uxcost)
    loosest = max(row.rates for row in reached)
    proven = prove(window, rates=loosest, limit=0.5)
    for row in reached:
        assert row.rates >= proven.rates - 1e-9
        assert row.energies >= proven.energies - 1e-6


CELL = "drone_outdoor", "4k_1ws_2os"
WINDOW = {"seconds": 0.05, "load": 2.653, "seed": 3}


def test_the_plan_of_a_run_plays_it_again() -> None:
    # Neither keeps an accelerator idle while a frame waits, which no plan does.
    world, results = simulated(*loaded(), ("fcfs", "edf", "planaria"), **WINDOW)
    window = read_window(world, results["fcfs"])
    genome = make_genome(world, window)
    for result in results.values():
        again = play(world, genome, plan_of(genome, result), seed=3, seconds=0.05)
        assert again.uxcost == result.uxcost
        check_invariants(again, world.problem)


def loaded() -> tuple[Scenario, Platform]:
    from dream_gym.hardware import load_platform
    from dream_gym.workload import load_scenario

    return load_scenario(CELL[0]), load_platform(CELL[1])


def test_the_search_is_repeatable_and_no_worse_than_its_seeds() -> None:
    world, results = simulated(*loaded(), ("fcfs", "edf", "dream_mapscore"), **WINDOW)
    window = read_window(world, results["fcfs"])
    genome = make_genome(world, window)
    seeds = [plan_of(genome, result) for result in results.values()]
    costs = [play(world, genome, plan, seed=3, seconds=0.05).uxcost for plan in seeds]
    found = [Search(world, window, genome, 3).run(seeds, generations=5) for _ in range(2)]
    assert found[0][1] == found[1][1] < min(costs)
    assert (found[0][0].rank == found[1][0].rank).all()
    played = play(world, genome, found[0][0], seed=3, seconds=0.05)
    assert played.uxcost == found[0][1]
    check_invariants(played, world.problem)


def test_a_study_of_a_window() -> None:
    world, results = simulated(*loaded(), ("fcfs", "edf"), **WINDOW)
    found = bound_window(world, results, BUDGET)
    assert found.lower_bound <= found.proven_uxcost <= found.best
    assert set(found.played) == {"fcfs", "edf", EXACT, GENETIC}
    world.reset(seed=3, seconds=0.05)
    assert asdict(bound_window(world, results, BUDGET)) == asdict(found)
    rows = lines([found])
    assert [row.name for row in rows[:4]] == ["analytic bound", "proven bound", EXACT, GENETIC]
    assert rows[4].to_best <= rows[5].to_best
    assert min(row.to_best for row in rows[2:]) == pytest.approx(1)


def test_missing_ortools_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from dream_gym.analysis import extra

    monkeypatch.setitem(sys.modules, "ortools.sat.python.cp_model", None)
    with pytest.raises(DreamGymError, match=r'ortools.*bounds need.*"dream_gym\[bounds\]"'):
        extra.cp_model()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--limit 0", "limit: expected a number above 0, got 0"),
        ("--generations -1", "generations: expected at least 0, got -1"),
        ("--blocks 0", "blocks: expected at least 1, got 0"),
        ("--workers 0", "workers: expected at least 1, got 0"),
        ("--seeds 0", "seeds: expected a count"),
        ("--seconds 0", "seconds: expected a number in"),
        ("--seconds 0.0001", "is due within 0.0001"),
        ("--scenario ar_call", "--scenario and --platform need one another"),
        ("--load 2", "--load and --expiry need --scenario and --platform"),
        ("--scenario ar_call --platform 4k_2ws --load 0", "load"),
        ("--suite nowhere", "nowhere"),
    ],
)
def test_mistakes_are_named(
    words: str, message: str, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    page = tmp_path / "page.md"
    assert main(["bounds", *words.split(), "--page", str(page)]) == 2
    assert message in capsys.readouterr().err
    assert not page.exists()
