"""Bounds on windows whose optimum is known by hand, and what holds on random ones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

import dream_gym
from dream_gym.analysis.extra import cp_model
from dream_gym.analysis.studies.bounds.genetic import Search
from dream_gym.analysis.studies.bounds.page import lines
from dream_gym.analysis.studies.bounds.plan import make_genome, plan_of, play
from dream_gym.analysis.studies.bounds.solving import minimise
from dream_gym.analysis.studies.bounds.study import (
    EXACT,
    GENETIC,
    Budget,
    Proofs,
    WindowBounds,
    bound_window,
)
from dream_gym.analysis.studies.bounds.window import ENERGY_UNIT, Window, WindowFrame, read_window
from dream_gym.analysis.suites.suite import load_suite
from dream_gym.cli import main
from dream_gym.cli.bounds import players
from dream_gym.errors import DreamGymError
from dream_gym.hardware import Platform
from dream_gym.schedulers import BUILTIN
from dream_gym.simulator import NONE, Result, Simulation, check_invariants
from dream_gym.simulator.frames import DROPPED, EXPIRED
from dream_gym.workload import Network, Scenario
from tests.handmade import Given, Step, make_platform, make_scenario
from tests.strategies import Case, cases

pytestmark = pytest.mark.compiled

BUDGET = Budget(limit=1.0, generations=5, blocks=4)


def simulated(
    scenario: Scenario, platform: Platform, schedulers: Sequence[str], **options: Any
) -> tuple[Simulation, dict[str, Result]]:
    """A window, just reset, and the results of schedulers in it."""
    results = {
        name: dream_gym.simulate(scenario, platform, name, record=True, **options)
        for name in schedulers
    }
    world = {name: options[name] for name in ("load", "expiry", "contention") if name in options}
    simulation = Simulation(scenario, platform, None, **world)
    simulation.reset(seed=options.get("seed", 0), seconds=options["seconds"])
    return simulation, results


def by_hand(
    models: Sequence[Given], accelerators: int, **options: Any
) -> tuple[Simulation, dict[str, Result]]:
    platform = make_platform(accelerators, models)
    return simulated(make_scenario(models), platform, ("fcfs", "edf"), seconds=1e-5, **options)


def proved(found: WindowBounds) -> Proofs:
    assert found.proofs is not None
    return found.proofs


def test_two_frames_of_which_one_accelerator_meets_one() -> None:
    # Both are due at 1000 ns, and each needs 600: at best one is late, and energies are the worst.
    models = [Given("a", [600], deadline_ns=1000), Given("b", [600], deadline_ns=1000)]
    found = bound_window(*by_hand(models, 1), BUDGET)
    assert proved(found).rates == proved(found).model_rates == 1.5
    assert proved(found).energies == pytest.approx(2.0)
    assert found.proven_uxcost == pytest.approx(3.0)
    # A switch costs each of them 10 of 1000 pJ more.
    assert found.played["fcfs"].uxcost == pytest.approx(1.5 * 2.02)
    # CP-SAT loses the late one, which is charged the worst without a switch.
    assert found.played[EXACT].uxcost == pytest.approx(1.5 * 2.01)
    assert proved(found).model_energies == pytest.approx(2.01)


def test_a_frame_that_firm_deadlines_lose_is_charged_the_worst() -> None:
    # On the other accelerator each needs half the energy, but is late.
    step = Step((600, 3000), (1000, 500))
    models = [Given("a", [step], deadline_ns=1000), Given("b", [step], deadline_ns=1000)]
    soft = bound_window(*by_hand(models, 2), BUDGET)
    firm = bound_window(*by_hand(models, 2, expiry="firm"), BUDGET)
    assert proved(soft).rates == proved(firm).rates == 1.5
    assert proved(soft).energies == pytest.approx(1.5)
    assert proved(firm).energies == pytest.approx(2.0)


def test_the_future_pays_where_first_come_first_served_is_late() -> None:
    # a comes first by index and may wait; b may not.
    models = [Given("a", [600], deadline_ns=5000), Given("b", [600], deadline_ns=700)]
    found = bound_window(*by_hand(models, 1), BUDGET)
    assert found.played["fcfs"].violations == 1
    assert proved(found).rates == 1.0
    assert found.played[EXACT].rates == 1.0


def test_energy_follows_violations() -> None:
    # a is on time only where it needs 4000 pJ; b is on time on either, and needs 1000 on the other.
    step = Step((600, 3000), (4000, 1000))
    models = [
        Given("a", [step], deadline_ns=1000),
        Given("b", [Step((600, 800), (4000, 1000))], deadline_ns=1000),
    ]
    found = bound_window(*by_hand(models, 2), BUDGET)
    assert proved(found).rates == 1.0
    assert proved(found).energies == pytest.approx(1.25, abs=1e-6)
    assert found.played[EXACT].violations == 0
    assert found.played[EXACT].energies == pytest.approx(1.25, abs=0.01)


def test_a_child_is_late_where_its_parent_takes_too_long() -> None:
    models = [Given("a", [600]), Given("b", [600], deadline_ns=1000, parent="a")]
    found = bound_window(*by_hand(models, 2), BUDGET)
    assert proved(found).rates == 1.5


def test_a_child_of_a_parent_that_outlasts_the_window_is_lost() -> None:
    models = [Given("a", [20_000]), Given("b", [600], parent="a")]
    found = bound_window(*by_hand(models, 1), BUDGET)
    assert proved(found).model_rates == proved(found).rates == 2.0


@pytest.mark.parametrize(("deadline_ns", "rates", "energies"), [(1210, 0.5, 1.005), (1209, 1, 1)])
def test_a_block_that_follows_its_own_needs_no_switch(
    deadline_ns: int, rates: float, energies: float
) -> None:
    # One switch brings 10 bytes in, 1 byte a ns; what is late is rather lost.
    models = [Given("a", [600, 600], deadline_ns=deadline_ns)]
    found = bound_window(*by_hand(models, 1), BUDGET)
    assert proved(found).model_rates == rates
    assert proved(found).model_energies == pytest.approx(energies)


def test_a_block_after_another_frame_needs_a_switch() -> None:
    # b is due between the two layers of a: in for a 10, for b 10, then in for a, 20 bytes out.
    b = Given("b", [100], phase_ns=600, deadline_ns=200)
    for deadline_ns, rates in ((1350, 1.0), (1349, 1.5)):
        a = Given("a", [600, 600], deadline_ns=deadline_ns)
        found = bound_window(*by_hand([a, b], 1), BUDGET)
        assert proved(found).rates == 1.0
        assert proved(found).model_rates == rates


def test_a_budget_without_cp_sat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.sat.python.cp_model", None)
    models = [Given("a", [600], deadline_ns=1000), Given("b", [600], deadline_ns=1000)]
    budget = Budget(limit=0, generations=1)
    found = bound_window(*by_hand(models, 1), budget)
    assert found.proofs is None
    assert found.proven_uxcost == found.lower_bound == pytest.approx(1.0 * 2.0)
    assert set(found.played) == {"fcfs", "edf", GENETIC}
    assert WindowBounds.from_json(asdict(found)) == found
    rows = lines([[found, found]])
    assert [row.names for row in rows] == [("analytic bound",), (GENETIC,), ("fcfs", "edf")]


def test_a_model_without_solution_is_a_fault() -> None:
    model = cp_model().CpModel()
    variable = model.new_bool_var("")
    model.add(variable >= 2)
    with pytest.raises(RuntimeError, match="INFEASIBLE"):
        minimise(model, variable, 1.0)
    model = cp_model().CpModel()
    variables = [model.new_int_var(0, 2**61, "") for _ in range(8)]
    with pytest.raises(RuntimeError, match="MODEL_INVALID"):
        minimise(model, sum(variables), 1.0)


@pytest.mark.parametrize(
    ("energy_pj", "worst_pj", "parts"),
    [
        (6976212494698, 8225405677477, 84812989),
        (1966508919969, 2593288936229, 75830690),
        (3949651132457, 4546121503857, 86879576),
    ],
)
def test_energies_are_rounded_down(energy_pj: int, worst_pj: int, parts: int) -> None:
    # Computed as floats, each would come to one part more.
    nothing = np.empty(0, dtype=np.int64)
    window = Window(
        frames=(WindowFrame(0, 0, NONE, 0, 1, ()),),
        latency_ns=np.empty((0, 1), dtype=np.int64),
        energy_pj=np.empty((0, 1), dtype=np.int64),
        input_bytes=nothing,
        output_bytes=nothing,
        ns_per_byte=1.0,
        pj_per_byte=1,
        worst_energy_pj=(worst_pj,),
        firm=False,
        horizon_ns=1,
    )
    assert window.energy_parts(0, energy_pj) == parts
    assert parts * worst_pj <= energy_pj * ENERGY_UNIT < (parts + 1) * worst_pj


SCHEDULERS = ("fcfs", "edf", "sjf", "dream_mapscore", "dream_smartdrop", "planaria")


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
    options = dict(case.options, energy_norm="charged", decision_ns=0)
    options["seconds"] = round(options["seconds"] / 2, 9)
    update = {"models": tuple(models), "phases": ()}
    return case.scenario.model_copy(update=update), options


def test_nobody_is_below_what_is_proven() -> None:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(cases(grid=False))
    def check(case: Case) -> None:
        assume(not case.scenario.phases)
        scenario, options = plain(case)
        window = Simulation(scenario, case.platform, None, load=options["load"])
        window.reset(seed=options["seed"], seconds=options["seconds"])
        assume(window.state.models["frames"].any())
        world, results = simulated(scenario, case.platform, SCHEDULERS, **options)
        frames = {name: result.frames for name, result in results.items()}
        fates = {
            int(fate) for table in frames.values() if table is not None for fate in table["fate"]
        }
        count = sum(results["fcfs"].frame_count.values())
        assume(0 < count <= 40)
        found = bound_window(world, results, Budget(limit=0.1, generations=1, blocks=3))
        proofs = proved(found)
        for name, result in results.items():
            assert found.played[name].uxcost == result.uxcost
        for row in found.played.values():
            assert row.rates * row.energies == pytest.approx(row.uxcost)
            assert row.rates >= proofs.rates - 1e-9
            assert row.uxcost >= found.proven_uxcost * (1 - 1e-9)
            if row.rates == min(other.rates for other in found.played.values()):
                assert row.energies >= proofs.energies - 1e-9
        assert found.lower_bound <= found.proven_uxcost
        seen["windows"] += 1
        seen["contention"] += options["contention"] is True
        seen["dropped"] += DROPPED in fates
        seen["expired"] += EXPIRED in fates
        seen["above analytic"] += found.proven_uxcost > found.lower_bound * 1.001

    check()
    least = {"windows": 30, "contention": 8, "dropped": 6, "expired": 4, "above analytic": 10}
    assert all(seen[what] >= number for what, number in least.items()), seen


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
    assert bound_window(world, results, BUDGET) == found
    assert WindowBounds.from_json(asdict(found)) == found


def test_every_scheduler_plays() -> None:
    found = players(load_suite("windows").policies)
    assert {policy.settings["scheduler"] for policy in found} == set(BUILTIN)
    names = [policy.name for policy in found]
    assert len(set(names)) == len(names)
    assert "dream_plus" in names
    assert not any("tuned" in name for name in names)


def test_unfinished_work_is_kept_by_suite_and_cell(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = []

    def stop(*arguments: Any, parts: Any, **options: Any) -> None:
        folders.append(parts.folder.as_posix())
        raise DreamGymError("stop")

    monkeypatch.setattr(sys.modules["dream_gym.cli.bounds"], "run_study", stop)
    for words in ("", "--suite windows_long", "--scenario ar_call --platform 4k_2ws --load 2"):
        assert main(["bounds", *words.split()]) == 2
    assert folders == [
        "results/bounds/windows/parts",
        "results/bounds/windows_long/parts",
        "results/bounds/ar_call_on_4k_2ws_load_2/parts",
    ]
    assert list(tmp_path.iterdir()) == []


def test_missing_ortools_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from dream_gym.analysis import extra

    monkeypatch.setitem(sys.modules, "ortools.sat.python.cp_model", None)
    with pytest.raises(DreamGymError, match=r'ortools.*bounds need.*"dream_gym\[bounds\]"'):
        extra.cp_model()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--limit -1", "limit: expected at least 0, got -1"),
        ("--generations -1", "generations: expected at least 0, got -1"),
        ("--blocks 0", "blocks: expected at least 1, got 0"),
        ("--workers 0", "workers: expected at least 1, got 0"),
        ("--seeds 1", "--page: one seed gives no intervals"),
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
