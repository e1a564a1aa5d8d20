from __future__ import annotations

from fractions import Fraction

import pytest

from dream_gym.errors import ConfigError
from dream_gym.reading import resources
from dream_gym.workload import Layer, Network, Scenario, load_scenario

GOOD = """
schema: 1
name: example
models:
  - {name: eyes, network: sosnet, rate: 30}
  - {name: voice, network: kws_res8, rate: 15, depends_on: {model: eyes, probability: 0.5}}
"""


def parse(text: str) -> Scenario:
    return resources.parse(text, Scenario, origin="my.yaml")


@pytest.mark.parametrize("name", resources.names("scenarios"))
def test_shipped_scenarios_load_under_their_own_name(name):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description


@pytest.mark.parametrize(
    ("name", "models"),
    [
        (
            "ar_social",
            {
                "depth": (30, None),
                "action_segmentation": (30, None),
                "face_detection": (30, None),
                "face_verification": (30, "face_detection"),
                "context": (30, None),
            },
        ),
        (
            "ar_call",
            {
                "keyword_spotting": (15, None),
                "translation": (15, "keyword_spotting"),
                "context": (30, None),
            },
        ),
        (
            "drone_outdoor",
            {
                "object_detection": (30, None),
                "navigation": (60, None),
                "visual_odometry": (60, None),
            },
        ),
    ],
)
def test_rates_and_dependencies_are_those_of_the_paper(name, models):
    found = {
        model.name: (model.rate, model.depends_on.model if model.depends_on else None)
        for model in load_scenario(name).models
    }
    assert found == models


@pytest.mark.parametrize(
    ("written", "child", "rate"),
    [("30000/1001", "15000/1001", Fraction(30000, 1001)), ("0.3", "0.1", Fraction(3, 10))],
)
def test_rates_are_exact(written, child, rate):
    text = GOOD.replace("rate: 30", f"rate: {written}").replace("rate: 15,", f"rate: {child},")
    assert parse(text).models[0].rate == rate


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        (
            "rate: 30",
            "rate: -30",
            "models.0.rate",
            "expected a positive number from 1e-09 to 1000000",
        ),
        ("rate: 30", "rate: .nan", "models.0.rate", "number"),
        ("rate: 30", "rate: 1/0", "models.0.rate", "number"),
        ("rate: 30", "rate: true", "models.0.rate", "number"),
        ("rate: 15", "rate: 20", "models.1.rate", "does not divide"),
        ("sosnet", "3", "models.0.network", "expected the name of a network, got 3"),
        ("sosnet", "sosnett", "models.0.network", "sosnet"),
        ("sosnet", "{name: gnmt, parameters: {tokn: 3}}", "models.0.network", "tokn"),
        ("rate: 30", "rate: 30, fps: 3", "models.0.fps", "no such key; known: name, network, rate"),
        ("rate: 30", "rate: 30, jitter_ms: 34", "models.0.jitter_ms", "below the period"),
        ("rate: 30", "rate: 30, deadline_ms: 0", "models.0.deadline_ms", "expected at least 1e-06"),
        ("rate: 30", "rate: 30, backlog: 0", "models.0.backlog", "expected at least 1, got 0"),
        ("model: eyes", "model: ears", "models.1.depends_on.model", "'ears'"),
        ("model: eyes", "model: voice", "models.1.depends_on.model", "depends on itself"),
        (
            "probability: 0.5",
            "probability: 1.5",
            "models.1.depends_on.probability",
            "expected at most 1",
        ),
        ("name: voice", "name: eyes", "models.1.name", "used twice"),
        ("schema: 1", "schema: 2", "schema", "1"),
        ("name: example", "nme: example", "nme", "no such key; did you mean name?"),
        ("name: example", "# example", "name", "is missing"),
    ],
)
def test_bad_input_names_file_and_field(old, new, field, words):
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert message.startswith(f"my.yaml: {field}")
    assert words in message
    assert "\n" not in message


def test_cycle_of_two_is_an_error():
    closing = "sosnet, rate: 15, depends_on: {model: voice, probability: 1}"
    with pytest.raises(ConfigError, match=r"models\.0\.depends_on\.model: .*depends on itself"):
        parse(GOOD.replace("sosnet, rate: 30", closing))


@pytest.mark.parametrize("text", ["", "- a\n- b", "a: [1", "just words"])
def test_text_that_is_no_mapping_is_an_error(text):
    with pytest.raises(ConfigError, match=r"my\.yaml"):
        parse(text)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match="ar_social"):
        load_scenario("ar_sociall")


def test_missing_file_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_scenario(tmp_path / "none.yaml")


def test_path_and_object_work_where_a_name_does(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    scenario = load_scenario(path)
    assert load_scenario(str(path)) == scenario
    assert load_scenario(scenario) is scenario


def test_a_network_may_be_an_object_or_written_out():
    network = Network("tiny", (Layer("fc", K=4, C=8, Y=1, X=1),), source="this test")
    written = GOOD.replace(
        "sosnet", "{name: tiny, source: this test, layers: [{name: fc, K: 4, C: 8, Y: 1, X: 1}]}"
    )
    assert parse(written).models[0].built_network == network
    with pytest.raises(ConfigError, match="K must be at least 1"):
        parse(written.replace("K: 4", "K: 0"))


def test_a_recording_lies_relative_to_the_file_of_the_scenario(tmp_path):
    (tmp_path / "mine.yaml").write_text(GOOD + "recording: traces/day.csv\n")
    scenario = load_scenario(tmp_path / "mine.yaml")
    assert scenario.recording == tmp_path / "traces" / "day.csv"
