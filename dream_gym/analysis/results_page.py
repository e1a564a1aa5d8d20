"""The reports of suites, in Markdown: one of each, and the page of all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dream_gym.analysis.outcome import DREAM, SIMPLE, Outcome
from dream_gym.analysis.report import with_interval
from dream_gym.analysis.suite_plots import plot_profiles, plot_ranking, plot_sustained
from dream_gym.analysis.suite_tables import published_table, suite_tables, sweeps
from dream_gym.errors import DreamGymError
from dream_gym.files import write_text

LEAST_SEEDS = 2

_HOW_TO_READ = """Lower UXCost is better. Every figure is followed by its 95 % interval [low, high],
from a bootstrap of the seeds stratified by cell; all policies face the same worlds, and ratios are
taken run by run. The interquartile mean, the probability of improvement and the performance
profiles are those of rliable. What has options was tuned cell by cell on training seeds, and is
judged on others. Why frames are violated is told by the rule of [misses.md](misses.md); what the
schedulers are, in [schedulers.md](schedulers.md). The best of many policies looks a little better
than it is, because it was chosen by the very figures that are shown."""

_PUBLISHED = """## DREAM's published figures beside ours

DREAM's abstract says that it reduces UXCost by 32.2 % and 50.0 % in the geometric mean, and by up
to 80.8 % and 97.6 %, against two state-of-the-art baselines; we take the first for Planaria and the
second for Veltair, of which we are not sure. Ours, with the opponents at their best settings:

{table}

What differs: DREAM, Planaria and Veltair are reconstructions, the last two adapted to layers that
are dispatched whole to accelerators that can be neither split nor joined, so that they lack what
made them strong on their own hardware; the networks, rates and platforms are partly ours
([fidelity.md](fidelity.md)); the cost model may be another; lost frames are charged; and we do not
know at which loads the paper measured: at nominal rates many of our cells are uncontended, and
nearly everybody meets nearly every deadline. A negative reduction means that DREAM's UXCost is
higher."""


def verdict(outcome: Outcome) -> str:
    """Whether a simple rule beats DREAM, in words, as far as the intervals allow."""
    simple, dream = outcome.best(SIMPLE), outcome.best(DREAM)
    if simple is None or dream is None:
        return ""
    sentences = []
    default = next(p for p in outcome.policies if outcome.schedulers[p] in DREAM)
    for opponent, what in (
        (default, "DREAM with its defaults"),
        (dream, "the best of DREAM's variants here"),
    ):
        ours, theirs = (outcome.scores(policy, "uxcost") for policy in (simple, opponent))
        ratio = outcome.bootstrap.geometric_mean_ratio(ours, theirs)
        if ratio.high < 1:
            says = f"the simple rule `{simple}` beats `{opponent}`, {what}"
        elif ratio.low > 1:
            says = f"no simple rule beats `{opponent}`, {what}; the best of them is `{simple}`"
        else:
            says = (
                f"the best simple rule, `{simple}`, and `{opponent}`, {what}, cannot be told apart"
            )
        sentences.append(f"{says}: it has {with_interval(ratio)} times the UXCost")
        if opponent == dream:
            break
    return f"On `{outcome.name}`, {'; '.join(sentences)}."


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
        f"{outcome.about['seeds']['first']} × {suite['seconds']:g} s.\n\n{verdict(outcome)}"
    ]
    for name, plot in pictures.items():
        path = images / f"{outcome.name}_{name}.png"
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
    versions = outcome.about["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    write_text(folder / "report.md", f"# Results\n\n{section}\n\nVersions: {told}.\n")


def write_page(outcomes: Sequence[Outcome], page: Path) -> None:
    """Write the page of all suites, with figures in ``images/results`` beside it."""
    images = page.parent / "images" / "results"
    first = " ".join(filter(None, map(verdict, outcomes)))
    sections = [suite_section(outcome, images, relative_to=page.parent) for outcome in outcomes]
    measured = [outcome for outcome in outcomes if outcome.name in ("asplos23", "contended")]
    published = _PUBLISHED.format(table=published_table(measured).markdown())
    versions = outcomes[0].about["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    which = ", ".join(f"`{outcome.name}`" for outcome in outcomes)
    made = (
        f"Suites here: {which}, each by the command under its tables, with {told}; "
        "`make results` runs all that there are."
    )
    parts = ["# Results", first, _HOW_TO_READ, made, published, *sections]
    write_text(page, "\n\n".join(parts) + "\n")
