"""Functions named in files: found beside the file, apart from one another, imported when called."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dream_gym.cli import main
from dream_gym.errors import ConfigError
from dream_gym.hardware import Platform, cost_table, load_platform
from dream_gym.workload import Layer, Network

NETWORK = Network("n", (Layer("a", K=1, C=1, Y=1, X=1),), source="a test")
PLATFORM = """
schema: 1
name: chip
clock_ghz: 1
dram_bandwidth_gb_s: 1
shared_memory_kib: 1
accelerators: [{name: a}]
costs: {model: python, function: %s}
"""
MODULE = """
import numpy as np
import beside
from dream_gym.hardware import CostTable

def costs(network, chip):
    import late
    return CostTable(np.array([[%d]]), np.array([[beside.NUMBER + late.NUMBER]]))

number = 3

def broken(network, chip):
    return 1 / 0
"""


def put(folder: Path, latency: int = 7, function: str = "my.costs", energy: int = 10) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "my.py").write_text(MODULE % latency)
    (folder / "beside.py").write_text(f"NUMBER = {energy}\n")
    (folder / "late.py").write_text(f"NUMBER = {energy}\n")
    path = folder / "chip.yaml"
    path.write_text(PLATFORM % function)
    return path


def outcome(platform: Platform) -> tuple[int, int]:
    table = cost_table(NETWORK, platform)
    return table.latency_ns.item(), table.energy_pj.item()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


def test_a_module_beside_the_file_is_found_and_leaves_no_trace(tmp_path):
    path, modules = sys.path.copy(), set(sys.modules)
    assert outcome(load_platform(put(tmp_path / "a"))) == (7, 20)
    assert sys.path == path
    assert not {"my", "beside", "late"} & (set(sys.modules) - modules)


def test_a_module_in_the_working_directory_is_found(tmp_path):
    put(tmp_path / "cwd", 5)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "chip.yaml").write_text(PLATFORM % "my.costs")
    assert outcome(load_platform(tmp_path / "a" / "chip.yaml")) == (5, 20)


def test_the_folder_of_the_file_goes_before_the_working_directory(tmp_path):
    put(tmp_path / "cwd", 5, energy=50)
    assert outcome(load_platform(put(tmp_path / "a", 7))) == (7, 20)


def test_modules_of_one_name_in_two_folders_do_not_mix(tmp_path, monkeypatch):
    one, two = put(tmp_path / "a", 1, energy=1), put(tmp_path / "b", 2, energy=2)
    assert load_platform(one) != load_platform(two)
    assert outcome(load_platform(one)) == (1, 2)
    assert outcome(load_platform(two)) == (2, 4)
    assert outcome(load_platform(one)) == (1, 2)


def test_a_module_that_is_imported_already_stays_what_it_was(tmp_path, monkeypatch):
    put(tmp_path / "mine", 9)
    monkeypatch.syspath_prepend(tmp_path / "mine")
    mine = __import__("my")
    try:
        assert outcome(load_platform(put(tmp_path / "a", 1))) == (1, 20)
        assert sys.modules["my"] is mine
    finally:
        for name in ("my", "beside", "late"):
            sys.modules.pop(name, None)


def test_a_package_and_its_parts(tmp_path):
    path = put(tmp_path / "a", function="kit.inner.costs")
    (tmp_path / "a" / "kit").mkdir()
    (tmp_path / "a" / "kit" / "__init__.py").write_text("")
    (tmp_path / "a" / "kit" / "base.py").write_text("LATENCY = 4\n")
    text = MODULE % 4
    text = text.replace("import beside", "from . import base\nimport beside")
    (tmp_path / "a" / "kit" / "inner.py").write_text(text)
    assert outcome(load_platform(path)) == (4, 20)
    assert "kit" not in sys.modules


def test_this_package_is_never_imported_twice(tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    (tmp_path / "chip.yaml").write_text(PLATFORM % "tests.hardware.test_callable.ones")
    assert outcome(load_platform(tmp_path / "chip.yaml")) == (1, 2)
    assert sys.modules["dream_gym.hardware"].Platform is Platform


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_it_works_in_other_processes(method, tmp_path):
    platform = load_platform(put(tmp_path / "a"))
    os.chdir(tmp_path)
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(outcome, platform).result() == (7, 20)


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("nowhere_at_all.costs", "cannot be imported: ModuleNotFoundError: .*; looked in .*a and "),
        ("my.cost", "my.cost: cannot be imported: AttributeError"),
        ("my.number", "my.number: is no function"),
        ("my.broken", "my.broken: ZeroDivisionError: division by zero"),
        ("fails.costs", "cannot be imported: SystemExit: 3"),
    ],
)
def test_what_cannot_be_used_is_one_error_when_it_must_cost(function, problem, tmp_path):
    path = put(tmp_path / "a", function=function)
    (tmp_path / "a" / "fails.py").write_text("import sys\nsys.exit(3)\n")
    platform = load_platform(path)
    with pytest.raises(ConfigError, match=rf"^chip: costs.function: .*{problem}"):
        cost_table(NETWORK, platform)


@pytest.mark.parametrize("function", ["costs", "my.", ".my", "my:costs", "a b.c", "os.system('x')"])
def test_what_is_no_name_of_a_function_is_refused_at_once(function, tmp_path):
    path = put(tmp_path / "a", function=f'"{function}"')
    with pytest.raises(ConfigError, match=r"costs\.function: expected a function such as my_chip"):
        load_platform(path)


def test_listing_and_validating_import_nothing(tmp_path, capsys):
    put(tmp_path / "cwd" / "platforms", function="trap.costs")
    (tmp_path / "cwd" / "trap.py").write_text("open('sprung', 'w')\n")
    (tmp_path / "cwd" / "platforms" / "trap.py").write_text("open('sprung', 'w')\n")
    assert main(["list"]) == 0
    assert "chip" in capsys.readouterr().out
    load_platform("chip")
    assert not list(tmp_path.rglob("sprung"))
    assert main(["show", "ar_call", "--platform", "chip"]) == 2  # the trap has no costs
    assert list(tmp_path.rglob("sprung"))


def test_json_has_its_name(tmp_path):
    platform = load_platform(put(tmp_path / "a"))
    assert platform.model_dump(mode="json")["costs"]["function"] == "my.costs"


def test_the_command_line_runs_it(tmp_path):
    put(tmp_path / "cwd", function="mine.costs")
    text = (
        "import numpy as np\nfrom dream_gym.hardware import CostTable\n\n"
        "def costs(network, chip):\n"
        "    ones = np.full((len(network.layers), 1), 1000, np.int64)\n"
        "    return CostTable(ones, ones)\n"
    )
    (tmp_path / "cwd" / "mine.py").write_text(text)
    command = [sys.executable, "-m", "dream_gym", "show", "ar_call", "--platform", "chip.yaml"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path / "cwd"
    )
    assert done.returncode == 0, done.stderr
