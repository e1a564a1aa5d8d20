"""All of DREAM once more: frame drop, Supernet switching, patience and the online tuner."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from tests.reference.outcome import Outcome
from tests.reference.schedulers import Choice, Choose, Scene, mapscore, seniority
from tests.reference.world import Accelerator, Frame

NS_PER_S = 1_000_000_000
WINDOW_NS = NS_PER_S


def least_ns(frame: Frame, first: int) -> int:
    """From a layer to the end, each where it is fastest."""
    return sum(min(row) for row in frame.version.latency_ns[first:])


def mean_ns(frame: Frame, variant: int, first: int) -> float:
    rows = frame.model.versions[variant].latency_ns[first:]
    return sum(sum(row) for row in rows) / len(rows[0]) if rows else 0.0


def will_miss(scene: Scene, frame: Frame) -> bool:
    for accelerator in scene.accelerators:
        if accelerator.running is not None and accelerator.running.frame is frame:
            execution = accelerator.running
            rest_ns = least_ns(frame, execution.layers[-1] + 1)
            return execution.end_ns + rest_ns > frame.deadline_ns
    return scene.now_ns + least_ns(frame, frame.next_layer) > frame.deadline_ns


def frame_to_drop(scene: Scene, cap: int) -> Frame | None:
    doomed = [frame for frame in scene.live if will_miss(scene, frame)]
    if len(doomed) < 2:
        return None

    def may_go(frame: Frame) -> bool:
        recent = [item for item in scene.resolved if item.model is frame.model][-10:]
        lost = sum(item.fate != "completed" for item in recent)
        return frame.waiting and lost < cap and frame.model.name not in scene.parents

    def rank(frame: Frame) -> tuple[float, tuple[int, int, int]]:
        slack_ns = max(frame.deadline_ns - scene.now_ns, 1000)
        return -least_ns(frame, frame.next_layer) / slack_ns, seniority(frame)

    return min(filter(may_go, doomed), key=rank, default=None)


def variant_for(scene: Scene, frame: Frame, margin: float) -> int:
    if len(frame.model.versions) == 1 or frame.last_accelerator is not None:
        return 0
    accelerators = len(scene.accelerators)
    ahead_ns = 0.0
    for other in sorted(scene.waiting, key=seniority):
        if other.deadline_ns < frame.deadline_ns:
            ahead_ns += mean_ns(other, other.variant, other.next_layer)
    for accelerator in scene.accelerators:
        if accelerator.running is not None:
            ahead_ns += accelerator.running.end_ns - scene.now_ns
    for variant in range(len(frame.model.versions)):
        finish_ns = ahead_ns / accelerators + mean_ns(frame, variant, 0)
        if finish_ns * margin <= frame.deadline_ns - scene.now_ns:
            return variant
    return len(frame.model.versions) - 1


def is_early_enough(scene: Scene, frame: Frame, accelerator: Accelerator, patience: float) -> bool:
    """Whether the next layer ends there at most so many times later than it could."""
    if patience >= 8:
        return True
    ends_ns = []
    for other in scene.accelerators:
        busy_ns = 0 if other.running is None else other.running.end_ns - scene.now_ns
        ends_ns.append(busy_ns + frame.latencies_ns[other.index])
    return frame.latencies_ns[accelerator.index] <= patience * min(ends_ns)


def dream_plus(
    dram_pj_per_byte: int,
    *,
    alpha: float = 1.0,
    beta: float = 1.0,
    late_urgency: str = "floor",
    patience: float = 8.0,
    drop_cap: int = 2,
    supernet_margin: float = 1.0,
) -> Choose:
    rank = mapscore(dram_pj_per_byte, alpha, beta, late_urgency)

    def choose(scene: Scene) -> Choice | None:
        dropped = frame_to_drop(scene, drop_cap)
        if dropped is not None:
            return Choice(dropped, None)
        pairs = [
            (frame, item)
            for frame in scene.waiting
            for item in scene.idle
            if is_early_enough(scene, frame, item, patience)
        ]
        scene.outcome.impatient |= len(pairs) < len(scene.waiting) * len(scene.idle)
        if not pairs:
            return None
        frame, accelerator = min(pairs, key=lambda pair: rank(scene.now_ns, *pair))
        return Choice(frame, accelerator, variant_for(scene, frame, supernet_margin))

    return choose


def dream_full(
    dram_pj_per_byte: int, *, alpha: float = 1.0, beta: float = 1.0, late_urgency: str = "floor"
) -> Choose:
    return dream_plus(dram_pj_per_byte, alpha=alpha, beta=beta, late_urgency=late_urgency)


def dream_smartdrop(
    dram_pj_per_byte: int, *, alpha: float = 1.0, beta: float = 1.0, late_urgency: str = "floor"
) -> Choose:
    full = dream_full(dram_pj_per_byte, alpha=alpha, beta=beta, late_urgency=late_urgency)

    def choose(scene: Scene) -> Choice | None:
        choice = full(scene)
        return choice and choice._replace(variant=0)

    return choose


Point = tuple[float, float]


@dataclass
class Search:
    """The tuner of `dream_online` as a program that says which point each window is run at."""

    accepted: float = 0.0
    settled: bool = False

    def points(self) -> Generator[Point, float]:
        """Yield points; each must be answered by sending the window's UXCost."""
        centre, radius = (1.0, 1.0), 0.5
        self.accepted = yield centre
        while radius >= 0.05:
            tried = []
            for alpha, beta in ((radius, 0.0), (-radius, 0.0), (0.0, radius), (0.0, -radius)):
                point = (
                    min(max(centre[0] + alpha, 0.0), 2.0),
                    min(max(centre[1] + beta, 0.0), 2.0),
                )
                cost = yield point
                tried.append((cost, point))
            cost, point = min(tried, key=lambda item: item[0])
            if cost < self.accepted:
                self.accepted, centre = cost, point
            radius /= 2
        self.settled = True
        while True:
            yield centre


