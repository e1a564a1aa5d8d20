"""The reports of suites, in Markdown: one of each, and the page of all."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from dream_gym.analysis.measures.statistics import LEAST_UNITS, Interval
from dream_gym.analysis.report.markdown import block, code, escape
from dream_gym.analysis.report.outcome import RIVAL, RULE, Outcome
from dream_gym.analysis.report.suite_plots import plot_profiles, plot_ranking, plot_sustained
from dream_gym.analysis.report.suite_tables import published_table, suite_tables, sweeps
from dream_gym.analysis.report.summary import with_interval
from dream_gym.errors import DreamGymError
from dream_gym.files import write_text

BEST = "the best of DREAM's variants here"
MOST_SIGNS = 100
"""Of a suite's name in the name of a file."""

_HOW_TO_READ = """Lower UXCost is better. Simple rules order frames by one number (`fcfs`, `edf`,
`llf`, `sjf`, `evdf`); rivals are the other published schedulers; `dream_plus` is ours. Figures are
followed by their 95 % intervals [low, high], from a bootstrap of the seeds stratified by cell; all
policies face the same worlds, and ratios are taken run by run. They say how much a figure would
change with other seeds, not with other cells. A figure that is the same with every seed, because
the scenario draws nothing at random, as `drone_outdoor`, or by chance, has none. A rate that is 0
in every run, or 1, has that of Clopper and Pearson for the share of runs that would show anything
else: it takes runs to be independent, and nothing of the frames in a run, which are not, and so it
is wide where runs are few. The interquartile mean, the probability of improvement and the
performance profiles are those of rliable, but that resamples are shared by all policies, as the
worlds are.

A policy that is tuned has the best options of a grid, chosen cell by cell on training seeds and
judged on others. For suites with the roster `online`, the grids are in
`configs/rosters/online.yaml`; there `dream_online` has no time for more in 5 s than to try points
around its first: its figures are the price of the search, and the suite `online` has what it gains.
The best of many policies looks a little better than it is, because it was chosen by the very
figures that are shown. Why frames are violated is told by the rule of [misses.md](misses.md); what
the schedulers are, in [schedulers.md](schedulers.md)."""

_PUBLISHED = """## DREAM's published figures beside ours

DREAM's abstract says that it reduces UXCost by 32.2 % and 50.0 % in the geometric mean, and by up
to 80.8 % and 97.6 %, against two state-of-the-art baselines; we take the first for Planaria and the
second for Veltair, of which we are not sure. Ours, of the suites here where both sides play: the
first policy that is DREAM, and the best, with the best policy of each of the two:

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
    """The best simple rule and the best rival beside those that stand for DREAM."""
    roles: dict[str, str] = {}
    for policy in outcome.dreams:
        setting = f"DREAM's {code(outcome.schedulers[policy])} {escape(outcome.setting(policy))}"
        roles[policy] = BEST if roles else setting
    found = []
    for (dream, role), kind in itertools.product(roles.items(), (RULE, RIVAL)):
        other = outcome.best(kind)
        if other is not None:
            ours, theirs = outcome.scores(other, "uxcost"), outcome.scores(dream, "uxcost")
            ratio = outcome.bootstrap.geometric_mean_ratio(ours, theirs)
            found.append(Comparison(kind, other, dream, role, ratio))
    return found


def verdict(outcome: Outcome) -> str:
    """Who beats DREAM, a simple rule or a rival, in Markdown, as far as the intervals allow."""
    sentences: dict[str, list[str]] = {}
    for item in comparisons(outcome):
        policy, (low, high) = code(item.policy), item.ratio.ends
        if high < 1:
            says = f"the {item.kind} {policy} beats it, at"
        elif low > 1:
            says = f"no {item.kind} beats it, the best being {policy} at"
        else:
            says = f"the best {item.kind}, {policy}, cannot be told from it, at"
        says += f" {with_interval(item.ratio)} times its UXCost"
        sentences.setdefault(f"{code(item.dream)}, {item.role}", []).append(says)
    if not sentences:
        return ""
    told = ". ".join(f"{who}: {'; '.join(says)}" for who, says in sentences.items())
    return f"On {code(outcome.name)}: {told}."


def summary(outcomes: Sequence[Outcome]) -> str:
    """On which suites DREAM is beaten, and by what kind of policy."""
    beaten: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        for item in comparisons(outcome):
            where = beaten.setdefault((item.role, item.kind), [])
            if item.ratio.ends[1] < 1:
                where.append(code(outcome.name))
    return " ".join(
        f"A {kind} has less UXCost than {role} {'on ' + ', '.join(where) if where else 'nowhere'}."
        for (role, kind), where in beaten.items()
    )


def told_apart(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same outcomes; suites of one name are called by their folders, too."""
    names = [outcome.name for outcome in outcomes]
    return [
        replace(outcome, given_name=f"{outcome.name} ({outcome.folder})")
        if names.count(outcome.name) > 1
        else outcome
        for outcome in outcomes
    ]


