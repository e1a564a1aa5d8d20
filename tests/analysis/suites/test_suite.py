from pathlib import Path
from typing import Any

import pytest
import yaml

from dream_gym.analysis.suites.suite import Suite, Tuning, load_suite
from dream_gym.errors import ConfigError
from dream_gym.reading import resources
from dream_gym.reading.resources import validate
from dream_gym.workload import evaluation_seeds, selection_seeds, training_seeds


@pytest.mark.parametrize("name", resources.names("suites"))
def test_shipped_suite_is_valid(name: str) -> None:
    assert load_suite(name).name == name


def test_combinations_of_a_grid() -> None:
    tuning = Tuning.model_validate({"grid": {"alpha": [0, 1], "beta": [2]}})
    assert tuning.combinations() == [{"alpha": 0, "beta": 2}, {"alpha": 1, "beta": 2}]


VALID: dict[str, Any] = {
    "schema": 1,
    "name": "mine",
    "cells": [{"scenario": "ar_call", "platform": "4k_2ws"}],
    "policies": [{"scheduler": "fcfs"}],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cells": []}, "cells"),
        ({"cells": [{"scenario": "nope", "platform": "4k_2ws"}]}, r"cells\.0.*'nope'"),
        ({"cells": [{"scenario": "ar_call", "platform": "nope"}]}, r"cells\.0.*'nope'"),
        ({"cells": VALID["cells"] * 2}, r"cells\.1.*twice"),
        ({"cells": [{**VALID["cells"][0], "load": 0}]}, r"cells\.0\.load"),
        ({"policies": [{"scheduler": "nope"}]}, r"policies\.0.*'nope'"),
        ({"policies": VALID["policies"] * 2}, r"policies\.1\.name.*twice"),
        ({"policies": [{"scheduler": "fcfs", "options": {"alpha": 1}}]}, r"policies\.0.*alpha"),
        (
            {"policies": [{"scheduler": "dream_mapscore", "tune": {"grid": {"alpha": [0, 9]}}}]},
            r"policies\.0.*alpha",
        ),
        (
            {"policies": [{"scheduler": "dream_mapscore", "tune": {"grid": {"alpha": []}}}]},
            r"policies\.0\.tune\.grid\.alpha",
        ),
        ({"seeds": 0}, "seeds"),
        ({"seconds": -1}, "seconds"),
        ({"speed": 1}, "speed: no such key; did you mean"),
        ({"polices": []}, "polices: no such key; did you mean policies"),
        ({"seeds": True}, "seeds: expected a whole number, got true"),
        ({"seeds": "3"}, "seeds: expected a whole number, got the text '3'"),
        ({"seconds": 1e-12}, "seconds: expected at least 1e-09"),
        ({"name": "../../x"}, "name: must do as the name of a file"),
        (
            {"cells": [{"scenarios": ["ar_call"], "platforms": ["4k_2ws"], "loads": "egde"}]},
            "cells: 0: loads: expected a list or 'edge', 'stress' or 'sweep', got the text 'egde'",
        ),
        (
            {
                "cells": [
                    {
                        "scenarios": ["ar_call"] * 100,
                        "platforms": ["4k_2ws"] * 100,
                        "loads": [1.0] * 2,
                    }
                ]
            },
            "cells: more than 10000 cells",
        ),
        (
            {
                "policies": [
                    {
                        "scheduler": "dream_mapscore",
                        "tune": {"grid": {name: [0.5] * 30 for name in "abc"}},
                    }
                ]
            },
            r"policies\.0\.tune: grid: more than 10000 combinations",
        ),
        ({"policies": [{"roster": "online"}] * 100}, "policies: more than 200 policies"),
        ({"policies": [{"roster": "onlin"}]}, "rosters; did you mean online"),
        (
            {"policies": [{"scheduler": "fcfs", "name": "a\nb"}]},
            r"policies\.0\.name: expected printable text on one line",
        ),
    ],
)
def test_mistake_names_file_and_field(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**VALID, **change}))
    with pytest.raises(ConfigError, match=message) as caught:
        load_suite(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_roster_may_be_searched_with_another_effort() -> None:
    content = {**VALID, "policies": [{"roster": "field", "tune": {"seeds": 3, "seconds": 0.5}}]}
    usual = load_suite("generated").policies
    suite = validate(content, Suite, origin="here")
    assert [spec.title for spec in suite.policies] == [spec.title for spec in usual]
    for spec, as_usual in zip(suite.policies, usual, strict=True):
        assert (spec.tune is None) == (as_usual.tune is None)
        if spec.tune is not None and as_usual.tune is not None:
            assert (spec.tune.seeds, spec.tune.seconds) == (3, 0.5)
            assert spec.tune.grid == as_usual.tune.grid
    wrong = [{"roster": "field", "tune": {"seeds": 3, "seconds": 1, "grid": {}}}]
    with pytest.raises(ConfigError, match=r"tune\.grid: no such key"):
        validate({**VALID, "policies": wrong}, Suite, origin="here")


def test_the_field_has_every_scheduler_that_is_online() -> None:
    field = {spec.scheduler for spec in load_suite("generated").policies}
    assert field == {spec.scheduler for spec in load_suite("asplos23").policies}


def test_the_suites_of_random_workloads_have_no_seed_in_common_with_training() -> None:
    ranges = {
        name: {int(cell.scenario.split(":")[1]) for cell in load_suite(name).cells}
        for name in ("generated", "generated_dev", "demo")
    }
    assert ranges["generated"] == set(evaluation_seeds(200))
    assert ranges["generated_dev"] == set(selection_seeds(100))
    assert ranges["demo"] <= set(training_seeds(200))