def dream_online(dram_pj_per_byte: int, *, late_urgency: str = "floor") -> Choose:
    search = Search()
    points, point = search.points(), (1.0, 1.0)
    begun_ns, check_ns, next_phase_ns = 0, 0, 0.0
    before: list[tuple[int, int]] = []

    def measures(outcome: Outcome, now_ns: int) -> list[tuple[int, int]]:
        return [
            (outcome.violations(model, now_ns), outcome.charged_pj(model, now_ns))
            for model in outcome.models
        ]

    def window_cost(outcome: Outcome, now_ns: int) -> float | None:
        rates, energies, any_due = 0.0, 0.0, False
        for model, old, new in zip(outcome.models, before, measures(outcome, now_ns), strict=True):
            frames = outcome.frames_of(model)
            due = sum(begun_ns < frame.deadline_ns <= now_ns for frame in frames)
            if due:
                any_due = True
                rates += max(new[0] - old[0], 0.5) / due
                energies += (new[1] - old[1]) / (model.worst_energy_pj * due)
        return rates * energies if any_due else None

    def choose(scene: Scene) -> Choice | None:
        nonlocal search, points, point, begun_ns, check_ns, next_phase_ns, before
        now_ns = scene.now_ns
        if now_ns >= check_ns:
            restart = now_ns >= next_phase_ns
            cost = None if restart else window_cost(scene.outcome, now_ns)
            if cost is None and not restart:
                check_ns = int(min(now_ns + WINDOW_NS, next_phase_ns))
            else:
                if cost is not None and search.settled and cost > 1.5 * search.accepted:
                    restart = True
                if restart:
                    starts = scene.outcome.part_starts_ns
                    next_phase_ns = min(
                        (start for start in starts if start > now_ns), default=float("inf")
                    )
                    search = Search()
                    points = search.points()
                    point = next(points)
                else:
                    point = points.send(cost or 0.0)
                scene.outcome.tuned.append(point)
                begun_ns = now_ns
                before = measures(scene.outcome, now_ns)
                check_ns = int(min(now_ns + WINDOW_NS, next_phase_ns))
        plus = dream_plus(
            dram_pj_per_byte, alpha=point[0], beta=point[1], late_urgency=late_urgency
        )
        return plus(scene)

    return choose
