"""The reports of suites, in Markdown: one of each, and the page of all."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dream_gym.analysis.outcome import DREAM, SIMPLE, Outcome
from dream_gym.analysis.report import with_interval
from dream_gym.analysis.statistics import Interval
from dream_gym.analysis.suite_plots import plot_profiles, plot_ranking, plot_sustained
from dream_gym.analysis.suite_tables import published_table, suite_tables, sweeps
from dream_gym.errors import DreamGymError
from dream_gym.files import file_name, write_text

LEAST_SEEDS = 2
RULE, RIVAL = "simple rule", "rival"
DEFAULTS, BEST = "DREAM with its defaults", "the best of DREAM's variants here"

_HOW_TO_READ = """Lower UXCost is better. Simple rules order frames by one number (`fcfs`, `edf`,
`llf`, `sjf`, `evdf`); rivals are the other published schedulers; `dream_plus` is ours. Every figure
is followed by its 95 % interval [low, high], from a bootstrap of the seeds stratified by cell; all
policies face the same worlds, and ratios are taken run by run. It says how much the figure would
change with other seeds, not with other cells: where a scenario draws nothing at random, as
`drone_outdoor`, or hardly anything, it has no width. The interquartile mean, the probability of
improvement and the performance profiles are those of rliable, but that resamples are shared by all
policies, as the worlds are.

A policy called *tuned* has the best options of a grid, chosen cell by cell on training seeds and
judged on others; all others have the options of their names and defaults. The grids are in
`configs/rosters/online.yaml`. `dream_online` has no time for more in 5 s than to try points around
its first: its figures here are the price of the search, and the suite `online` has what it gains.
The best of many policies looks a little better than it is, because it was chosen by the very
figures that are shown. Why frames are violated is told by the rule of [misses.md](misses.md); what
the schedulers are, in [schedulers.md](schedulers.md)."""

_PUBLISHED = """## DREAM's published figures beside ours

DREAM's abstract says that it reduces UXCost by 32.2 % and 50.0 % in the geometric mean, and by up
to 80.8 % and 97.6 %, against two state-of-the-art baselines; we take the first for Planaria and the
second for Veltair, of which we are not sure. Ours, with Veltair at the best of 21 settings for each
cell, and Planaria, which has none:

{table}

*Up to* is the best of all cells, picked by its own figure. The loads of `contended` come from a
calibration that looks for loads at which FCFS misses deadlines and EDF or `dream_mapscore` does not
([calibration.md](calibration.md)): there DREAM's defaults meet nearly all deadlines because the
load was chosen so, and the large reductions are those of a load that suits DREAM. `asplos23` and
`sweep` choose nothing in that way.

What differs: DREAM, Planaria and Veltair are reconstructions, the last two adapted to layers that
are dispatched whole to accelerators that can be neither split nor joined, so that they lack what
made them strong on their own hardware; the networks, rates and platforms are partly ours
([fidelity.md](fidelity.md)); the cost model may be another; lost frames are charged; and we do not
know at which loads the paper measured: at nominal rates many of our cells are uncontended, and
nearly everybody meets nearly every deadline. A negative reduction means that DREAM's UXCost is
higher."""


class Comparison(NamedTuple):
    """How the best policy of a kind compares with one of DREAM's.

    Args:
        kind: What kind it is of.
        policy: Its name.
        dream: The policy of DREAM.
        role: What that is among DREAM's.
        ratio: UXCost of the former over that of the latter, geometric mean.
    """

    kind: str
    policy: str
    dream: str
    role: str
    ratio: Interval


def comparisons(outcome: Outcome) -> list[Comparison]:
    """The best simple rule and the best rival beside DREAM's defaults and its best variant."""
    best = outcome.best(DREAM)
    if best is None:
        return []
    default = next(p for p in outcome.policies if outcome.schedulers[p] in DREAM)
    roles = {default: DEFAULTS}
    roles.setdefault(best, BEST)
    found = []
    for (dream, role), (kind, schedulers) in itertools.product(
        roles.items(), ((RULE, SIMPLE), (RIVAL, outcome.rivals))
    ):
        policy = outcome.best(schedulers)
        if policy is not None:
            ours, theirs = outcome.scores(policy, "uxcost"), outcome.scores(dream, "uxcost")
            ratio = outcome.bootstrap.geometric_mean_ratio(ours, theirs)
            found.append(Comparison(kind, policy, dream, role, ratio))
    return found


