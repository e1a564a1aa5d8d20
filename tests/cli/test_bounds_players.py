"""Who plays in `dream-gym bounds`: everybody whom the suite lists."""

from dream_gym.analysis.suites.suite import PolicySpec, Tuning
from dream_gym.cli.bounds import players

GRID = Tuning(grid={"alpha": (0, 1)})


def test_what_is_tuned_plays_with_its_fixed_options_under_a_name_of_its_own() -> None:
    tuned = PolicySpec(scheduler="dream_full", name="full tuned", tune=GRID)
    late = PolicySpec(
        scheduler="dream_full", options={"late_urgency": "last"}, name="last tuned", tune=GRID
    )
    plain = PolicySpec(scheduler="dream_full")
    assert [policy.name for policy in players([tuned, late])] == ["dream_full", "last tuned"]
    # Listed as it is anyway, it plays once; with other options under that name, under its own.
    assert [policy.name for policy in players([tuned, plain])] == ["dream_full"]
    other = PolicySpec(scheduler="dream_full", options={"alpha": 2}, name="dream_full")
    found = players([tuned, other])
    assert [policy.name for policy in found] == ["dream_full", "full tuned"]
    assert found[1].settings["options"] == {}
