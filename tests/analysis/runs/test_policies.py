import pickle

from dream_gym import simulate
from dream_gym.analysis.runs.policies import TunedPolicy
from dream_gym.analysis.suites.suite import PolicySpec, Tuning
from dream_gym.players import make_player
from dream_gym.simulator import Cell
from dream_gym.workload.seeds import training_seeds

CELL = Cell(scenario="ar_social", platform="4k_1ws_2os", load=1.3, expiry="firm")


def test_a_scheduler_as_a_player_is_simulate() -> None:
    policy = make_player("dream_mapscore", {"alpha": 0.5})
    for cell in (CELL, CELL.at_load(1.1), CELL):
        for seed in (1, 2):
            assert policy.run(cell, seed, 0.5).summary() == (
                simulate(
                    "ar_social",
                    "4k_1ws_2os",
                    "dream_mapscore",
                    seconds=0.5,
                    seed=seed,
                    load=cell.load,
                    expiry="firm",
                    alpha=0.5,
                ).summary()
            )
    assert policy.settings == {
        "scheduler": "dream_mapscore",
        "family": "DREAM",
        "options": {"alpha": 0.5},
    }


def test_record_holds_the_tables() -> None:
    policy = make_player("fcfs")
    assert policy.run(CELL, 0, 0.2).timeline is None
    recorded = policy.run(CELL, 0, 0.2, record=True)
    assert recorded.timeline is not None
    assert len(recorded.timeline) == recorded.dispatches


def test_tuned_policy_takes_the_best_of_the_grid_on_training_seeds() -> None:
    grid = {"alpha": (0, 1, 2), "beta": (0, 2)}
    spec = PolicySpec(scheduler="dream_mapscore", tune=Tuning(grid=grid, seeds=3, seconds=0.5))
    assert spec.tune is not None
    tuned = TunedPolicy(spec, spec.tune)
    chosen = tuned.search(CELL)

    def cost(alpha: float, beta: float) -> float:
        policy = make_player("dream_mapscore", {"alpha": alpha, "beta": beta})
        return sum(policy.run(CELL, seed, 0.5).uxcost for seed in training_seeds(3))

    costs = {(alpha, beta): cost(alpha, beta) for alpha in (0, 1, 2) for beta in (0, 2)}
    assert len(set(costs.values())) > 1
    assert costs[chosen["alpha"], chosen["beta"]] == min(costs.values())
    fixed = make_player("dream_mapscore", chosen)
    player = tuned.player(chosen)
    assert player.run(CELL, 7, 0.5).summary() == fixed.run(CELL, 7, 0.5).summary()
    assert player.name == tuned.name


def test_policies_can_be_pickled() -> None:
    policy = pickle.loads(pickle.dumps(make_player("edf", {"placement": "eft"}, name="x")))
    assert policy.name == "x"
    assert policy.settings == {
        "scheduler": "edf",
        "family": "rule",
        "options": {"placement": "eft"},
    }
