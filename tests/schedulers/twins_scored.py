"""The rivals that score frames, or plan for layers, once more in Python; see `twins_ordered`."""

from __future__ import annotations

from fractions import Fraction

import dream_gym
from dream_gym import Dispatch, View
from dream_gym.hardware import cost_table
from dream_gym.schedulers import ReadyFrame
from tests.schedulers.twins_ordered import latencies, virtual_deadline_ns


def energies(view: View, frame: ReadyFrame) -> list[list[int]]:
    """Energy of each layer of a frame's network on each accelerator."""
    network = view.network(frame).family[frame.variant]
    table: list[list[int]] = cost_table(network, view.platform).energy_pj.tolist()
    return table


def rates(view: View) -> list[Fraction]:
    """The highest rate of each model over the phases."""
    found = dict.fromkeys(view.scenario.model_names, Fraction(0))
    for part in view.scenario.parts:
        for model in part.models:
            found[model.name] = max(found[model.name], model.rate * Fraction(part.load))
    return list(found.values())


def on_fastest_idle(view: View, frame: ReadyFrame) -> Dispatch | None:
    """The frame on the fastest idle accelerator."""
    index = min(view.idle, key=lambda index: frame.latency_ns[index], default=None)
    return None if index is None else Dispatch(frame, index)


class Prema(dream_gym.Scheduler):
    def __init__(self, priorities: str = "rate") -> None:
        self.priorities = priorities

    def reset(self, view: View) -> None:
        self.tokens: dict[tuple[int, int], float] = {}
        self.counted_ns: dict[tuple[int, int], int] = {}

    def priority(self, view: View, frame: ReadyFrame) -> int:
        if self.priorities == "equal":
            return 1
        all_rates = rates(view)
        lower = [rate for rate in all_rates if rate < all_rates[frame.model]]
        share = Fraction(len(lower), len(all_rates))
        return 9 if share >= Fraction(2, 3) else 3 if share >= Fraction(1, 3) else 1

    def select(self, view: View) -> Dispatch | None:
        ready, now_ns = view.ready, view.now_ns
        for frame in ready:
            name, priority = (frame.model, frame.frame), self.priority(view, frame)
            if name not in self.tokens:
                self.tokens[name] = priority
            elif self.counted_ns[name] != now_ns:
                slowdown = (now_ns - frame.ready_since_ns) / frame.isolated_ns
                self.tokens[name] += priority * slowdown
            self.counted_ns[name] = now_ns
        tokens = [self.tokens[frame.model, frame.frame] for frame in ready]
        if not tokens:
            return None
        threshold = max(level for level in (1, 3, 9) if level <= max(tokens))
        rich = [frame for frame, own in zip(ready, tokens, strict=True) if own >= threshold]
        return on_fastest_idle(view, min(rich, key=lambda frame: frame.mean_remaining_ns))


class Dysta(dream_gym.Scheduler):
    def select(self, view: View) -> Dispatch | None:
        ready = view.ready

        def score(frame: ReadyFrame) -> float:
            remaining = frame.mean_remaining_ns / 1e6
            slack = (frame.deadline_ns - view.now_ns) / 1e6
            waited = (view.now_ns - frame.ready_since_ns) / frame.isolated_ns / len(ready)
            return remaining + 0.01 * (max(0.0, slack - remaining) + waited)

        return on_fastest_idle(view, min(ready, key=score)) if ready else None


class Moca(dream_gym.Scheduler):
    def select(self, view: View) -> Dispatch | None:
        def score(frame: ReadyFrame) -> float:
            waited = (view.now_ns - frame.release_ns) / frame.isolated_ns
            slack_ns = max(frame.deadline_ns - view.now_ns, 1000)
            return 1.0 + waited + 10.0 * (frame.mean_remaining_ns / slack_ns)

        ready = view.ready
        return on_fastest_idle(view, max(ready, key=score)) if ready else None


class Planaria(dream_gym.Scheduler):
    def select(self, view: View) -> Dispatch | None:
        ready, idle = view.ready, view.idle
        if not ready or not idle:
            return None
        frame = max(ready, key=lambda frame: self.score(view, frame))
        enough = set(idle) & set(self.sufficient(view, frame))
        if not enough:
            return on_fastest_idle(view, frame)
        return Dispatch(frame, min(enough, key=lambda index: (frame.energy_pj[index], index)))

    def sufficient(self, view: View, frame: ReadyFrame) -> list[int]:
        """The accelerators on each of which the frame could stay and be in time."""
        left = latencies(view, frame)[frame.layer :]
        needed_ns = [sum(column) for column in zip(*left, strict=True)]
        slack_ns = frame.deadline_ns - view.now_ns
        return [index for index, needed in enumerate(needed_ns) if needed <= slack_ns]

    def score(self, view: View, frame: ReadyFrame) -> tuple[bool, Fraction]:
        slack_ns = frame.deadline_ns - view.now_ns
        if frame.least_remaining_ns > slack_ns:
            return False, Fraction(1, frame.least_remaining_ns)
        need = 1 if self.sufficient(view, frame) else len(view.accelerators)
        return True, Fraction(1, slack_ns * need)


