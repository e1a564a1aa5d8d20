"""What the installed package promises: imports, registration, and the data inside the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_import_does_not_load_the_heavy_libraries():
    heavy = "{'torch', 'stable_baselines3', 'matplotlib', 'polars', 'pandas'}"
    code = f"import sys, dream_gym; assert not {heavy} & set(sys.modules), sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_product_never_imports_agents():
    for path in (ROOT / "dream_gym").rglob("*.py"):
        for line in path.read_text().splitlines():
            assert not line.strip().startswith(("import agents", "from agents")), path


def test_environment_is_found_through_its_module():
    code = "import gymnasium; gymnasium.make('dream_gym:DreamRTMM-v0')"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_wheel_holds_all_modules_and_configs(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*command, "--no-build-isolation", str(ROOT)], check=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    for path in (ROOT / "dream_gym").rglob("*.py"):
        assert str(path.relative_to(ROOT)) in names
    for path in (ROOT / "configs").rglob("*.*"):
        if path.suffix not in (".csv", ".yaml", ".json"):
            continue
        assert f"dream_gym/configs/{path.relative_to(ROOT / 'configs')}" in names
    assert "dream_gym/py.typed" in names
    assert "dream_gym_command.py" in names, "what the script dream-gym calls"
    assert not any(name.startswith(("agents/", "tests/")) for name in names)