def file_stems(names: Sequence[str]) -> list[str]:
    """Names for files after the names of suites, of which no two are one file anywhere."""
    stems: list[str] = []
    for name in names:
        stem = re.sub(r"[^\w.-]+", "_", name).strip("_")[:MOST_SIGNS]
        taken = {other.casefold() for other in stems}
        numbered = (f"{stem}_{number}" for number in itertools.count(2))
        stems.append(
            next(s for s in itertools.chain([stem], numbered) if s.casefold() not in taken)
        )
    return stems


def suite_section(outcome: Outcome, images: Path, stem: str, *, relative_to: Path) -> str:
    """The section on one suite; draws its figures.

    Args:
        outcome: What was measured.
        images: Folder for the figures.
        stem: What their names begin with.
        relative_to: The folder of the page.

    Raises:
        DreamGymError: There is but one seed.
    """
    check_seeds(outcome)
    pictures = {"uxcost": plot_ranking, "profiles": plot_profiles}
    if sweeps(outcome):
        pictures["sustained"] = plot_sustained
    suite = outcome.about["suite"]
    read_from = f" Read from {code(str(outcome.folder))}." if outcome.folder else ""
    parts = [
        f"## {escape(outcome.name)}\n\n{suite['description']}. {len(outcome.titles)} cells, "
        f"{len(outcome.policies)} policies, {outcome.seeds} seeds from "
        f"{outcome.about['seeds']['first']} × {suite['seconds']:g} s.{read_from}",
        *filter(None, (suite["notes"], verdict(outcome))),
    ]
    for name, plot in pictures.items():
        path = images / f"{stem}_{name}.png"
        title = plot(outcome, path)
        parts.append(f"![{escape(title)}]({path.relative_to(relative_to).as_posix()})")
    command = block(outcome.about["command"], "sh")
    for table in suite_tables(outcome):
        parts += [f"**{escape(table.title)}**", table.markdown(), command]
    return "\n\n".join(parts)


def check_seeds(outcome: Outcome) -> None:
    """Refuse figures that can have no interval.

    Raises:
        DreamGymError: There is but one seed.
    """
    if outcome.seeds < LEAST_UNITS:
        raise DreamGymError(
            f"{outcome.name}: one seed gives no intervals, and without them nothing is reported"
        )


def write_report(outcome: Outcome, folder: Path) -> None:
    """Write the report of one suite and its figures into a folder."""
    (stem,) = file_stems([outcome.name])
    section = suite_section(outcome, folder, stem, relative_to=folder)
    write_text(folder / "report.md", f"# Results\n\n{section}\n\nVersions: {_versions(outcome)}.\n")


def write_page(outcomes: Sequence[Outcome], page: Path) -> None:
    """Write the page of all suites, with figures in ``images/results`` beside it."""
    images = page.parent / "images" / "results"
    outcomes = told_apart(outcomes)
    for outcome in outcomes:
        check_seeds(outcome)  # before the first figure is drawn
    stems = file_stems([outcome.name for outcome in outcomes])
    sections = [
        suite_section(outcome, images, stem, relative_to=page.parent)
        for outcome, stem in zip(outcomes, stems, strict=True)
    ]
    verdicts = "\n".join(f"* {text}" for text in map(verdict, outcomes) if text)
    made: dict[str, list[str]] = {}
    for outcome in outcomes:
        made.setdefault(_versions(outcome), []).append(code(outcome.name))
    which = "; ".join(f"{', '.join(names)} with {versions}" for versions, names in made.items())
    suites = (
        f"Suites here, each by the command under its tables: {which}. `make results` runs all that "
        "are shipped."
    )
    table = published_table(outcomes)
    published = _PUBLISHED.format(table=table.markdown()) if table else ""
    parts = ["# Results", summary(outcomes), verdicts, _HOW_TO_READ, suites, published, *sections]
    write_text(page, "\n\n".join(filter(None, parts)) + "\n")


def _versions(outcome: Outcome) -> str:
    return ", ".join(f"{name} {version}" for name, version in outcome.about["versions"].items())