class Veltair(dream_gym.Scheduler):
    def __init__(self, blocks: float = 20.0, alpha: float = 1.0) -> None:
        self.blocks, self.alpha = blocks, alpha

    def select(self, view: View) -> Dispatch | None:
        ready, idle = view.ready, view.idle
        if not ready or not idle:
            return None
        frame = ready[0]
        count = self.block(view, frame)
        block = slice(frame.layer, frame.layer + count)
        time = [sum(column) for column in zip(*latencies(view, frame)[block], strict=True)]
        energy = [sum(column) for column in zip(*energies(view, frame)[block], strict=True)]
        born_ns = min(frame.release_ns, frame.deadline_ns)
        due_ns = virtual_deadline_ns(view, frame, frame.layer + count - 1)
        due_ns = born_ns + self.alpha * (due_ns - born_ns)
        enough = [index for index in idle if view.now_ns + time[index] <= due_ns]
        chosen = min(enough, key=energy.__getitem__) if enough else min(idle, key=time.__getitem__)
        return Dispatch(frame, chosen, layers=count)

    def block(self, view: View, frame: ReadyFrame) -> int:
        accelerators = len(view.accelerators)
        frames = len(view.ready) + accelerators - len(view.idle)
        window_ns = max(frame.deadline_ns - frame.release_ns, 0)
        threshold_ns = window_ns / self.blocks * frames / accelerators
        layers = latencies(view, frame)[frame.layer :]
        for count in range(1, frame.block_length):
            if sum(map(sum, layers[:count])) / accelerators >= threshold_ns:
                return count
        return frame.block_length


class Planned(dream_gym.Scheduler):
    """The oldest frame of which the accelerator by plan is idle."""

    def reset(self, view: View) -> None:
        costs = [cost_table(network, view.platform) for network in view.scenario.networks]
        times: list[list[list[int]]] = [table.latency_ns.tolist() for table in costs]
        energy: list[list[list[int]]] = [table.energy_pj.tolist() for table in costs]
        self.plan = self.make(rates(view), times, energy)

    def make(
        self, rates: list[Fraction], times: list[list[list[int]]], energy: list[list[list[int]]]
    ) -> list[list[int]]:
        """The accelerator of each layer of each model."""
        raise NotImplementedError

    def select(self, view: View) -> Dispatch | None:
        for frame in view.ready:
            index = self.plan[frame.model][frame.layer]
            if index in view.idle:
                return Dispatch(frame, index)
        return None


class FcfsStatic(Planned):
    def make(
        self, rates: list[Fraction], times: list[list[list[int]]], energy: list[list[list[int]]]
    ) -> list[list[int]]:
        work = [
            [rate * sum(column) for column in zip(*layers, strict=True)]
            for rate, layers in zip(rates, times, strict=True)
        ]
        loads = [Fraction(0) for _ in work[0]]
        plan: list[list[int]] = [[] for _ in work]
        for model in sorted(range(len(work)), key=lambda model: min(work[model]), reverse=True):
            best = min(range(len(loads)), key=lambda index: loads[index] + work[model][index])
            loads[best] += work[model][best]
            plan[model] = [best] * len(times[model])
        return plan


class Herald(Planned):
    def __init__(self, balance: float = 2.0) -> None:
        self.balance = Fraction(balance)

    def make(
        self, rates: list[Fraction], times: list[list[list[int]]], energy: list[list[list[int]]]
    ) -> list[list[int]]:
        loads = [Fraction(0) for _ in times[0][0]]
        plan = []
        for rate, own_times, own_energy in zip(rates, times, energy, strict=True):
            chosen = []
            for time, cost in zip(own_times, own_energy, strict=True):
                after = [load + rate * own for load, own in zip(loads, time, strict=True)]
                ranked = sorted(range(len(time)), key=lambda index: time[index] * cost[index])
                best = next(index for index in ranked if after[index] <= self.balance * min(after))
                loads[best] = after[best]
                chosen.append(best)
            plan.append(chosen)
        return plan
