"""The menu: what may be decided at a decision point, as numbered actions, and its rules.

Actions are numbered ``(row × accelerators + accelerator) × networks + variant`` for dispatches,
then one drop for each row, then, where the menu has them, one for each accelerator to wait until it
is idle, and last of all to wait. A row is a live frame: those that wait come
first, then those that execute, each by deadline.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dream_gym.arguments import checked_number
from dream_gym.compiling.jit import compiled, inlined
from dream_gym.errors import ConfigError
from dream_gym.schedulers.blocks import layers_within
from dream_gym.schedulers.dream.dropping import DROP_CAP, may_drop
from dream_gym.schedulers.dream.supernet import SUPERNET_MARGIN, choose_variant
from dream_gym.simulator import (
    DISPATCH,
    NEVER,
    NONE,
    PASS,
    Decision,
    Ints,
    Problem,
    State,
    advance,
    apply_decision,
    dispatch_block,
    drop,
    wait,
)
from dream_gym.simulator.arena import INT, Layout, Records, record_type
from dream_gym.units import NS_PER_MS

BLOCK_MS = 0.25
"""Most time of a block where nothing is said of it."""
_MOST_BLOCK_MS = 1e6
SHARE_UNITS = 1_000_000_000_000
"""The unit of a block's share is one part of so many."""

MENU_STATE = record_type(
    rows="number of rows listed",
    waiting="how many of them wait; they come first",
    illegal="illegal actions so far, each answered with waiting",
    skip_forced="1 where a single legal dispatch or drop is taken without asking",
    blocks="1 where a dispatch takes a block of layers",
    block_ns="most time of a block on its accelerator, NEVER for no limit",
    block_share="most of the network's mean latency that a block takes, in 10^-12",
    waits="1 where there are actions that wait until an accelerator is idle",
    awaited="the accelerator that is waited for, NONE for none",
)


Mask: TypeAlias = NDArray[np.int8]
"""One entry for each action: 1 where it is legal."""


class Menu(NamedTuple):
    """The menu of one run."""

    now: Records
    """[1] of `MENU_STATE`."""
    rows: Ints
    """[row] slot of the frame, NONE where there is none."""
    shape: Ints
    """[2] numbers of accelerators and of networks per model that actions are numbered for."""


MENU = Layout(
    Menu,
    dimensions=("rows_count",),
    tables={
        "now": (MENU_STATE, (1,)),
        "rows": (INT, ("rows_count",)),
        "shape": (INT, (2,)),
    },
)
ILLEGAL_WORD = len(MENU.dimensions) + list(MENU_STATE.names or ()).index("illegal")
"""Where the number of illegal actions lies in the arena of a menu."""

view_menu = MENU.viewer()
view_menu_compiled = inlined(view_menu)
"""The same for compiled code."""


def read_block(decision: str, block_ms: float | None, block_share: float | None) -> tuple[int, int]:
    """The limits of a block as the menu has them, in ns and in parts of `SHARE_UNITS`.

    Args:
        decision: Of the environment, as for the others.
        block_ms: The most time of a block, or None.
        block_share: The most of a network that it takes, or None.

    Raises:
        ConfigError: A limit is out of range, or there are no blocks.
    """
    for name, value in (("block_ms", block_ms), ("block_share", block_share)):
        if value is not None and decision != "block":
            raise ConfigError(f'{name}: is for decision="block", but decision is {decision!r}')
    if block_ms is None and block_share is None:
        block_ms = BLOCK_MS
    block_ns = int(NEVER)
    if block_ms is not None:
        block_ns = round(checked_number("block_ms", block_ms, 0.0, _MOST_BLOCK_MS) * NS_PER_MS)
    share = checked_number("block_share", 1.0 if block_share is None else block_share, 0.0, 1.0)
    return block_ns, round(share * SHARE_UNITS)


@inlined
def to_choice(
    problem: Problem, state: State, menu: Menu, timeline: Ints, frames: Ints, mask: Mask
) -> bool:
    """Go on to the next point where there is something to decide; False at the end of the run."""
    while True:
        while not state.run[0].decision_due:
            if not advance(problem, state, timeline, frames, state.run[0].horizon_ns):
                return False
        awaited = menu.now[0].awaited
        if awaited != NONE and state.accelerators[awaited].busy_until_ns != NEVER:
            state.run[0].decision_due = 0
            continue
        menu.now[0].awaited = NONE
        list_rows(state, menu)
        legal, last_legal = _fill_mask(problem, state, menu, mask)
        if legal == 0:
            state.run[0].decision_due = 0
        elif legal == 1 and menu.now[0].skip_forced:
            act(problem, state, menu, timeline, frames, mask, last_legal)
        else:
            return True


@compiled
def act(
    problem: Problem,
    state: State,
    menu: Menu,
    timeline: Ints,
    frames: Ints,
    mask: Mask,
    action: int,
) -> None:
    """Carry an action out; an illegal one is counted, and answered with waiting."""
    if not 0 <= action < len(mask) or mask[action] == 0:
        menu.now[0].illegal += 1
        action = len(mask) - 1
    decision = to_decision(problem, state, menu, len(mask), action)
    if decision.kind == PASS:
        menu.now[0].awaited = decision.accelerator
        state.run[0].decision_due = 0
    else:
        apply_decision(problem, state, timeline, frames, decision)


