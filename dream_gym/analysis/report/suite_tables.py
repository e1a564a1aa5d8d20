"""The tables over all cells of a suite: who is best, who misses what and why, what it costs."""

from __future__ import annotations

import functools

from dream_gym.analysis.measures.misses import CAUSES
from dream_gym.analysis.report.outcome import FAMILIES, Outcome
from dream_gym.analysis.report.summary import percent, with_interval
from dream_gym.analysis.report.tables import Name, TextTable

MOST_SHOWN = 7
"""Policies that figures and tables by cell have room for."""


def suite_tables(outcome: Outcome) -> list[TextTable]:
    """The tables over all cells of a suite."""
    return [
        cost_table(outcome),
        deadline_table(outcome),
        energy_table(outcome),
        cause_table(outcome),
    ]


def cost_table(outcome: Outcome) -> TextTable:
    """UXCost of every policy over all cells, best first."""
    first, boot = outcome.policies[0], outcome.bootstrap
    baseline = outcome.scores(first, "uxcost")
    bounds = {"lower bound": "multiple"}
    if has_supernets(outcome):
        bounds["bound with lightest variants"] = "multiple_lightest"
    rows = []
    for policy in outcome.ranking:
        cost = outcome.scores(policy, "uxcost")
        multiples = [boot.geometric_mean(outcome.scores(policy, name)) for name in bounds.values()]
        itself = policy == first
        rows.append(
            (
                Name(policy),
                *map(with_interval, multiples),
                "1" if itself else with_interval(boot.geometric_mean_ratio(cost, baseline)),
                with_interval(boot.iqm(outcome.scores(policy))),
                "" if itself else percent(boot.probability_of_improvement(cost, baseline)),
                str(outcome.firsts.count(policy)),
            )
        )
    headings = (
        "policy",
        *(f"UXCost ÷ {name}, geometric mean" for name in bounds),
        f"UXCost ÷ that of {first}, geometric mean",
        "UXCost ÷ lower bound, interquartile mean",
        f"probability of improvement on {first}",
        f"first on, of {len(outcome.titles)} cells",
    )
    return TextTable(f"UXCost of runs of {outcome.seconds}", headings, tuple(rows))


def has_supernets(outcome: Outcome) -> bool:
    """Whether a Supernet may switch anywhere, so that a policy may be below the lower bound."""
    first = outcome.policies[0]
    plain, lightest = (outcome.scores(first, f"lower_bound{which}") for which in ("", "_lightest"))
    return bool((plain != lightest).any())


def deadline_table(outcome: Outcome) -> TextTable:
    """What every policy does to deadlines, over all cells."""
    shares = {
        "violated": "violation_rate",
        "lost": "lost_rate",
        "useless work": "useless_share",
    }
    responses = {f"response {which}": f"response_{which}" for which in ("p50", "p99", "max")}
    lateness = {f"lateness {which}, ms": f"lateness_{which}_ms" for which in ("p50", "p99")}
    boot, rows = outcome.bootstrap, []
    for policy in outcome.ranking:
        scores = functools.partial(outcome.scores, policy)
        texts = [percent(boot.rate(scores(name))) for name in shares.values()]
        texts += [percent(boot.amount(scores(name))) for name in responses.values()]
        texts += [with_interval(boot.amount(scores(name))) for name in lateness.values()]
        rows.append((Name(policy), *texts))
    title = (
        "Deadlines, means over all runs: response times of frames that completed, in percent of "
        "their deadlines; lateness of those that were late"
    )
    return TextTable(title, ("policy", *shares, *responses, *lateness), tuple(rows))


def energy_table(outcome: Outcome) -> TextTable:
    """What every policy spends, and the accuracy that it gives up, over all cells."""
    multiples = {"energy ÷ least possible": "energy_multiple"}
    if has_supernets(outcome):
        multiples["energy ÷ least with lightest variants"] = "energy_multiple_lightest"
    figures = {
        "power, mW": "power_mw",
        "spent, mJ per frame": "energy_mj",
        "charged, mJ per frame": "energy_charged_mj",
        "accuracy, %": "accuracy",
    }
    if outcome.about["suite"]["xrbench_score"]:
        figures["XRBench score"] = "xrbench_score"
    boot, rows = outcome.bootstrap, []
    for policy in outcome.ranking:
        scores = functools.partial(outcome.scores, policy)
        texts = [with_interval(boot.geometric_mean(scores(name))) for name in multiples.values()]
        texts += [with_interval(boot.amount(scores(name))) for name in figures.values()]
        rows.append((Name(policy), *texts, percent(boot.amount(scores("accuracy_loss")))))
    title = (
        "Energy: UXCost's second factor ÷ that of its bound, geometric mean, lost frames charged; "
        "and means over all runs"
    )
    return TextTable(title, ("policy", *multiples, *figures, "accuracy lost"), tuple(rows))


def cause_table(outcome: Outcome) -> TextTable:
    """Why frames were violated, as shares of all frames."""
    rows = []
    for policy in outcome.ranking:
        rates = (outcome.bootstrap.rate(outcome.scores(policy, f"missed.{c}")) for c in CAUSES)
        rows.append((Name(policy), *map(percent, rates)))
    return TextTable(
        "Why frames were violated, in percent of all frames", ("policy", *CAUSES), (*rows,)
    )


def shown_policies(outcome: Outcome) -> list[str]:
    """Those that figures and tables by cell show: all, or the first and the best of each family."""
    if len(outcome.policies) <= MOST_SHOWN:
        return outcome.policies
    best = (outcome.best(family) for family in FAMILIES)
    return list(dict.fromkeys([outcome.policies[0], *(policy for policy in best if policy)]))


def whom_shown(outcome: Outcome) -> str:
    """Which policies they show, in words; empty if all."""
    shown, everybody = len(shown_policies(outcome)), len(outcome.policies)
    if shown == everybody:
        return ""
    return f"{shown} of {everybody} policies: the first, and the best of each family"
