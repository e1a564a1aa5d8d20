"""Names: of shipped files and of a user's own."""

from __future__ import annotations

import shutil

import pytest

from dream_gym.analysis.suites.suite import load_suite
from dream_gym.cli import main
from dream_gym.errors import ConfigError
from dream_gym.reading import resources
from dream_gym.workload import load_scenario

MINE = """
schema: 1
name: mine
recording: trace.csv
models:
  - {name: eyes, network: sosnet, rate: 30}
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv(resources.FOLDER_VARIABLE, raising=False)


def put(folder, name="mine", text=MINE, kind="scenarios"):
    (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / kind / f"{name}.yaml").write_text(text)


def test_a_file_of_the_working_directory_has_a_name(tmp_path, capsys):
    before = resources.names("scenarios")
    put(tmp_path / "here")
    assert resources.names("scenarios") == sorted([*before, "mine"])
    assert load_scenario("mine").recording == tmp_path / "here" / "scenarios" / "trace.csv"
    assert main(["list"]) == 0
    assert "eyes 30" in capsys.readouterr().out


def test_a_file_of_the_users_folder_has_a_name(tmp_path, monkeypatch):
    put(tmp_path / "configs")
    with pytest.raises(ConfigError, match="'mine' is neither"):
        load_scenario("mine")
    monkeypatch.setenv(resources.FOLDER_VARIABLE, str(tmp_path / "configs"))
    assert load_scenario("mine").name == "mine"
    monkeypatch.setenv(resources.FOLDER_VARIABLE, "")
    assert "mine" not in resources.names("scenarios")


def test_one_folder_given_twice_is_one(tmp_path, monkeypatch):
    put(tmp_path / "here")
    monkeypatch.setenv(resources.FOLDER_VARIABLE, str(tmp_path / "here"))
    assert load_scenario("mine").name == "mine"
    monkeypatch.setenv(resources.FOLDER_VARIABLE, str(resources.shipped_folder("scenarios").parent))
    assert load_scenario("ar_call").name == "ar_call"


def test_a_name_that_is_taken_is_an_error(tmp_path, monkeypatch, capsys):
    put(tmp_path / "here", "ar_call")
    with pytest.raises(ConfigError, match=r"ar_call\.yaml: has the name of a shipped .*rename it"):
        load_scenario("ar_call")
    assert load_scenario("scenarios/ar_call.yaml").name == "mine"
    assert load_scenario("ar_social").name == "ar_social"
    assert main(["list"]) == 0
    assert "rename it" in capsys.readouterr().out

    put(tmp_path / "here")
    put(tmp_path / "configs")
    monkeypatch.setenv(resources.FOLDER_VARIABLE, str(tmp_path / "configs"))
    with pytest.raises(ConfigError, match=r"has the name of .*mine\.yaml: rename it"):
        load_scenario("mine")


def test_list_names_the_file_at_fault_and_goes_on(tmp_path, capsys):
    put(tmp_path / "here", "broken", "schema: 1\nname: [broken]\n", kind="platforms")
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert "broken.yaml: name" in out
    assert "4k_2ws" in out


@pytest.mark.parametrize("kind", ["scenarios", "platforms", "suites", "rosters", "agents"])
def test_every_kind_has_names(kind, tmp_path):
    shipped = resources.names(kind)[0]
    (tmp_path / "here" / kind).mkdir()
    copy = tmp_path / "here" / kind / "copy.yaml"
    shutil.copy(resources.find(kind, shipped), copy)
    assert resources.find(kind, "copy").absolute() == copy


APP = "schema: 1\nname: app\nphases:\n  - {scenario: %s}\n"


@pytest.mark.parametrize("ring", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_scenario_that_is_its_own_phase_is_one_line(ring, tmp_path, capsys):
    for name, following in zip(ring, [*ring[1:], ring[0]], strict=True):
        put(tmp_path / "here", name, APP % following)
    trail = " -> ".join(f"{name}.yaml" for name in [*ring, ring[0]])
    with pytest.raises(ConfigError, match=f"a.yaml: leads back to itself: {trail}$"):
        load_scenario("a")
    with pytest.raises(ConfigError, match="leads back to itself"):
        load_scenario("scenarios/../scenarios/a.yaml")
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert out.count("leads back to itself") == len(ring)
    assert "vr_gaming" in out
    assert "4k_2ws" in out


def test_a_long_chain_of_phases_is_one_line(tmp_path):
    for index in range(3000):
        put(tmp_path / "here", f"a{index}", APP % f"a{index + 1}.yaml")
    with pytest.raises(ConfigError, match="more than 8 files that name one another"):
        load_scenario("a0")


def test_a_suite_names_the_ring_of_its_scenario(tmp_path):
    put(tmp_path / "here", "a", APP % "a")
    text = "schema: 1\nname: s\ncells: [{scenario: a, platform: 4k_2ws}]\n"
    put(tmp_path / "here", "s", text + "policies: [{scheduler: fcfs}]\n", kind="suites")
    with pytest.raises(ConfigError, match=r"s\.yaml: cells\.0: .*leads back to itself"):
        load_suite("s")


@pytest.mark.parametrize("text", ["[" * 3000, "name: " + "9" * 10_000, "a: 1\na: 2", "&a [*a]"])
def test_list_survives_any_file(text, tmp_path, capsys):
    for kind in ("scenarios", "platforms", "suites"):
        put(tmp_path / "here", "broken", text, kind=kind)
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert out.count("broken.yaml") == 3
    assert "4k_2ws" in out


def test_a_suite_loads_each_of_its_files_once(tmp_path, monkeypatch):
    loaded = []
    read = resources.read

    def count(path, model):
        loaded.append(path.stem)
        return read(path, model)

    monkeypatch.setattr(resources, "read", count)
    assert len(load_suite("sweep").cells) > len(set(loaded))
    assert len(loaded) == len(set(loaded))


@pytest.mark.parametrize(
    ("kind", "name", "near"),
    [
        ("scenarios", "ar_sociall", "ar_social"),
        ("platforms", "4k_1ws2os", "4k_1ws_2os"),
        ("suites", "asplos", "asplos23"),
        ("rosters", "onlin", "online"),
        ("agents", "pp", "ppo"),
    ],
)
def test_a_name_that_is_nearly_right_is_suggested(kind, name, near):
    with pytest.raises(ConfigError, match=rf"^{kind}: '{name}' .*; did you mean .*{near}"):
        resources.find(kind, name)


def test_without_anything_near_all_are_named():
    with pytest.raises(ConfigError, match=r"suites; known: asplos23, "):
        resources.find("suites", "xyzzy" * 1000)
