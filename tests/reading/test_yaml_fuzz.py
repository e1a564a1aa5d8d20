"""A damaged file gives a valid object or one clear error, never a traceback.

``DREAM_GYM_FUZZ_CASES=20000 pytest tests/reading/test_yaml_fuzz.py`` tries more cases than the
usual ones.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.algorithms.es import EsHyperparameters
from agents.algorithms.evolve import EvolveHyperparameters
from agents.hyperparameters import Sb3Hyperparameters, load_hyperparameters
from dream_gym.analysis.suites.suite import Roster, Suite
from dream_gym.errors import ConfigError
from dream_gym.hardware import load_platform, read_costs
from dream_gym.players.run_folder import RunCard
from dream_gym.reading import resources
from dream_gym.reading.resources import Config
from dream_gym.reading.yaml_core import load_yaml
from dream_gym.schedulers import get_scheduler
from dream_gym.schedulers.evolved.scheduler import find_rule
from dream_gym.schedulers.tuned import TunedFile
from dream_gym.simulator import build_problem
from dream_gym.workload import Scenario, load_scenario, read_recording

CONFIGS = Path(__file__).parents[2] / "configs"
CASES = int(os.environ.get("DREAM_GYM_FUZZ_CASES", "500"))
MAX_MESSAGE = 3000

NETWORKS = """
schema: 1
name: networks
models:
  - name: written
    rate: 30
    network: &net
      name: net
      source: here
      layers:
        - {name: a, K: 4, C: 8, Y: 1, X: 1}
        - {name: b, K: 1, C: 4, Y: 3, X: 3, depthwise: true}
      blocks: [{first: 1, stop: 2, probability: 0.5}]
      exits: [{layer: 0, probability: 0.5}]
      top1: 70.5
  - {name: named, rate: 15, network: {name: gnmt, parameters: {tokens: 2}}, deadline_ms: 5}
  - {name: again, rate: "30000/1001", network: {<<: *net, variants: [*net]}, jitter_ms: 0.5}
  - {name: child, rate: 15, network: skipnet, depends_on: {model: written, probability: 0.5}}
"""
PHASES = """
schema: 1
name: phases
description: "two\\nlines"
phases:
  - scenario:
      schema: 1
      name: first
      models: [{name: eyes, network: sosnet, rate: 30}]
    seconds: 1.5
    rename: {eyes: left}
  - {scenario: ar_call, load: 1.5}
"""
CHIPS = """
schema: 1
name: chips
clock_ghz: 0.7
dram_bandwidth_gb_s: "100/3"
shared_memory_kib: 1024
contention: true
accelerators: [{name: a, dataflow: WS, num_pes: 256, noc_bandwidth: 32}, {name: b}]
costs:
  model: zigzag
  accelerators: [{name: a, hardware: x.yaml, mapping: y}]
  objective: EDP