@inlined
def to_decision(problem: Problem, state: State, menu: Menu, actions: int, action: int) -> Decision:
    """What an action decides.

    A pass has the accelerator that it waits for, `NONE` for none. The slot is `NONE` where the row
    has no frame.

    Args:
        problem: The problem.
        state: The state.
        menu: Its menu.
        actions: Number of actions.
        action: One of them, legal or not.
    """
    rows, accelerators, networks = len(menu.rows), menu.shape[0], menu.shape[1]
    dispatches = rows * accelerators * networks
    if action == actions - 1:
        return wait()
    if action >= dispatches + rows:
        return Decision(PASS, NONE, action - dispatches - rows, 0, 1)
    if action >= dispatches:
        return drop(menu.rows[action - dispatches])
    slot = menu.rows[action // (accelerators * networks)]
    accelerator, variant = action // networks % accelerators, action % networks
    if slot == NONE or accelerator >= len(state.accelerators):
        return Decision(DISPATCH, NONE, accelerator, variant, 1)
    network, layer = state.slots[slot].network, state.slots[slot].layer
    if state.slots[slot].last_accelerator == NONE:
        if networks == 1:
            variant = choose_variant(problem, state, slot, SUPERNET_MARGIN)
        network += min(variant, problem.models[state.slots[slot].model].networks - 1)
        layer = problem.networks[network].first_layer
    layers = layers_at_once(problem, menu, network, layer, accelerator)
    return dispatch_block(slot, accelerator, variant, layers)


@inlined
def to_action(state: State, menu: Menu, mask: Mask, decision: Decision) -> int:
    """The legal action that decides the same, but for the number of layers; `NONE` without one."""
    if decision.kind == PASS:
        return len(mask) - 1
    accelerators, networks = menu.shape[0], menu.shape[1]
    for row in range(menu.now[0].waiting):
        slot = menu.rows[row]
        if slot == decision.slot:
            action = len(menu.rows) * accelerators * networks + row
            if decision.kind == DISPATCH:
                action = (row * accelerators + decision.accelerator) * networks
                if networks > 1 and state.slots[slot].last_accelerator == NONE:
                    action += decision.variant
            return int(action) if mask[action] else NONE
    return NONE


@inlined
def layers_at_once(problem: Problem, menu: Menu, network: int, layer: int, accelerator: int) -> int:
    """Layers that a dispatch takes of a network, from one of its layers on: one at least."""
    if not menu.now[0].blocks:
        return 1
    first = problem.networks[network].first_layer
    share = menu.now[0].block_share / SHARE_UNITS
    share_ns = share * problem.layers[first].remaining_latency_ns + 0.5  # a third is not exact
    return layers_within(problem, layer, accelerator, menu.now[0].block_ns, share_ns)


@inlined
def list_rows(state: State, menu: Menu) -> None:
    """List the live frames: those that wait first, then those that execute, each by deadline."""
    listed, waiting = 0, 0
    for executing in range(2):
        first = listed
        for at in range(state.run[0].live_count):
            slot = state.live[at]
            if state.slots[slot].executing != executing:
                continue
            # Insertion by deadline; among equals the order of releases stays.
            deadline_ns = state.slots[slot].deadline_ns
            place = min(listed, len(menu.rows))
            while place > first and state.slots[menu.rows[place - 1]].deadline_ns > deadline_ns:
                if place < len(menu.rows):
                    menu.rows[place] = menu.rows[place - 1]
                place -= 1
            if place < len(menu.rows):
                menu.rows[place] = slot
            listed = min(listed + 1, len(menu.rows))
        if executing == 0:
            waiting = listed
    for row in range(listed, len(menu.rows)):
        menu.rows[row] = NONE
    menu.now[0].rows = listed
    menu.now[0].waiting = waiting


@inlined
def _fill_mask(problem: Problem, state: State, menu: Menu, mask: Mask) -> tuple[int, int]:
    """Mark the legal actions; return how many but to wait there are, and the last of them.

    To wait until an accelerator is idle is to wait.
    """
    accelerators, networks = menu.shape[0], menu.shape[1]
    drops = len(menu.rows) * accelerators * networks
    for action in range(len(mask)):
        mask[action] = 0
    mask[len(mask) - 1] = 1
    if menu.now[0].waits:
        for accelerator in range(len(state.accelerators)):
            if state.accelerators[accelerator].busy_until_ns != NEVER:
                mask[drops + len(menu.rows) + accelerator] = 1
    legal, last_legal = 0, NONE
    for row in range(menu.now[0].waiting):
        slot = menu.rows[row]
        choices = 1
        if networks > 1 and state.slots[slot].last_accelerator == NONE:
            choices = problem.models[state.slots[slot].model].networks
        for accelerator in range(len(state.accelerators)):
            if state.accelerators[accelerator].busy_until_ns == NEVER:
                for variant in range(choices):
                    last_legal = (row * accelerators + accelerator) * networks + variant
                    mask[last_legal] = 1
                    legal += 1
        if may_drop(problem, state, slot, DROP_CAP):
            last_legal = drops + row
            mask[last_legal] = 1
            legal += 1
    return legal, last_legal
