"""How it runs: the compiled engine, its accounts, and the record of what happened."""

from dream_gym.simulator.addresses import RUN_WORDS, arenas_at, records_at
from dream_gym.simulator.arena import Floats, Ints
from dream_gym.simulator.building import build_problem
from dream_gym.simulator.cell import Cell, cell_title
from dream_gym.simulator.decision import (
    DISPATCH,
    DROP,
    PASS,
    Decide,
    Decision,
    dispatch,
    dispatch_block,
    drop,
    wait,
)
from dream_gym.simulator.dispatching import switch_bytes, switch_cost, switch_energy_pj, switch_ns
from dream_gym.simulator.engine import (
    DONE,
    IMPOSSIBLE,
    MORE,
    Engine,
    make_run,
    run_to_decision,
    take_decision,
)
from dream_gym.simulator.events import advance, apply_decision
from dream_gym.simulator.frames import judge_all
from dream_gym.simulator.futures import redraw
from dream_gym.simulator.lifetime import begin_run, finish_run
from dream_gym.simulator.problem import (
    NONE,
    Problem,
    view_problem,
    view_problem_compiled,
)
from dream_gym.simulator.result import Result, Table
from dream_gym.simulator.simulation import Simulation
from dream_gym.simulator.state import NEVER, Room, State, view_state, view_state_compiled
from dream_gym.simulator.validation import check_invariants
from dream_gym.simulator.worlds import latest_stream

__all__ = [
    "DISPATCH",
    "DONE",
    "DROP",
    "IMPOSSIBLE",
    "MORE",
    "NEVER",
    "NONE",
    "PASS",
    "RUN_WORDS",
    "Cell",
    "Decide",
    "Decision",
    "Engine",
    "Floats",
    "Ints",
    "Problem",
    "Result",
    "Room",
    "Simulation",
    "State",
    "Table",
    "advance",
    "apply_decision",
    "arenas_at",
    "begin_run",
    "build_problem",
    "cell_title",
    "check_invariants",
    "dispatch",
    "dispatch_block",
    "drop",
    "finish_run",
    "judge_all",
    "latest_stream",
    "make_run",
    "records_at",
    "redraw",
    "run_to_decision",
    "switch_bytes",
    "switch_cost",
    "switch_energy_pj",
    "switch_ns",
    "take_decision",
    "view_problem",
    "view_problem_compiled",
    "view_state",
    "view_state_compiled",
    "wait",
]
