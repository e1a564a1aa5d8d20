"""The reports of suites, in Markdown: one of each, and the page of several."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dream_gym.analysis.report.markdown import block, code, escape
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.report.pictures.suite_plots import (
    PLANE,
    plot_plane,
    plot_profiles,
    plot_sustained,
)
from dream_gym.analysis.report.suite_tables import suite_tables
from dream_gym.analysis.report.tables import counted
from dream_gym.analysis.report.template import DEFAULT, fill, versions
from dream_gym.analysis.report.verdicts import verdict
from dream_gym.analysis.report.where_tables import sweeps, where_tables
from dream_gym.errors import DreamGymError
from dream_gym.files import write_text

NO_INTERVALS = "one seed gives no intervals, and without them nothing is reported"
REPORT = "report.md"
MOST_SIGNS = 100
"""Characters of a suite's name that go into the name of a file."""


def told_apart(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same outcomes; suites of the same name get their folders added to it."""
    names = [outcome.name for outcome in outcomes]
    return [
        replace(outcome, given_name=f"{outcome.name} ({outcome.folder})")
        if names.count(outcome.name) > 1
        else outcome
        for outcome in outcomes
    ]


def file_stems(names: Sequence[str]) -> list[str]:
    """Names for files after the names of suites; they are different files on every system."""
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
    suite = outcome.about["suite"]
    read_from = f" Read from {code(str(outcome.folder))}." if outcome.folder else ""
    description = f"{suite['description']}. " if suite["description"].strip() else ""
    parts = [
        f"## {escape(outcome.name)}\n\n{description}{counted(len(outcome.titles), 'cell')}, "
        f"{len(outcome.policies)} policies, {outcome.seeds} seeds from "
        f"{outcome.about['seeds']['first']} × {outcome.seconds}.{read_from}",
        *filter(None, (suite["notes"], verdict(outcome))),
    ]
    for name, plot in _pictures(outcome).items():
        path = images / f"{stem}_{name}.png"
        title = plot(outcome, path)
        parts.append(f"![{escape(title)}]({_link(path, relative_to)})")
    command = block(outcome.about["command"], "sh")
    for table in [*suite_tables(outcome), *where_tables(outcome)]:
        parts += [f"**{escape(table.title)}**", table.markdown(), command]
    return "\n\n".join(parts)


def _link(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def check_seeds(outcome: Outcome) -> None:
    """Refuse figures that cannot have an interval.

    Raises:
        DreamGymError: There is but one seed.
    """
    if not outcome.has_intervals:
        raise DreamGymError(f"{outcome.name}: {NO_INTERVALS}")


def report_files(outcome: Outcome) -> list[str]:
    """The names of the files that `write_report` writes; the table of the outcome is not read."""
    if not outcome.has_intervals:
        return [REPORT]
    (stem,) = file_stems([outcome.name])
    return [REPORT, *(f"{stem}_{name}.png" for name in _pictures(outcome))]


def write_report(outcome: Outcome, folder: Path) -> None:
    """Write the report of one suite and its figures into a folder.

    With one seed nothing is reported. The report says so, and replaces that of an earlier run.
    """
    if not outcome.has_intervals:
        text = f"{escape(outcome.name)}: {NO_INTERVALS}."
    else:
        (stem,) = file_stems([outcome.name])
        section = suite_section(outcome, folder, stem, relative_to=folder)
        text = f"{section}\n\nVersions: {versions(outcome)}."
    write_text(folder / REPORT, f"# Results\n\n{text}\n")


def _pictures(outcome: Outcome) -> Mapping[str, Callable[[Outcome, Path], str]]:
    """The functions that draw the figures of a suite, by the ends of the figures' names."""
    pictures = {"plane": plot_plane, "profiles": plot_profiles}
    return pictures | ({"sustained": plot_sustained} if sweeps(outcome) else {})


def write_page(outcomes: Sequence[Outcome], page: Path, template: str = DEFAULT) -> None:
    """Write the page of several suites, with figures in ``images/results`` beside it.

    Args:
        outcomes: What was measured.
        page: The page.
        template: What it says around its figures, see `dream_gym.analysis.report.template`.

    Raises:
        ConfigError: The template asks for something unknown.
        DreamGymError: There is but one seed.
    """
    images = page.parent / "images" / "results"
    outcomes = told_apart(outcomes)
    for outcome in outcomes:
        check_seeds(outcome)  # before the first figure is drawn
    stems = file_stems([outcome.name for outcome in outcomes])

    def opening() -> str:
        picture = images / f"{stems[0]}_plane.png"
        title = escape(PLANE)
        return f"{verdict(outcomes[0])}\n\n![{title}]({_link(picture, page.parent)})"

    def sections() -> str:
        return "\n\n".join(
            suite_section(outcome, images, stem, relative_to=page.parent)
            for outcome, stem in zip(outcomes, stems, strict=True)
        )

    write_text(page, fill(template, outcomes, opening, sections))