def verdict(outcome: Outcome) -> str:
    """Who beats DREAM, a simple rule or a rival, in words, as far as the intervals allow."""
    sentences: dict[str, list[str]] = {}
    for item in comparisons(outcome):
        if item.ratio.high < 1:
            says = f"the {item.kind} `{item.policy}` beats it, at"
        elif item.ratio.low > 1:
            says = f"no {item.kind} beats it, the best being `{item.policy}` at"
        else:
            says = f"the best {item.kind}, `{item.policy}`, cannot be told from it, at"
        says += f" {with_interval(item.ratio)} times its UXCost"
        sentences.setdefault(f"`{item.dream}`, {item.role}", []).append(says)
    if not sentences:
        return ""
    told = ". ".join(f"{who}: {'; '.join(says)}" for who, says in sentences.items())
    return f"On `{outcome.name}`: {told}."


def summary(outcomes: Sequence[Outcome]) -> str:
    """On which suites DREAM is beaten, and by what kind of policy."""
    beaten: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        for item in comparisons(outcome):
            where = beaten.setdefault((item.role, item.kind), [])
            if item.ratio.high < 1:
                where.append(f"`{outcome.name}`")
    return " ".join(
        f"A {kind} has less UXCost than {role} {'on ' + ', '.join(where) if where else 'nowhere'}."
        for (role, kind), where in beaten.items()
    )


def suite_section(outcome: Outcome, images: Path, *, relative_to: Path) -> str:
    """The section on one suite; draws its figures.

    Args:
        outcome: What was measured.
        images: Folder for the figures.
        relative_to: The folder of the page.

    Raises:
        DreamGymError: There is but one seed, hence no interval.
    """
    check_seeds(outcome)
    suite = outcome.about["suite"]
    pictures = {"uxcost": plot_ranking, "profiles": plot_profiles}
    if sweeps(outcome):
        pictures["sustained"] = plot_sustained
    parts = [
        f"## {outcome.name}\n\n{suite['description']}. {len(outcome.titles)} cells, "
        f"{len(outcome.policies)} policies, {outcome.seeds} seeds from "
        f"{outcome.about['seeds']['first']} × {suite['seconds']:g} s.",
        *filter(None, (suite["notes"], verdict(outcome))),
    ]
    for name, plot in pictures.items():
        path = images / f"{file_name(outcome.name)}_{name}.png"
        title = plot(outcome, path)
        parts.append(f"![{title}]({path.relative_to(relative_to).as_posix()})")
    command = f"```sh\n{outcome.about['command']}\n```"
    for table in suite_tables(outcome):
        parts += [table.markdown(), command]
    return "\n\n".join(parts)


def check_seeds(outcome: Outcome) -> None:
    """Refuse figures that can have no interval.

    Raises:
        DreamGymError: There is but one seed.
    """
    if outcome.seeds < LEAST_SEEDS:
        raise DreamGymError(
            f"{outcome.name}: one seed gives no intervals, and without them nothing is reported"
        )


def write_report(outcome: Outcome, folder: Path) -> None:
    """Write the report of one suite and its figures into a folder."""
    section = suite_section(outcome, folder, relative_to=folder)
    write_text(folder / "report.md", f"# Results\n\n{section}\n\nVersions: {_versions(outcome)}.\n")


def write_page(outcomes: Sequence[Outcome], page: Path) -> None:
    """Write the page of all suites, with figures in ``images/results`` beside it."""
    images = page.parent / "images" / "results"
    verdicts = "\n".join(f"* {text}" for text in map(verdict, outcomes) if text)
    sections = [suite_section(outcome, images, relative_to=page.parent) for outcome in outcomes]
    measured = [outcome for outcome in outcomes if outcome.name in ("asplos23", "contended")]
    published = _PUBLISHED.format(table=published_table(measured).markdown())
    made: dict[str, list[str]] = {}
    for outcome in outcomes:
        made.setdefault(_versions(outcome), []).append(f"`{outcome.name}`")
    which = "; ".join(f"{', '.join(names)} with {versions}" for versions, names in made.items())
    suites = (
        f"Suites here, each by the command under its tables: {which}. `make results` runs all that "
        "there are."
    )
    parts = ["# Results", summary(outcomes), verdicts, _HOW_TO_READ, suites, published, *sections]
    write_text(page, "\n\n".join(parts) + "\n")


def _versions(outcome: Outcome) -> str:
    return ", ".join(f"{name} {version}" for name, version in outcome.about["versions"].items())
