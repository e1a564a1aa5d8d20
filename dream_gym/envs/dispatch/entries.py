"""The entries of the menu in words: what an action stands for, and which one a choice is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from dream_gym.compiling.jit import entry_point
from dream_gym.envs.dispatch.menu import Mask, Menu, to_decision, view_menu, view_menu_compiled
from dream_gym.errors import ActionError
from dream_gym.simulator import (
    DROP,
    NONE,
    PASS,
    Ints,
    Simulation,
    view_problem_compiled,
    view_state_compiled,
)

Kind: TypeAlias = Literal["dispatch", "drop", "wait"]


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """What an action would do at the present decision point.

    Args:
        action: Its number.
        kind: ``dispatch``, ``drop`` or ``wait``.
        legal: Whether it may be chosen now.
        model: Name of the frame's model; None for waiting, and for a row without a frame.
        frame: Index of the frame in its model.
        layer: Index of the first layer that a dispatch runs, in the network of its variant; of a
            frame that executes, what it runs.
        layers: How many layers it runs.
        variant: The network that it runs, an index into ``network.family``: 0 is the original.
        accelerator: Name of the accelerator that the frame is dispatched to or, of waiting, that
            is waited for; None for waiting until the next event.
    """

    action: int
    kind: Kind
    legal: bool
    model: str | None = None
    frame: int | None = None
    layer: int | None = None
    layers: int | None = None
    variant: int | None = None
    accelerator: str | None = None

    def __str__(self) -> str:
        if self.kind == "wait":
            until = "" if self.accelerator is None else f" until {self.accelerator} is idle"
            return f"wait{until}"
        if self.model is None:
            return f"{self.kind} nothing: there is no frame in this row"
        frame = f"frame {self.frame} of {self.model}"
        if self.kind == "drop":
            return f"drop {frame}"
        variant = f", variant {self.variant}," if self.variant else ""
        last = (self.layer or 0) + (self.layers or 1) - 1
        run = f"layer {self.layer}" if last == self.layer else f"layers {self.layer} to {last}"
        return f"run {run} of {frame}{variant} on {self.accelerator}"


@entry_point("menu")
def decision_of(
    problem_arena: Ints, state_arena: Ints, menu_arena: Ints, actions: int, action: int
) -> tuple[int, int, int, int, int]:
    """`to_decision` for Python: kind, slot, accelerator, variant and number of layers."""
    problem, state = view_problem_compiled(problem_arena), view_state_compiled(state_arena)
    menu = view_menu_compiled(menu_arena)
    decision = to_decision(problem, state, menu, actions, action)
    return decision.kind, decision.slot, decision.accelerator, decision.variant, decision.layers


def describe_action(simulation: Simulation, menu_arena: Ints, mask: Mask, action: int) -> MenuEntry:
    """The entry of an action, which is in range.

    Args:
        simulation: The run, at a decision point.
        menu_arena: Its menu.
        mask: Which actions are legal.
        action: The action.
    """
    kind, slot, accelerator, variant, layers = decision_of(
        simulation.problem_arena, simulation.state_arena, menu_arena, len(mask), action
    )
    legal, names = bool(mask[action]), simulation.platform.accelerator_names
    where = names[accelerator] if NONE < accelerator < len(names) else None
    if kind == PASS:
        return MenuEntry(action, "wait", legal, accelerator=where)
    named: Kind = "drop" if kind == DROP else "dispatch"
    if slot == NONE:
        return MenuEntry(action, named, legal, accelerator=where)
    slots, problem = simulation.state.slots, simulation.problem
    model, frame = int(slots["model"][slot]), int(slots["frame"][slot])
    name = simulation.scenario.model_names[model]
    if kind == DROP:
        return MenuEntry(action, named, legal, name, frame)
    layer = 0
    if slots["last_accelerator"][slot] != NONE:
        network = int(slots["network"][slot])
        variant = network - int(problem.models["first_network"][model])
        layer = int(slots["layer"][slot] - problem.networks["first_layer"][network])
    return MenuEntry(action, named, legal, name, frame, layer, layers, variant, where)


def find_action(
    simulation: Simulation,
    menu_arena: Ints,
    actions: int,
    kind: Kind,
    model: str | None,
    frame: int | None,
    accelerator: str | None,
    variant: int | None,
) -> int:
    """The number of a choice.

    Args:
        simulation: The run, at a decision point.
        menu_arena: Its menu.
        actions: Number of actions.
        kind: See `MenuEntry`, as for the others.
        model: None for waiting.
        frame: None for waiting.
        accelerator: None for dropping, and for waiting until the next event.
        variant: None for the original, or for what it runs already; not looked at where DREAM's
            rule chooses.

    Raises:
        ActionError: There is no such choice; the message says what there is.
    """
    menu = view_menu(menu_arena)
    rows, (accelerators, networks) = len(menu.rows), menu.shape.tolist()
    if kind not in ("dispatch", "drop", "wait"):
        raise ActionError(f"kind: expected dispatch, drop or wait, got {kind!r}")
    if (kind == "wait") != (model is None and frame is None):
        raise ActionError(f"{kind}: needs {'no' if kind == 'wait' else 'a'} model and frame")
    if variant is not None and kind != "dispatch":
        raise ActionError(f"variant: {kind} takes none, got {variant!r}")
    place = 0
    if accelerator is not None or kind == "dispatch":
        place = _index_of(simulation, accelerator)
    if kind == "wait":
        if accelerator is None:
            return actions - 1
        if not menu.now[0].waits:
            raise ActionError("accelerator: to wait for one, the environment needs wait_until_idle")
        return int(rows * accelerators * networks + rows + place)
    row = _row_of(simulation, menu, model, frame)
    if kind == "drop":
        return int(rows * accelerators * networks + row)
    choice = _choice_of_variant(simulation, int(menu.rows[row]), networks, variant)
    return int((row * accelerators + place) * networks + choice)


def _choice_of_variant(
    simulation: Simulation, slot: int, networks: int, variant: int | None
) -> int:
    """The position of a variant among the actions of a frame: 0 once it runs, or a rule chooses."""
    slots, choices = simulation.state.slots, range(networks)
    started = slots["last_accelerator"][slot] != NONE
    if started:
        first = simulation.problem.models["first_network"][slots["model"][slot]]
        runs = int(slots["network"][slot] - first)
        choices = range(runs, runs + 1)
    if variant is not None and variant not in choices and (started or networks > 1):
        have = ", ".join(map(str, choices))
        raise ActionError(f"variant: this frame may run {have}, not {variant!r}")
    return 0 if started or networks == 1 else variant or 0


def _index_of(simulation: Simulation, accelerator: str | None) -> int:
    names = simulation.platform.accelerator_names
    if accelerator not in names:
        raise ActionError(f"accelerator: expected one of {', '.join(names)}, got {accelerator!r}")
    return names.index(accelerator)


def _row_of(simulation: Simulation, menu: Menu, model: str | None, frame: int | None) -> int:
    slots, names = simulation.state.slots, simulation.scenario.model_names
    listed = [
        (names[slots["model"][slot]], int(slots["frame"][slot]))
        for slot in menu.rows[: menu.now[0].rows]
    ]
    if (model, frame) not in listed:
        shown = ", ".join(f"{index} of {name}" for name, index in listed) or "none"
        raise ActionError(f"frame {frame!r} of {model!r} has no row now; these have: {shown}")
    return listed.index((str(model), int(frame or 0)))
