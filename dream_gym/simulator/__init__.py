"""How it runs: the compiled engine, its accounts, and the record of what happened."""

from dream_gym.simulator.addresses import RUN_WORDS, arenas_at, records_at
from dream_gym.simulator.arena import Floats, Ints
from dream_gym.simulator.building import build_problem
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
    Engine,
    Run,
    begin_run,
    finish_run,
    go_on,
    make_run,
    obey,
    run_to_decision,
    take_decision,
)
from dream_gym.simulator.problem import (
    NONE,
    NS_PER_S,
    Problem,
    view_problem,
    view_problem_compiled,
)
from dream_gym.simulator.result import Result
from dream_gym.simulator.simulation import Simulation
from dream_gym.simulator.state import NEVER, State, view_state, view_state_compiled
from dream_gym.simulator.validation import check_invariants
from dream_gym.simulator.worlds import latest_stream

__all__ = [
    "DISPATCH",
    "DONE",
    "DROP",
    "NEVER",
    "NONE",
    "NS_PER_S",
    "PASS",
    "RUN_WORDS",
    "Decide",
    "Decision",
    "Engine",
    "Floats",
    "Ints",
    "Problem",
    "Result",
    "Run",
    "Simulation",
    "State",
    "arenas_at",
    "begin_run",
    "build_problem",
    "check_invariants",
    "dispatch",
    "dispatch_block",
    "drop",
    "finish_run",
    "go_on",
    "latest_stream",
    "make_run",
    "obey",
    "records_at",
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
