"""A damaged file gives a valid object or one clear error, never a traceback."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dream_gym import resources
from dream_gym.analysis.suite import Suite
from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, load_platform
from dream_gym.simulator import build_problem
from dream_gym.workload import Scenario, load_scenario

CONFIGS = Path(__file__).parents[1] / "configs"
FILES = {
    "scenarios/vr_gaming.yaml": Scenario,
    "platforms/4k_1ws_2os.yaml": Platform,
    "suites/demo.yaml": Suite,
}
ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["30000/1001", "1/0", "nan", "../x", [], {}, [1], {"a": 1}, -1, 0, 1e300]),
)
QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def use(text: str, model: type) -> None:
    """Parse, and build what can be built; no error but `ConfigError` may escape."""
    problem = None
    try:
        parsed = resources.parse(text, model, origin="fuzz.yaml")
    except ConfigError as error:
        problem = str(error)
    if problem is not None:
        assert problem.startswith("fuzz.yaml: ")
        return
    with contextlib.suppress(ConfigError):
        if isinstance(parsed, Scenario):
            build_problem(parsed, load_platform("4k_2ws"))
        if isinstance(parsed, Platform):
            build_problem(load_scenario("drone_outdoor"), parsed)


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values of a document."""
    keys: list[Any] = []
    if isinstance(content, dict):
        keys = list(content)
    elif isinstance(content, list):
        keys = list(range(len(content)))
    return [path, *(found for key in keys for found in places(content[key], (*path, key)))]


@pytest.mark.parametrize("name", FILES)
@QUICK
@given(data=st.data())
def test_changed_values(name, data):
    content = yaml.safe_load((CONFIGS / name).read_text())
    for _ in range(data.draw(st.integers(1, 2))):
        content = copy.deepcopy(content)
        *parents, last = data.draw(st.sampled_from(places(content)[1:]))
        holder = content
        for key in parents:
            holder = holder[key]
        if data.draw(st.booleans()):
            holder[last] = data.draw(ODD_VALUES)
        else:
            del holder[last]
    use(yaml.safe_dump(content), FILES[name])


@pytest.mark.parametrize("name", FILES)
@QUICK
@given(data=st.data())
def test_changed_text(name, data):
    text = (CONFIGS / name).read_text()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(start + 20, len(text))))
    changed = text[:start] + data.draw(st.text(max_size=5)) + text[stop:]
    if data.draw(st.booleans()):
        changed = changed[: data.draw(st.integers(0, len(changed)))]
    use(changed, FILES[name])
