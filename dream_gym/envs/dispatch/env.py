"""``DreamRTMM-Dispatch-v0``: decide every dispatch."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import EzPickle

from dream_gym.arguments import checked_choice, checked_flag, checked_integer
from dream_gym.envs.base import padded_sizes
from dream_gym.envs.dispatch.menu import MENU, read_block, view_menu
from dream_gym.envs.dispatch.menu_env import MenuEnv
from dream_gym.envs.dispatch.observation import (
    ACCELERATORS,
    FRAMES,
    GLOBAL,
    MODELS,
    PAIRS,
    tables,
)
from dream_gym.envs.dispatch.stepping import step
from dream_gym.envs.features import Observation, document_tables
from dream_gym.envs.rewards import REWARD_PAGE, read_weights
from dream_gym.envs.sampling import Cells, Load, Platforms, Sampler, Scenarios, read_places
from dream_gym.simulator import NONE

MAX_ROWS = 4096


class DreamRTMMDispatchEnv(MenuEnv):
    r"""Decide which frame's next layer runs on which accelerator, one dispatch at a time.

    ## Description
    A system on chip with several ML accelerators runs a scenario: models that release frames at a
    rate, each frame due by a deadline. Whenever a frame waits and an accelerator is idle, or a
    frame may be dropped, the agent decides; it is charged what UXCost grows by. Simulated time
    passes when it waits.

    ## Action Space
    ``Discrete(J A + J + 1)`` for J rows of frames and A accelerators:

    | Num | Action |
    |-----|--------|
    | j A + a | run the next layer of the frame in row j on accelerator a |
    | J A + j | drop the frame in row j |
    | J A + J | wait: no more decisions at this instant |

    With ``wait_until_idle=True`` there are A more, and waiting is J A + J + A:

    | Num | Action |
    |-----|--------|
    | J A + J + a | wait until accelerator a, which is busy, is idle: no decisions before that |

    Rows are the live frames: those that wait come first, then those that execute, each by
    deadline. Dispatching is legal from a waiting frame to an idle accelerator; dropping where
    DREAM's conditions 1, 3 and 4 allow it: the frame cannot meet its deadline any more, its model
    has lost fewer than 2 of its last 10 frames, and no model depends on it. Waiting is always
    legal. Points where nothing but waiting is legal are passed over.

    ``info["action_mask"]`` (int8) and `action_masks` (bool) mark what is legal. An illegal action
    is answered with waiting and counted in ``info["illegal_actions"]``; at the end of an episode
    the number is in ``info["episode_statistics"]``, beside return ``r`` and length ``l``, and where
    it is more than 5 % of the steps there is a warning. What is no number of the space is no
    action, and raises `ActionError`, here and in a batch. Evaluation has to mask, too: with
    sb3-contrib use ``MaskableEvalCallback`` and its own ``evaluate_policy``; the `EvalCallback` of
    stable-baselines3 ignores masks.

    With ``supernet="free"`` the first J A numbers become (j A + a) V + v: run variant v of V.

    ## Observation Space
    ``Box(float32)``: the tables below one after the other, row by row; or with
    ``observation="dict"`` a ``Dict`` of the tables. ``env.unwrapped.observation.names`` names
    every feature of the flat vector. Values beyond a bound are clipped to it.

    Pairs describe the next dispatch of a frame: its next layer, or with ``decision="block"`` all
    layers that it would take there; of a frame that executes, what it runs. Until a variant of a
    Supernet is chosen that is of the original, whatever the action would choose. Which context
    switch a busy accelerator will make is not known, and left out of ``finish``; nor is it part of
    the time of a block. MapScore, over the number of
    accelerators A, is urgency × latency_preference + alpha × starvation / A
    + beta × energy_preference, of the next layer alone, once the logarithms are undone: exp(e) − 1
    of the feature e, or 1 − exp(−e) where it is negative.

    TABLES

    ## Rewards
    REWARDS

    ## Starting State
    The first decision point of a world that the seed draws: ``reset(seed=s)`` is the world of
    ``dream_gym.simulate(..., seed=s)``; ``reset()`` draws a seed for training, below 10^9, and
    returns it as ``info["seed"]``. With it come the ``scenario``, ``platform`` (their names) and
    ``load`` that were drawn.

    ## Episode End
    The episode terminates after ``episode_seconds`` of simulated time; unfinished frames are then
    lost. It is truncated only by ``max_episode_steps`` of `gymnasium.make` and
    `gymnasium.make_vec`. The last ``info["result"]`` is the `dream_gym.Result` of the run.
    Decisions are unevenly spaced: ``info["elapsed_ns"]`` is the simulated time since the last.

    ## Arguments
    * ``scenario``: a name, the path of a YAML file, a `Scenario`, or a list of these to draw from
      at each reset; default ``ar_social``.
    * ``platform``: likewise; default ``4k_1ws_2os``. Observations and actions are padded to the
      largest cell.
    * ``load``: factor on every rate, or a range ``(low, high)`` to draw it from; default 1.
    * ``cells``: a list of `dream_gym.Cell` or of mappings of their fields to draw from, in place of
      scenario, platform, load, jitter, cascade and expiry; default none.
    * ``episode_seconds``: simulated length of an episode; default 1.
    * ``reward``: name of the reward; default ``uxcost_delta``.
    * ``observation``: ``box`` or ``dict``; default ``box``.
    * ``decision``: ``layer``, or ``block``: a dispatch takes as many of the next layers as the
      two limits that follow allow, and one at least; a block ends where the path may fork.
    * ``block_ms``: the most time in ms that a block takes where it is dispatched; default 0.25
      if ``block_share`` is not given either, else no limit. The longer a block, the fewer decisions
      and context switches, and the more deadlines are missed that single layers would meet.
    * ``block_share``: the most of the network's mean latency that a block takes; default no limit.
    * ``wait_until_idle``: whether there are actions that wait until an accelerator is idle, see
      Action Space; default False. With it, an agent need not say at each event in between that it
      still waits.
    * ``skip_forced``: whether a point with one legal action beside waiting is passed over, and
      that action taken; default False.
    * ``supernet``: ``dream``: DREAM's rule chooses variants; ``free``: the actions do.
    * ``accuracy_weight``: what accuracy lost counts, see Rewards; default 1 with
      ``supernet="free"``, else 0.
    * ``dense_weights``: weights of the terms of the reward ``dense``, a mapping of ``violations``,
      ``lost`` and ``energy``, see Rewards; default 1, 0 and 1.
    * ``cost_info``: whether ``info["cost"]`` tells what the last step has cost: ``violations`` and
      ``lost`` frames, ``energy`` in pJ as UXCost charges it, and ``accuracy`` lost in frames, each
      an array with an entry for each row of ``models``; default False.
    * ``max_slots``: the most rows; by default all frames that can exist at once.
    * ``jitter``: release jitter of every root as a share of its period, in place of that of the
      scenario. Without it a scenario that draws nothing, such as ``drone_outdoor``, is one single
      world, whatever the seed: an agent learns it by heart.
    * ``cascade``: probability that a parent's frame triggers one of a dependent, in place of those
      of the scenario.
    * ``expiry``: ``soft`` or ``firm``; default what the scenario says.
    * ``energy_norm``: ``charged``, or for comparison only ``literal``, under which doing nothing is
      rewarded, see Rewards; observed energies follow it, too; default ``charged``.
    * ``contention``: whether dispatches share the off-chip bandwidth; default what the platform
      says.
    * ``sizes``: least sizes to pad observations and actions to, a mapping of ``models``,
      ``accelerators``, ``rows`` and ``variants``: those of another environment,
      ``env.unwrapped.sizes``, let an agent of that play here.
    * ``render_mode``: ``rgb_array``: `render` draws the last 100 ms and the violations so far.

    `describe` says in words what an action would do here, `action_of` finds the action that does
    something, and `expert_action` the one that a compiled scheduler would take:
    ``env.unwrapped.expert_action("dream_full", alpha=1.2)``; in a vector environment, one for each
    environment.

    `get_state` and `set_state` return to a decision point, in this environment or in another with
    the same arguments.

    A malformed argument raises `dream_gym.errors.ConfigError`, an action that is no integer
    `ActionError`, a step without a running episode `EnvStateError`.

    ## Example
    >>> import gymnasium as gym
    >>> env = gym.make("dream_gym:DreamRTMM-Dispatch-v0", load=1.2)
    >>> observation, info = env.reset(seed=1)
    >>> action = env.action_space.sample(info["action_mask"])
    >>> observation, reward, terminated, truncated, info = env.step(action)

    ## Version History
    * v0: first release. Since then: the reward ``dense`` is weighted otherwise, ``uxcost_window``
      charges a late frame once; ``accuracy_weight``, by default 1 with ``supernet="free"``;
      ``models.rate`` is log(1 + frames/s); blocks have limits instead of about a quarter of the
      network; ``wait_until_idle``, ``jitter``, ``cascade``, ``cells``, ``sizes``, ``cost_info``,
      ``dense_weights``; `describe`, `action_of` and `expert_action`.
    """

    def __init__(
        self,
        scenario: Scenarios | None = None,
        platform: Platforms | None = None,
        *,
        load: Load | None = None,
        cells: Cells | None = None,
        episode_seconds: float = 1.0,
        reward: str = "uxcost_delta",
        observation: str = "box",
        decision: str = "layer",
        block_ms: float | None = None,
        block_share: float | None = None,
        wait_until_idle: bool = False,
        skip_forced: bool = False,
        supernet: str = "dream",
        accuracy_weight: float | None = None,
        dense_weights: Mapping[str, float] | None = None,
        cost_info: bool = False,
        max_slots: int | None = None,
        jitter: float | None = None,
        cascade: float | None = None,
        expiry: str | None = None,
        energy_norm: str = "charged",
        contention: bool | None = None,
        sizes: Mapping[str, int] | None = None,
        render_mode: str | None = None,
    ) -> None:
        EzPickle.__init__(
            self,
            scenario=scenario,
            platform=platform,
            load=load,
            cells=cells,
            episode_seconds=episode_seconds,
            reward=reward,
            observation=observation,
            decision=decision,
            block_ms=block_ms,
            block_share=block_share,
            wait_until_idle=wait_until_idle,
            skip_forced=skip_forced,
            supernet=supernet,
            accuracy_weight=accuracy_weight,
            dense_weights=dense_weights,
            cost_info=cost_info,
            max_slots=max_slots,
            jitter=jitter,
            cascade=cascade,
            expiry=expiry,
            energy_norm=energy_norm,
            contention=contention,
            sizes=sizes,
            render_mode=render_mode,
        )
        checked_choice("decision", decision, ("layer", "block"))
        checked_choice("supernet", supernet, ("dream", "free"))
        block_ns, block_share_units = read_block(decision, block_ms, block_share)
        places = read_places(
            cells,
            scenario=scenario,
            platform=platform,
            load=load,
            cascade=cascade,
            jitter=jitter,
            expiry=expiry,
        )
        sampler = Sampler(places, None, energy_norm=energy_norm, contention=contention)
        problems = [example.problem for example in sampler.examples]
        # Beyond its backlog limit a model may have frames that executed at its last release.
        rows = max(
            int(problem.models["backlog_limit"].sum())
            + len(problem.models) * problem.costs.shape[1]
            for problem in problems
        )
        if max_slots is not None:
            rows = min(rows, checked_integer("max_slots", max_slots, 1, MAX_ROWS))
        networks = 1
        if supernet == "free":
            networks = max(int(problem.models["networks"].max()) for problem in problems)
        padded = padded_sizes(
            sizes,
            models=max(len(problem.models) for problem in problems),
            accelerators=max(problem.costs.shape[1] for problem in problems),
            rows=rows,
            variants=networks,
        )
        models, accelerators, rows, networks = padded.values()
        waits = accelerators if checked_flag("wait_until_idle", wait_until_idle) else 0
        actions = rows * accelerators * networks + rows + waits + 1
        self.padding = np.array([models, accelerators], dtype=np.int64)
        self._menu = MENU.allocate(rows_count=rows)
        menu = view_menu(self._menu)
        menu.now[0].skip_forced = checked_flag("skip_forced", skip_forced)
        menu.now[0].blocks = decision == "block"
        menu.now[0].block_ns, menu.now[0].block_share = block_ns, block_share_units
        menu.now[0].waits, menu.now[0].awaited = wait_until_idle, NONE
        menu.shape[:] = accelerators, networks
        mask = np.zeros(actions, dtype=np.int8)
        mask[-1] = 1  # before the first reset, too, one action is legal
        super().__init__(
            sampler,
            Observation(tables(models, rows, accelerators), observation),
            gym.spaces.Discrete(actions),
            reward=reward,
            weights=read_weights(
                reward, accuracy_weight, dense_weights, choose_variants=supernet == "free"
            ),
            cost_info=cost_info,
            render_mode=render_mode,
            sizes=padded,
            action_layout={**padded, "waits": waits, "decision": decision},
            episode_seconds=episode_seconds,
            menu=self._menu.copy(),
            mask=mask,
        )

    def _begin(self) -> None:
        self.buffers["menu"][:] = self._menu
        self._step(0, begins=True)  # where nothing is to be decided, waiting ends the episode

    def _play(self, action: Any) -> bool:
        return self._step(self._number(action), begins=False)

    def _step(self, action: int, *, begins: bool) -> bool:
        buffers = self.buffers
        return step(
            buffers["run"],
            action,
            begins,
            self.padding,
            self.reward_number,
            buffers["menu"],
            buffers["mask"],
            buffers["flat"],
            buffers["episode_account"],
            buffers["costs"],
        )


def _document() -> None:
    """Put the tables of the observation into the class's page, from the code."""
    page = inspect.getdoc(DreamRTMMDispatchEnv) or ""  # empty under python -OO
    DreamRTMMDispatchEnv.__doc__ = document_tables(
        page.replace("REWARDS", REWARD_PAGE),
        {
            "global": ("one row", GLOBAL),
            "models": ("a row for each model", MODELS),
            "accelerators": ("a row for each accelerator", ACCELERATORS),
            "frames": ("a row for each row of frames", FRAMES),
            "pairs": ("a row for each row of frames and each accelerator", PAIRS),
        },
    )


_document()
