"""Causes worked out by hand, and the rule once more in plain Python on random workloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings

from dream_gym import simulate
from dream_gym.analysis.measures.misses import CAUSES, NO_CAUSE, attribute, executed_ns, explain
from dream_gym.simulator import Simulation
from dream_gym.simulator.frames import FATES, FRAME_COLUMNS
from dream_gym.simulator.result import to_table
from tests.handmade import Given, RunByHand, Seen, Step
from tests.reference.frames import make_models, make_roots
from tests.reference.paths import path
from tests.reference.world import Frame
from tests.simulator.conftest import run
from tests.simulator.test_against_reference import REPRODUCIBLY, run_engine
from tests.strategies import Case, cases

__all__ = ["run"]


def causes(seen: Seen) -> dict[str, str]:
    """The cause of each violated frame, by its name."""
    frames, timeline = seen.result.frames, seen.result.timeline
    assert frames is not None
    assert timeline is not None
    names = list(seen.result.frame_count)
    found = attribute(frames, executed_ns(frames, timeline), seen.alone)
    return {
        f"{names[row['model']]}{row['frame']}": CAUSES[cause]
        for row, cause in zip(frames, found, strict=True)
        if cause != NO_CAUSE
    }


def test_infeasible_even_alone(run: RunByHand) -> None:
    # 60 + 40 on the fastest accelerators, which no scheduler can do in 99; in 100 one might.
    steps = [Step((60, 70)), Step((80, 40))]
    for deadline_ns, cause in ((99, "infeasible"), (100, "slow")):
        seen = run(Given("a", steps, deadline_ns=deadline_ns), accelerators=2, horizon_ns=1000)
        assert causes(seen) == {"a0": cause}


def test_a_parent_that_is_late(run: RunByHand) -> None:
    # b 0-60, p 60-170, and then c, which needs 50, has 40 left; alone it would end at 150.
    models = (
        Given("b", [50]),
        Given("p", [100], deadline_ns=1000),
        Given("c", [50], deadline_ns=210, parent="p"),
    )
    assert causes(run(*models)) == {"c0": "late_parent"}
    # With 10 more it could still be in time, but that its context switch takes 10 of them.
    in_time = (*models[:2], Given("c", [50], deadline_ns=229, parent="p"))
    assert causes(run(*in_time)) == {"c0": "slow"}


def test_a_parent_that_is_lost(run: RunByHand) -> None:
    # p0 is displaced by p1 while b runs, and its dependent with it.
    seen = run(
        Given("b", [5000]),
        Given("p", [50], every_ns=1000, phase_ns=100, deadline_ns=6000, backlog=1),
        Given("c", [50], every_ns=1000, deadline_ns=6000, parent="p"),
    )
    assert seen.fates["p0"][0] == "displaced"
    assert seen.fates["c0"][0] == "parent lost"
    assert causes(seen)["p0"] == "displaced"
    assert causes(seen)["c0"] == "late_parent"


def test_waited_for_its_accelerator(run: RunByHand) -> None:
    # a 0-110; b waits until then, has 50 to spare if alone, and ends at 170.
    seen = run(Given("a", [100]), Given("b", [50], deadline_ns=100))
    assert causes(seen) == {"b0": "waited"}


def test_ran_on_a_slow_accelerator(run: RunByHand) -> None:
    # a takes acc0, so that b takes acc1, at 300 for 50; it has not waited at all.
    fast = Step((50, 300))
    seen = run(Given("a", [100]), Given("b", [fast], deadline_ns=200), accelerators=2)
    assert seen.rows[1] == ("b0", 0, 1, 0, 10, 310)
    assert causes(seen) == {"b0": "slow"}


def test_waiting_counts_if_it_alone_is_too_long(run: RunByHand) -> None:
    # b waits 110 for a on the one accelerator, and its own two layers take 10 + 100 for 100.
    for deadline_ns, cause in ((209, "waited"), (210, "slow"), (219, "slow")):
        seen = run(Given("a", [100]), Given("b", [50, 50], deadline_ns=deadline_ns))
        assert seen.fates["b0"] == ("completed", 220)
        assert causes(seen) == {"b0": cause}


def test_dropped() -> None:
    # Released at 10, due at 100, and dropped at 60; least 90 it could have met, 91 it could not.
    row = np.array([[0, 0, 10, 100, 60, FATES.index("dropped"), 0, 0]])
    frames, busy_ns = to_table(row, FRAME_COLUMNS), np.zeros(1, dtype=np.int64)
    for least_ns, cause in ((90, "dropped"), (91, "infeasible")):
        alone = np.array([[least_ns, 10 + least_ns]])
        assert CAUSES[attribute(frames, busy_ns, alone)[0]] == cause


def test_displaced(run: RunByHand) -> None:
    seen = run(
        Given("a", [5000]),
        Given("b", [50], every_ns=1000, phase_ns=10, deadline_ns=6000, backlog=1),
    )
    assert seen.fates["b0"][0] == "displaced"
    assert causes(seen)["b0"] == "displaced"


@pytest.mark.parametrize("expiry", ["soft", "firm"])
def test_expired_and_unfinished_frames_waited(run: RunByHand, expiry: str) -> None:
    seen = run(
        Given("a", [1000], deadline_ns=1100),
        Given("b", [50], deadline_ns=200),
        horizon_ns=1100,
        expiry=expiry,
    )
    assert seen.fates["b0"][0] == ("expired" if expiry == "firm" else "completed")
    assert causes(seen) == {"b0": "waited"}
    seen = run(Given("a", [1000], deadline_ns=900), Given("b", [50]), horizon_ns=10_000)
    assert causes(seen) == {"a0": "infeasible"}
    seen = run(Given("a", [900], deadline_ns=950), Given("b", [50]), horizon_ns=950)
    assert causes(seen) == {}
    seen = run(
        Given("a", [900], deadline_ns=950),
        Given("b", [50, 50], deadline_ns=950),
        horizon_ns=950,
        expiry=expiry,
    )
    assert causes(seen) == {"b0": "waited"}
    assert seen.fates["b0"] == ("unfinished", 950)


def test_lateness_and_useless_work(run: RunByHand) -> None:
    # a 0-110 in time, b 110-170 and c 170-230 late by 70 and 80: 120 of 230 were useless.
    seen = run(
        Given("a", [100]),
        Given("b", [50], deadline_ns=100),
        Given("c", [50], deadline_ns=150),
    )
    misses = explain(seen.result, seen.alone)
    assert misses.causes == {**dict.fromkeys(CAUSES, 0), "waited": 2}
    assert misses.lateness_p50_ms == pytest.approx(75e-6)
    assert misses.lateness_p99_ms == pytest.approx(79.9e-6)
    assert misses.useless_share == pytest.approx(120 / 230)


def test_nothing_missed(run: RunByHand) -> None:
    seen = run(Given("a", [100]))
    misses = explain(seen.result, seen.alone)
    assert sum(misses.causes.values()) == 0
    assert misses.lateness_p50_ms is misses.lateness_p99_ms is None
    assert misses.useless_share == 0


def test_a_record_is_needed() -> None:
    result = simulate("ar_call", "4k_2ws", "fcfs", seconds=0.1)
    with pytest.raises(ValueError, match="record"):
        explain(result, None)  # type: ignore[arg-type]


def world_frames(case: Case) -> Iterator[tuple[Frame, int]]:
    """All frames of a world, with the releases of their roots."""
    models = make_models(case.scenario, case.platform)
    horizon_ns = round(case.options["seconds"] * 1e9)
    load = case.options["load"]
    roots = make_roots(case.scenario, models, load, case.options["seed"], horizon_ns)
    todo = [(frame, release_ns) for release_ns, frame in roots]
    while todo:
        frame, release_ns = todo.pop()
        yield frame, release_ns
        todo += [(child, release_ns) for child in frame.children]


def least_ns(frame: Frame) -> int:
    return min(
        sum(min(version.latency_ns[layer]) for layer in path(version.network, frame.luck))
        for version in frame.model.versions
    )


@pytest.mark.parametrize("grid", [False, True])
def test_random_workloads(grid: bool) -> None:
    seen: Counter[str] = Counter()

    @settings(REPRODUCIBLY, max_examples=100)
    @given(cases(grid=grid))
    def check(case: Case) -> None:
        result = run_engine(case)
        simulation = Simulation(case.scenario, case.platform, None, load=case.options["load"])
        simulation.reset(seed=case.options["seed"], seconds=case.options["seconds"])
        assert result.frames is not None
        assert result.timeline is not None
        alone = simulation.alone(result.frames)
        found = attribute(result.frames, executed_ns(result.frames, result.timeline), alone)
        by_hand = {}
        for frame, root_release_ns in world_frames(case):
            chain = [frame]
            while chain[-1].parent is not None:
                chain.append(chain[-1].parent)
            earliest_ns = root_release_ns + sum(map(least_ns, chain))
            by_hand[frame.model.index, frame.index] = least_ns(frame), earliest_ns
        busy: Counter[tuple[int, int]] = Counter()
        ends = {(row["model"], row["frame"]): int(row["end_ns"]) for row in result.frames}
        for row in result.timeline:
            key = row["model"], row["frame"]
            busy[key] += max(0, min(int(row["end_ns"]), ends[key]) - int(row["start_ns"]))
        for row, (least, earliest_ns), cause in zip(result.frames, alone, found, strict=True):
            key = row["model"], row["frame"]
            assert (least, earliest_ns) == by_hand[key]
            expected = rule(row, least, earliest_ns, busy[key])
            assert (CAUSES[cause] if cause != NO_CAUSE else None) == expected
            seen[str(expected)] += 1
        violations = Counter(result.frames["model"][found != NO_CAUSE].tolist())
        for index, (model, rate) in enumerate(result.violation_rate.items()):
            assert rate * result.frame_count[model] == pytest.approx(violations[index])
        assert sum(explain(result, alone).causes.values()) == violations.total()

    check()
    assert set(seen) == {"None", *CAUSES}


def rule(row: dict[str, int], least: int, earliest_ns: int, busy_ns: int) -> str | None:
    """The cause of one frame, as the page tells it."""
    fate = FATES[row["fate"]]
    if fate == "completed" and row["end_ns"] <= row["deadline_ns"]:
        return None
    if earliest_ns > row["deadline_ns"]:
        return "infeasible"
    if fate == "parent lost" or row["release_ns"] + least > row["deadline_ns"]:
        return "late_parent"
    if fate in ("dropped", "displaced"):
        return fate
    waited_ns = row["end_ns"] - row["release_ns"] - busy_ns
    return "waited" if row["release_ns"] + waited_ns + least > row["deadline_ns"] else "slow"
