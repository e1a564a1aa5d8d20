"""The score of `learned` once more, in plain Python, from what its features are said to mean."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from dream_gym.schedulers.learned.features import (
    CONTEXT_FEATURES,
    FRAME_FEATURES,
    PAIR_FEATURES,
)
from dream_gym.simulator import NEVER, NONE, Problem, Simulation, State
from dream_gym.simulator.dispatching import switch_cost

DISPATCH, DROP, WAIT = "dispatch", "drop", "wait"
Choice = tuple[str, int, int]
"""Kind, slot and accelerator, with -1 for none."""


def log(ratio: float) -> float:
    return min(max(0.5 * math.log2(ratio), -4.0), 4.0)


def part(a: float, b: float) -> float:
    return a / (a + b)


class SecondVersion:
    """Looks at a decision point of a simulation.

    Args:
        simulation: The simulation, whose deadlines are judged.
        tables: The weights by name.
    """

    def __init__(self, simulation: Simulation, tables: dict[str, Any]) -> None:
        self.simulation, self.tables = simulation, tables
        self.problem: Problem = simulation.problem
        self.state: State = simulation.state
        self.now_ns = simulation.now_ns
        self.accelerators = range(len(self.state.accelerators))
        self.slots = self.to_choose_from()
        self.context = self.whole()

    def scores(self) -> dict[Choice, float]:
        """The score of each choice that may be taken, and of waiting for a busy accelerator."""
        found = {(WAIT, NONE, NONE): self.score(WAIT, {}, {})}
        for slot in self.slots:
            frame = self.frame(slot)
            for accelerator in self.accelerators:
                pair = self.pair(slot, accelerator, frame)
                found[DISPATCH, slot, accelerator] = self.score(DISPATCH, pair, frame)
            if self.may_drop(slot):
                found[DROP, slot, NONE] = self.score(DROP, {}, frame)
        return found

    def choice(self) -> tuple[Choice, float]:
        """The best choice, and by how much it is better than what else would be done."""
        if not any(map(self.idle, self.accelerators)):
            return (WAIT, NONE, NONE), math.inf
        scores = self.scores()
        rivals = {(WAIT, NONE, NONE): scores[WAIT, NONE, NONE]}
        if self.slots and all(map(self.idle, self.accelerators)):
            rivals = {}
        margin = math.inf
        for slot in self.slots:
            own = sorted((scores[DISPATCH, slot, a], -a) for a in self.accelerators)
            if len(own) > 1:
                margin = min(margin, own[-1][0] - own[-2][0])
            score, accelerator = own[-1][0], -own[-1][1]
            drop = scores.get((DROP, slot, NONE), -math.inf)
            margin = min(margin, abs(drop - score))
            if drop > score:
                rivals[DROP, slot, NONE] = drop
            if self.idle(accelerator):
                rivals[DISPATCH, slot, accelerator] = score
        ranked = sorted(rivals, key=lambda choice: -rivals[choice])
        if len(ranked) > 1:
            margin = min(margin, rivals[ranked[0]] - rivals[ranked[1]])
        return ranked[0], margin

    def score(self, kind: str, pair: dict[str, float], frame: dict[str, float]) -> float:
        x = np.array(
            [
                *(pair.get(name, 0.0) for name in PAIR_FEATURES),
                *(frame.get(name, 0.0) for name in FRAME_FEATURES),
                *(self.context[name] for name in CONTEXT_FEATURES),
            ]
        )
        if kind == WAIT:
            assert not pair
            assert not frame
        hidden = np.maximum(x @ self.tables["hidden.input"] + self.tables["hidden.threshold"], 0.0)
        return float(
            self.tables[f"{kind}.bias"][0]
            + self.tables[f"{kind}.linear"] @ x
            + self.tables[f"{kind}.output"] @ hidden
        )

    def idle(self, accelerator: int) -> bool:
        return bool(self.state.accelerators[accelerator].busy_until_ns == NEVER)

    def layer(self, slot: int) -> int:
        return int(self.state.slots[slot].layer)

    def left_ns(self, slot: int) -> int:
        return int(self.problem.layers[self.layer(slot)].least_remaining_ns)

    def slack_ns(self, slot: int) -> int:
        return int(self.state.slots[slot].deadline_ns) - self.now_ns

    def shortest_ns(self) -> int:
        return int(self.problem.streams["deadline_ns"].min())

    def mean_frames(self) -> float:
        return float(np.mean([m.frames for m in self.state.models if m.frames]))

    def usable_ns(self, slot: int) -> float:
        return max(self.slack_ns(slot), 1000.0)

    def latencies_ns(self, slot: int) -> list[int]:
        costs: list[int] = self.problem.costs["latency_ns"][self.layer(slot)].tolist()
        return costs

    def to_choose_from(self) -> list[int]:
        found = []
        for model in range(len(self.state.models)):
            waiting = [
                slot
                for slot in self.state.live[: self.state.run[0].live_count].tolist()
                if self.state.slots[slot].model == model and not self.state.slots[slot].executing
            ]
            in_time = [slot for slot in waiting if self.left_ns(slot) <= self.slack_ns(slot)]
            found += {*waiting[:1], *in_time[:1]}
        order = self.state.live[: self.state.run[0].live_count].tolist()
        return sorted(found, key=order.index)

    def whole(self) -> dict[str, float]:
        models, run = self.state.models, self.state.run[0]
        passed = run.now_ns / run.horizon_ns
        violated, energies = 0.0, []
        for model, counts in enumerate(models):
            if counts.frames:
                worst = float(self.problem.models[model].worst_energy_pj)
                ended = counts.completed + counts.lost
                violated += (counts.violations + 0.5) / (counts.frames * passed + 1)
                used = counts.completed_energy_pj / worst + counts.lost + 0.5
                energies.append(used / (ended + 1))
        found = {"violated": violated, "passed": passed, "energy": float(np.mean(energies))}
        idle = sum(map(self.idle, self.accelerators))
        work = sum(map(self.left_ns, self.slots))
        slack = float(np.mean([self.usable_ns(slot) for slot in self.slots]))
        late = sum(self.slack_ns(slot) <= 0 for slot in self.slots)
        return found | {
            "idle": idle / len(self.accelerators),
            "crowd": part(len(self.slots), 8),
            "load": log(work / (len(self.accelerators) * slack)),
            "late_share": late / len(self.slots),
        }

    def frame(self, slot: int) -> dict[str, float]:
        own, counts = self.state.slots[slot], self.state.models[self.state.slots[slot].model]
        model = self.problem.models[own.model]
        left, slack, usable = self.left_ns(slot), self.slack_ns(slot), self.usable_ns(slot)
        network = self.problem.networks[own.network]
        whole = self.problem.layers[network.first_layer].least_remaining_ns
        mean = float(np.mean(self.latencies_ns(slot)))
        urgency = log(left / usable)
        due_before = [
            other for other in self.slots if self.state.slots[other].deadline_ns <= own.deadline_ns
        ]
        older = self.slots[: self.slots.index(slot)]
        return {
            "urgency": urgency,
            "late": float(slack <= 0),
            "tight": float(0 < slack < left),
            "lateness": part(max(-slack, 0), left),
            "starvation": log(1 + (self.now_ns - own.ready_since_ns) / mean),
            "done": 1 - left / whole,
            "work": log(left / self.shortest_ns()),
            "clean": float(counts.violations == 0),
            "price": log(self.mean_frames() / max(counts.frames, 1)),
            "saving": network.best_energy_pj / model.worst_energy_pj,
            "started": float(own.last_accelerator != NONE),
            "backlog": counts.waiting / model.backlog_limit,
            "losses": int(counts.recent_losses).bit_count() / 10,
            **self.children(slot, urgency),
            "demand": log(sum(map(self.left_ns, due_before)) / (len(self.accelerators) * usable)),
            "younger": float(any(self.state.slots[o].model == own.model for o in older)),
            "picky": 1 - min(self.latencies_ns(slot)) / mean,
            "slack": min(max(slack / self.problem.streams[own.stream].deadline_ns, -2.0), 2.0),
        }

    def children(self, slot: int, urgency: float) -> dict[str, float]:
        own, streams = self.state.slots[slot], self.problem.streams
        expected, price = 0.0, 0.0
        for child, stream in enumerate(streams):
            steps, at = 1, child
            while at not in (own.stream, NONE):
                steps *= streams[at].parent_ratio
                at = streams[at].parent
            frame = own.frame - streams[own.stream].first_frame
            if child == own.stream or at == NONE or frame % steps:
                continue
            likely = stream.trigger_threshold / 2**62
            first = self.problem.networks[self.problem.models[stream.model].first_network]
            work = self.left_ns(slot) + self.problem.layers[first.first_layer].least_remaining_ns
            slack = max(own.nominal_ns + stream.deadline_ns - self.now_ns, 1000)
            expected += likely
            urgency = max(urgency, log(work / slack))
            own_frames = max(self.state.models[own.model].frames, 1)
            price += likely * own_frames / max(self.state.models[stream.model].frames, 1)
        return {
            "children": expected,
            "child_urgency": urgency,
            "child_price": part(price, 1),
        }

    def time_to_end_ns(self, slot: int, accelerator: int) -> int:
        latency = self.latencies_ns(slot)[accelerator]
        if self.idle(accelerator):
            arenas = self.simulation.problem_arena, self.simulation.state_arena
            return latency + int(switch_cost(*arenas, slot, accelerator)[0])
        return latency + int(self.state.accelerators[accelerator].busy_until_ns) - self.now_ns

    def pair(self, slot: int, accelerator: int, frame: dict[str, float]) -> dict[str, float]:
        latencies = self.latencies_ns(slot)
        latency, least = latencies[accelerator], min(latencies)
        energies = self.problem.costs["energy_pj"][self.layer(slot)]
        idle = self.idle(accelerator)
        end = self.time_to_end_ns(slot, accelerator)
        lost, slack = end - least, self.slack_ns(slot)
        move_pj = 0
        if idle:
            arenas = self.simulation.problem_arena, self.simulation.state_arena
            move_pj = switch_cost(*arenas, slot, accelerator)[1]
        slower = log(latency / least)
        wait = 0.0 if idle else part(end - latency, least)
        costlier = log((energies[accelerator] + move_pj) / energies.min())
        others = [
            self.left_ns(other)
            for other in self.slots
            if other != slot and int(np.argmin(self.latencies_ns(other))) == accelerator
        ]
        ends = [self.time_to_end_ns(slot, each) for each in self.accelerators]
        last = self.state.accelerators[accelerator].serial
        return {
            "slower": slower,
            "wait": wait,
            "finish": log(end / min(ends)),
            "costlier": costlier,
            "switch": part(end - latency, latency) if idle else 0.0,
            "busy": float(not idle),
            "same": float(last == self.state.slots[slot].serial),
            "delay": part(lost, self.usable_ns(slot)),
            "misses": float(slack - lost < self.left_ns(slot) <= slack),
            "queue": part(sum(others), self.shortest_ns()),
            "hold": log(latency / self.shortest_ns()),
            "blocks": self.blocked(accelerator, end),
            "used": self.used()[accelerator],
            "urgent_slower": frame["urgency"] * slower,
            "urgent_wait": frame["urgency"] * wait,
            "urgent_costlier": frame["urgency"] * costlier,
            "late_slower": frame["late"] * slower,
            "late_costlier": frame["late"] * costlier,
            "spare_costlier": (1 - float(np.mean(self.used()))) * costlier,
        }

    def used(self) -> list[float]:
        own = self.state.accelerators
        running = np.where(own["busy_until_ns"] == NEVER, 0, self.now_ns - own["busy_since_ns"])
        return ((own["busy_ns"] + running) / max(self.now_ns, 1)).tolist()

    def blocked(self, accelerator: int, end_ns: int) -> float:
        shares = [0.0]
        for model, given in enumerate(self.problem.models):
            first = self.problem.networks[given.first_network].first_layer
            if int(np.argmin(self.problem.costs["latency_ns"][first])) != accelerator:
                continue
            coming = []
            for stream, frame in zip(
                self.problem.streams, self.state.streams["next_frame"].tolist(), strict=True
            ):
                root = stream.model == model and stream.parent == NONE
                if root and 0 < frame < stream.frames:
                    period = Fraction(int(stream.period_remainder), int(stream.period_divisor))
                    period += int(stream.period_quotient_ns)
                    nominal = int(stream.first_ns) + math.floor(frame * period)
                    coming.append((max(nominal - self.now_ns, 0), int(stream.deadline_ns)))
            if coming and min(coming)[0] < end_ns:
                release, deadline = min(coming)
                spare = deadline - int(self.problem.layers[first].least_remaining_ns)
                shares.append(part(end_ns - release, max(spare, 1000)))
        return max(shares)

    def may_drop(self, slot: int) -> bool:
        own = self.state.slots[slot]
        return bool(
            self.left_ns(slot) > self.slack_ns(slot)
            and int(self.state.models[own.model].recent_losses).bit_count() < 2
            and self.problem.models[own.model].dependents == 0
        )
