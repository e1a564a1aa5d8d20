"""DREAM's online tuner: a search for alpha and beta, one window of the run at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from tests.reference.decision import Choice, Moment
from tests.reference.dream import Dream
from tests.reference.frames import NS_PER_S

WINDOW_NS = NS_PER_S
CENTRE = (1.0, 1.0)
STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # of alpha and beta

Point = tuple[float, float]


class Online:
    """DREAM at the point of the present window."""

    def __init__(self, dream: Dream) -> None:
        self.dream = dream
        self.search: Search | None = None

    def __call__(self, moment: Moment) -> Choice | None:
        self._tune(moment)
        return self.dream(moment)

    def _tune(self, moment: Moment) -> None:
        now_ns = moment.now_ns
        if self.search is None or now_ns >= self.search.phase_end_ns:
            self._begin_search(moment)
        elif now_ns >= self.window_end_ns:
            uxcost = moment.outcome.window_uxcost(self.window_start_ns, now_ns)
            if uxcost is None:  # nothing was due: more of the same
                self.window_end_ns = now_ns + WINDOW_NS
            elif self.search.goes_on_after(uxcost):
                self._begin_window(now_ns)
                moment.remark("tuner moved")
            else:
                moment.remark("tuner restarted")
                self._begin_search(moment)

    def _begin_search(self, moment: Moment) -> None:
        starts = [at for at in moment.outcome.part_starts_ns if at > moment.now_ns]
        self.search = Search(min(starts, default=float("inf")))
        self._begin_window(moment.now_ns)

    def _begin_window(self, now_ns: int) -> None:
        assert self.search is not None
        self.window_start_ns, self.window_end_ns = now_ns, now_ns + WINDOW_NS
        alpha, beta = self.search.point
        self.dream = dataclasses.replace(self.dream, alpha=alpha, beta=beta)


class Search:
    """From the centre to ever closer points around the best so far; then it stays there."""

    def __init__(self, phase_end_ns: float) -> None:
        self.phase_end_ns = phase_end_ns
        self.accepted = self.last = 0.0  # UXCost of the centre's window and of the last one
        self.settled = False
        self._points = self._search()
        self.point = next(self._points)

    def goes_on_after(self, uxcost: float) -> bool:
        """Take note of a window; whether the search is not to be begun anew."""
        if self.settled:
            return uxcost <= 1.5 * self.accepted
        self.last = uxcost
        self.point = next(self._points)
        return True

    def _search(self) -> Iterator[Point]:
        centre = CENTRE
        yield centre
        self.accepted = self.last
        radius = 0.5
        while radius >= 0.05:
            found: list[tuple[float, Point]] = []
            for step in STEPS:
                alpha, beta = (
                    min(max(at + radius * sign, 0.0), 2.0)
                    for at, sign in zip(centre, step, strict=True)
                )
                yield alpha, beta
                found.append((self.last, (alpha, beta)))
            uxcost, point = min(found, key=lambda item: item[0])  # the first of equals
            if uxcost < self.accepted:
                self.accepted, centre = uxcost, point
            radius /= 2
        self.settled = True
        yield centre