"""
TABLE = CHIPS[: CHIPS.index("costs")] + "costs: {model: table, path: costs.csv}\n"
PYTHON = CHIPS[: CHIPS.index("costs")] + "costs: {model: python, function: my.costs}\n"
TUNED = "schema: 1\nscheduler: dream_full\noptions: {alpha: 0.5, beta: 1}\nfound: {why: [1, 2]}\n"
CARD = """
schema: 2
loader: sb3
algorithm: ppo
environment: DreamRTMM-v0
environment_arguments: {scenario: ar_call, load: 1.0}
environment_digest: abc
sizes: {models: 5, accelerators: 3}
hyperparameters: {n_steps: 10, policy_kwargs: {net_arch: [64]}}
timesteps: 10
seed: 0
command: python train.py
versions: {python: "3.12"}
best: {file: best-5.safetensors, sha256: "%s", timesteps: 5}
evaluations: [{timesteps: 5, uxcost: 1.5}]
""" % ("0a" * 32)


def shipped(name: str) -> str:
    return (CONFIGS / name).read_text(encoding="utf-8")


class Kind(NamedTuple):
    """A kind of file."""

    text: str
    read: Callable[[Path], Any]


def _reader(model: type[Config]) -> Callable[[Path], Any]:
    return lambda path: resources.read(path, model)


FILES = {
    "scenario": Kind(shipped("scenarios/vr_gaming.yaml"), load_scenario),
    "networks": Kind(NETWORKS, load_scenario),
    "phases": Kind(PHASES, load_scenario),
    "platform": Kind(shipped("platforms/4k_1ws_2os.yaml"), load_platform),
    "zigzag": Kind(CHIPS, load_platform),
    "table": Kind(TABLE, load_platform),
    "python": Kind(PYTHON, load_platform),
    "suite": Kind(shipped("suites/demo.yaml"), _reader(Suite)),
    "grids": Kind(shipped("suites/robust.yaml"), _reader(Suite)),
    "roster": Kind(shipped("rosters/online.yaml"), _reader(Roster)),
    "tuned": Kind(TUNED, lambda path: get_scheduler(f"tuned:{path}")),
    "rule": Kind(shipped("rules/evolved.json"), lambda path: find_rule(str(path)).program),
    "tuned file": Kind(TUNED, _reader(TunedFile)),
    "card": Kind(CARD, _reader(RunCard)),
    "hyperparameters": Kind(
        shipped("agents/sac.yaml"),
        lambda path: load_hyperparameters(str(path), "DreamRTMM-v0", Sb3Hyperparameters),
    ),
    "evolve": Kind(
        shipped("agents/evolve.yaml"),
        lambda path: load_hyperparameters(str(path), "evolved", EvolveHyperparameters),
    ),
    "es": Kind(
        shipped("agents/es.yaml"),
        lambda path: load_hyperparameters(str(path), "learned", EsHyperparameters),
    ),
}
TABLES = {
    "costs.csv": Kind(
        "network,layer,accelerator,latency_ns,energy_pj\nn,a,b,10,1.5\nn,c,b,2e3,7\n", read_costs
    ),
    "recording.csv": Kind(
        "model,frame,time_ns,triggered,nominal_ns\na,0,5,1,0\na,1,9,0,7\nb,0,3,1,\n", read_recording
    ),
}
EACH = max(CASES // (2 * len(FILES) + len(TABLES) + 1), 1)
FUZZ = settings(max_examples=EACH, deadline=None, derandomize=True, database=None)
ODD_TEXTS = [
    "30000/1001", "1/0", "nan", "../x", "..", "a\x1b[2J", "1e3", "1e30000000", "1:30", "010", "yes",
    "2024-13-45", "x" * 300, "9" * 60, "a\nb", "ar_call", "4k_2ws", "fuzz.yaml", "tuned:fuzz.yaml",
    "/dev/zero", "costs.csv", "\u202e",
]  # fmt: skip
ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(ODD_TEXTS),
    st.sampled_from([[], {}, [1], {"a": 1}, -1, 0, 1, 2, 1e300, 1e-300, 1e-7, 10**9, [[]], [None]]),
)
ODD_YAML = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        [
            *("!!int abc", "!!binary x", "!x", "&a", "*a", "<<: *a", "[" * 60, "{" * 60, "? "),
            *("- " * 60, "0o7", "0x", "1_0", "1:30", ".inf", "~", "---", "...", "%YAML 1.1", "'"),
            *('"', "|", "\t", "9" * 5000, "1e999", "\ufeff", "\x85", "#", "name: x\nname: y"),
        ]
    ),
)


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("fuzz")
    with contextlib.chdir(folder) if hasattr(contextlib, "chdir") else _chdir(folder):
        yield


@contextlib.contextmanager
def _chdir(folder: Path) -> Any:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def use(text: str, kind: Kind, name: str = "fuzz.yaml") -> None:
    """Read it, and build what can be built; no error but `ConfigError` may escape."""
    path = Path(name)
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except UnicodeEncodeError:  # a lone surrogate is in no file
        return
    problem = None
    try:
        found = kind.read(path)
    except ConfigError as error:
        problem = str(error)
    if problem is not None:
        assert name in problem
        assert "\n" not in problem
        assert len(problem) < MAX_MESSAGE
        return
    with contextlib.suppress(ConfigError):
        if kind is FILES["scenario"]:
            build_problem(found, load_platform("4k_2ws"))
        if kind is FILES["platform"]:
            build_problem(load_scenario("drone_outdoor"), found)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values of a document."""
    keys: list[Any] = []
    if isinstance(content, dict):
        keys = list(content)
    elif isinstance(content, list):
        keys = list(range(len(content)))
    return [path, *(found for key in keys for found in places(content[key], (*path, key)))]


def damaged(data: st.DataObject, text: str, insert: st.SearchStrategy[str]) -> str:
    """A text with a few characters replaced, and perhaps cut off."""
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(start + 20, len(text))))
    changed = text[:start] + data.draw(insert) + text[stop:]
    if data.draw(st.booleans()):
        changed = changed[: data.draw(st.integers(0, len(changed)))]
    return changed


@pytest.mark.parametrize("name", FILES)
@FUZZ
@given(data=st.data())
def test_changed_values(name, data):
    content = load_yaml(FILES[name].text, origin=name)
    for _ in range(data.draw(st.integers(1, 2))):
        content = copy.deepcopy(content)
        inner = places(content)[1:]
        if not inner:
            break
        *parents, last = data.draw(st.sampled_from(inner))
        holder = content
        for key in parents:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[last] = data.draw(ODD_VALUES)
        elif isinstance(holder, dict) and data.draw(st.booleans()):
            holder[data.draw(st.text(max_size=5) | st.sampled_from(ODD_TEXTS))] = holder.pop(last)
        else:
            del holder[last]
    use(yaml.safe_dump(content), FILES[name])


@pytest.mark.parametrize("name", FILES)
@FUZZ
@given(data=st.data())
def test_changed_text(name, data):
    use(damaged(data, FILES[name].text, ODD_YAML), FILES[name])


@pytest.mark.filterwarnings("ignore:.* has no column digest")
@pytest.mark.parametrize("name", TABLES)
@FUZZ
@given(data=st.data())
def test_changed_tables(name, data):
    insert = st.one_of(
        st.text(max_size=5),
        st.sampled_from(['"', "1_0", "٣", "1e999", "9" * 5000, "\x00", "\r", ",,", "\n\n", "-0"]),
    )
    use(damaged(data, TABLES[name].text, insert), TABLES[name], name)


@FUZZ
@given(text=st.lists(ODD_YAML, max_size=8).map(" ".join) | st.text(max_size=30))
def test_any_text(text):
    for model in (Scenario, Sb3Hyperparameters):
        with contextlib.suppress(ConfigError):
            resources.parse(text, model, origin="fuzz.yaml")
