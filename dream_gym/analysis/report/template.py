"""Templates of pages: Markdown in which ``{{NAME WORDS}}`` stands for what the figures say.

| placeholder | stands for |
|---|---|
| ``{{opening}}`` | who is best on the first suite, and its first picture |
| ``{{verdicts}}`` | who is best, suite by suite |
| ``{{beaten FAMILY OTHERS}}`` | where other families beat a family |
| ``{{challenges FAMILY OTHERS}}`` | by how much, suite by suite |
| ``{{reductions FAMILY SCHEDULERS}}`` | a table: what a family saves over schedulers |
| ``{{reading}}`` | how figures and intervals are to be read |
| ``{{suites}}`` | which suites there are, and the versions that made them |
| ``{{sections}}`` | a section on each suite |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import cast, get_args

from dream_gym.analysis.report.markdown import code
from dream_gym.analysis.report.outcome import Outcome
from dream_gym.analysis.report.reductions import reduction_table
from dream_gym.analysis.report.verdicts import challenge, verdict, where_beaten
from dream_gym.errors import ConfigError, hint
from dream_gym.schedulers import Family

DEFAULT = "# Results\n\n{{opening}}\n\n{{verdicts}}\n\n{{reading}}\n\n{{suites}}\n\n{{sections}}\n"
_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")

_READING = """\
Lower UXCost is better. It is (sum over models of the share of frames violated, or half a frame
where none is) × (sum over models of energy ÷ worst-case energy), and its bound has no violation and
the least energy. The floor of half a frame makes UXCost, and every multiple of its bound, depend on
the length of the runs; its energies are relative to the platform's own worst case. So policies are
ranked by it on the same cells and in runs of the same length; platforms, and runs of other length,
are compared by violations and power. Where a policy may choose lighter variants of a Supernet it
may be below the bound, and the bound with lightest variants stands beside it.

Figures are followed by their 95 % intervals [low, high]. Where workloads are drawn at random, as in
`generated`, they are resampled, each with all its seeds, and intervals are about workloads in
general. Elsewhere seeds are resampled within each cell: intervals say how much a figure would
change with other seeds, not with other cells. All policies face the same worlds, and ratios are
taken run by run. Means have bootstrap-t intervals, geometric means those of the logarithms; other
figures those of percentiles. A figure of fewer than four units has none, nor has one that is the
same with every seed, because the scenario draws nothing at random or by chance. A rate that is 0 in
every run, or 1, has that of Clopper and Pearson for the share of runs that would show anything
else: it takes runs to be independent, and nothing of the frames in a run, which are not, and so it
is wide where runs are few. The interquartile mean and the performance profiles are those of
rliable, but that resamples are shared by all policies, as the worlds are; the probability of
improvement compares runs in the same world. Response times count from when the input of a chain of
models is due to the end of the frame.

A policy that is tuned has the best options of a grid, chosen cell by cell on training seeds and
judged on others. The best of many policies looks a little better than it is, because it was chosen
by the very figures that are shown."""


def fill(
    template: str,
    outcomes: Sequence[Outcome],
    opening: Callable[[], str],
    sections: Callable[[], str],
) -> str:
    """Fill in a template from outcomes.

    Args:
        template: The template.
        outcomes: What was measured.
        opening: Writes what is first.
        sections: Writes the sections on the suites.

    Raises:
        ConfigError: A placeholder is unknown, or its words are.
    """
    makers: dict[str, Callable[[list[str]], str]] = {
        "opening": lambda words: opening(),
        "verdicts": lambda words: _bullets(map(verdict, outcomes)),
        "beaten": lambda words: where_beaten(outcomes, *_families(words)),
        "challenges": lambda words: _bullets(
            challenge(outcome, *_families(words)) for outcome in outcomes
        ),
        "reductions": lambda words: _reductions(outcomes, words),
        "reading": lambda words: _READING,
        "suites": lambda words: _suites(outcomes),
        "sections": lambda words: sections(),
    }

    def value(found: re.Match[str]) -> str:
        name, *words = found[1].split() or [""]
        if name not in makers:
            raise ConfigError(f"template: {found[0]} is unknown; {hint(name, makers)}")
        return makers[name](words)

    return _PLACEHOLDER.sub(value, template)


def versions(outcome: Outcome) -> str:
    """The versions that made an outcome."""
    return ", ".join(f"{name} {version}" for name, version in outcome.about["versions"].items())


def _bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"* {text}" for text in texts if text)


def _families(words: Sequence[str]) -> tuple[Family, list[Family]]:
    """A family and the others that are compared with it."""
    known = get_args(Family)
    for word in words:
        if word not in known:
            raise ConfigError(f"template: {word!r} is no family; {hint(word, known)}")
    if len(words) < 2:
        raise ConfigError("template: expected a family and others to compare with it")
    family, *others = cast("list[Family]", words)
    return family, others


def _reductions(outcomes: Sequence[Outcome], words: Sequence[str]) -> str:
    if len(words) < 2:
        raise ConfigError("template: reductions: expected a family and ids of schedulers")
    (family, _), schedulers = _families([words[0], words[0]]), words[1:]
    table = reduction_table(outcomes, family, schedulers)
    return table.markdown() if table else "*Nobody to compare.*"


def _suites(outcomes: Sequence[Outcome]) -> str:
    made: dict[str, list[str]] = {}
    for outcome in outcomes:
        made.setdefault(versions(outcome), []).append(code(outcome.name))
    which = "; ".join(f"{', '.join(names)} with {which}" for which, names in made.items())
    return f"Suites here, each by the command under its tables: {which}."
