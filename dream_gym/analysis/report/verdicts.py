"""What a suite says in words, as far as its intervals allow: who is best, and who beats whom."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Sequence
from typing import NamedTuple

from dream_gym.analysis.measures.statistics import Interval
from dream_gym.analysis.report.markdown import code, escape
from dream_gym.analysis.report.outcome import DEFAULTS, FAMILIES, Outcome
from dream_gym.analysis.report.summary import percent, with_interval
from dream_gym.analysis.report.tables import counted
from dream_gym.schedulers import Family

MOST_NAMED = 5
"""Policies that a sentence names; of more it gives the number."""


def verdict(outcome: Outcome) -> str:
    """Which policy is best, by how much, and where it is not, in Markdown."""
    best, *others = outcome.ranking
    boot = outcome.bootstrap
    multiple = with_interval(boot.geometric_mean(outcome.scores(best)))
    what = f"{multiple} times its bound in runs of {outcome.seconds}"
    text = f"On {code(outcome.name)}: {code(best)} has the least UXCost, {what}"
    if others and boot.enough:
        text += _lead(outcome, best, others)
    elif others:
        text += f"; {outcome.seeds} seeds are too few to say whom it beats"
    violated = boot.rate(outcome.scores(best, "violation_rate"))
    energy = boot.geometric_mean(outcome.scores(best, "energy_multiple"))
    power = boot.amount(outcome.scores(best, "power_mw"))
    text += (
        f". It violates {percent(violated)} of the frames, with {with_interval(energy)} times the "
        f"least energy, {with_interval(power)} mW"
    )
    return f"{text}.{_where_first(outcome) if others else ''}"


def _lead(outcome: Outcome, best: str, others: Sequence[str]) -> str:
    ratios = {policy: _ratio(outcome, best, policy) for policy in others}
    level = [policy for policy, ratio in ratios.items() if not _below_one(ratio)]
    beaten = [policy for policy in others if policy not in level]
    text = ""
    if level:
        ratio = with_interval(ratios[level[0]])
        text += f"; it cannot be told from {_named(level)}, with {ratio} of {_whose(level)} UXCost"
    if beaten:
        ratio = with_interval(ratios[beaten[0]])
        whom = "all others" if not level else "the others"
        text += f"; it beats {whom}, the next being {code(beaten[0])}, with {ratio} of its UXCost"
    return text


def _where_first(outcome: Outcome) -> str:
    """On how many cells the best policy is first, and who is, or where, on the others."""
    best, cells = outcome.ranking[0], len(outcome.titles)
    elsewhere = [index for index, first in enumerate(outcome.firsts) if first != best]
    text = f" It is first on {cells - len(elsewhere)} of {cells} cells"
    if not elsewhere:
        return f"{text}."
    if len(elsewhere) <= MOST_NAMED:
        named = (f"{code(outcome.firsts[i])} on {escape(outcome.titles[i])}" for i in elsewhere)
        return f"{text}; elsewhere: {'; '.join(named)}."
    counts = collections.Counter(outcome.firsts[index] for index in elsewhere).most_common()
    named = (f"{code(policy)} ({count})" for policy, count in counts[:MOST_NAMED])
    left = len(counts) - MOST_NAMED
    more = f" and {counted(left, 'other')}" if left > 0 else ""
    return f"{text}; elsewhere {', '.join(named)}{more} are."


def _below_one(ratio: Interval) -> bool:
    """Whether all of an interval is below 1, to the three digits that are shown."""
    return float(f"{ratio.ends[1]:.3g}") < 1


def _named(policies: Sequence[str]) -> str:
    if len(policies) > MOST_NAMED:
        return f"{code(policies[0])} and {len(policies) - 1} others"
    return ", ".join(map(code, policies))


def _whose(policies: Sequence[str]) -> str:
    return "its" if len(policies) == 1 else "the first one's"


def _ratio(outcome: Outcome, policy: str, other: str) -> Interval:
    """UXCost of one policy over that of another, geometric mean."""
    ours, theirs = outcome.scores(policy, "uxcost"), outcome.scores(other, "uxcost")
    return outcome.bootstrap.geometric_mean_ratio(ours, theirs)


def representatives(outcome: Outcome, family: Family) -> list[str]:
    """The policies that represent a family: its first, if possible one with defaults, and its best.

    One policy if both are the same, and none if the family has no policy in the outcome.
    """
    members = [policy for policy in outcome.policies if outcome.families[policy] == family]
    plain = [policy for policy in members if outcome.setting(policy) == DEFAULTS]
    best = [policy for policy in outcome.ranking if policy in members]
    return list(dict.fromkeys([*(plain or members)[:1], *best[:1]]))


class Comparison(NamedTuple):
    """How the best policy of another family compares with one that represents a family.

    Args:
        family: Whose best policy it is.
        policy: Its name.
        standard: The policy that it is compared with.
        role: The role of the latter in its family.
        ratio: UXCost of the former over that of the latter, geometric mean.
    """

    family: Family
    policy: str
    standard: str
    role: str
    ratio: Interval


def comparisons(outcome: Outcome, family: Family, others: Sequence[Family]) -> list[Comparison]:
    """The best policies of other families, compared with those that represent one.

    None where there are too few seeds for intervals.
    """
    if not outcome.bootstrap.enough:
        return []
    roles: dict[str, str] = {}
    for policy in representatives(outcome, family):
        setting = f"{code(outcome.schedulers[policy])} {escape(outcome.setting(policy))}"
        roles[policy] = (
            f"the best of {FAMILIES[family]} here" if roles else f"{FAMILIES[family]}'s {setting}"
        )
    found = []
    for (standard, role), other in itertools.product(roles.items(), others):
        best = outcome.best(other)
        if best is not None:
            ratio = _ratio(outcome, best, standard)
            found.append(Comparison(other, best, standard, role, ratio))
    return found


def challenge(outcome: Outcome, family: Family, others: Sequence[Family]) -> str:
    """Which of the other families beat a family, in Markdown; empty if nobody can be compared."""
    sentences: dict[str, list[str]] = {}
    for item in comparisons(outcome, family, others):
        policy, (low, high), kind = code(item.policy), item.ratio.ends, FAMILIES[item.family]
        if high < 1:
            says = f"the {kind} {policy} beats it, at"
        elif low > 1:
            says = f"no {kind} beats it, the best being {policy} at"
        else:
            says = f"the best {kind}, {policy}, cannot be told from it, at"
        says += f" {with_interval(item.ratio)} times its UXCost"
        sentences.setdefault(f"{code(item.standard)}, {item.role}", []).append(says)
    if not sentences:
        return ""
    told = ". ".join(f"{who}: {'; '.join(says)}" for who, says in sentences.items())
    return f"On {code(outcome.name)}: {told}."


def where_beaten(outcomes: Sequence[Outcome], family: Family, others: Sequence[Family]) -> str:
    """On which suites other families beat a family."""
    beaten: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        for item in comparisons(outcome, family, others):
            where = beaten.setdefault((item.role, FAMILIES[item.family]), [])
            if item.ratio.ends[1] < 1:
                where.append(code(outcome.name))
    return " ".join(
        f"A {kind} has less UXCost than {role} {'on ' + ', '.join(where) if where else 'nowhere'}."
        for (role, kind), where in beaten.items()
    )
