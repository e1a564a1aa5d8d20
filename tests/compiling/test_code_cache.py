"""Machine code on disk: found again, and never missed where it cannot be kept."""

from __future__ import annotations

import errno
import importlib.util
import logging
from pathlib import Path
from typing import Any

import numba
import pytest
from numba.core.caching import IndexDataCacheFile

from dream_gym.compiling import code_cache
from dream_gym.compiling.jit import ENTRY_POINTS, compiled, entry_point, inlined

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

MODULE = """
from dream_gym.compiling.jit import entry_point

@entry_point("of_the_cache", "the double")
def double(number):
    return 2 * number
"""


@pytest.fixture(autouse=True)
def forget() -> Any:
    """Warnings that come once a process come once a test; entry points of tests are no others'."""
    code_cache._complain.cache_clear()
    known = list(ENTRY_POINTS)
    yield
    ENTRY_POINTS[:] = known


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module with an entry point, in a package that may be written; so may the user's cache."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    path = tmp_path / "room" / "doubling.py"
    path.parent.mkdir()
    path.write_text(MODULE)
    return path


def load(source: Path) -> Any:
    """The entry point, as a new process has it."""
    spec = importlib.util.spec_from_file_location("doubling", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.double(4) == 8
    return module.double


def found(function: Any) -> bool:
    hits, misses = function.stats.cache_hits, function.stats.cache_misses
    assert sum(hits.values()) + sum(misses.values()) == 1
    return sum(hits.values()) == 1


def files(folder: Path) -> set[str]:
    return {path.suffix for path in folder.rglob("*.nb?")}


def test_code_lies_beside_the_package(source: Path, tmp_path: Path) -> None:
    assert not found(load(source))
    assert files(source.parent / "__pycache__") == {".nbi", ".nbc"}
    assert not (tmp_path / "home").exists()
    assert found(load(source))


def test_else_in_a_folder_of_the_users(source: Path, tmp_path: Path) -> None:
    (source.parent / "__pycache__").write_text("a file, so that there can be no folder")
    assert not found(load(source))
    assert files(tmp_path / "home" / "dream_gym") == {".nbi", ".nbc"}
    assert found(load(source))


def test_a_package_that_cannot_be_written_may_have_been_compiled_before(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(source)

    def refuse(self: Any, *_: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(IndexDataCacheFile, "save", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/home")
    assert found(load(source))


def test_a_folder_that_is_named_is_the_only_one(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(source)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "named"))
    assert not found(load(source))
    assert files(tmp_path / "named") == {".nbi", ".nbc"}


def test_what_cannot_be_kept_is_compiled_and_that_is_said_once(
    source: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source.parent / "__pycache__").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/home")
    with caplog.at_level(logging.WARNING, "dream_gym"):
        for _ in range(2):
            assert not found(load(source))
    compiling, kept, again = (record.getMessage() for record in caplog.records)
    assert compiling == again
    assert "compiling the double, once per version" in compiling
    assert "cannot be kept" in kept
    assert "NUMBA_CACHE_DIR" in kept


def test_a_full_disk_ends_nothing(
    source: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(self: Any, name: str, data: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "_save_data", fill)
    assert not found(load(source))  # it has an index now, which names what is not there
    assert [record.getMessage() for record in caplog.records if "No space" in record.getMessage()]
    monkeypatch.undo()
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    assert not found(load(source))
    assert found(load(source))


@pytest.mark.parametrize("damage", [b"", b"no pickle", None])
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_what_is_damaged_is_compiled_again(source: Path, suffix: str, damage: bytes | None) -> None:
    load(source)
    for path in source.parent.rglob(f"*{suffix}"):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert not found(load(source))
    assert found(load(source))


@inlined
def scaled(number: int, factor: int) -> int:
    return number * factor


@compiled
def shifted(number: int, by: int) -> int:
    return number + by


@entry_point("of_the_parts", cache=False)
def both(number: int) -> int:
    return scaled(number, 3) + scaled(number, 5) + shifted(number, 1) + shifted(number, by=2)


def test_what_compiled_code_calls_is_compiled_once_and_only_within_it() -> None:
    assert both(10) == 30 + 50 + 11 + 12
    for part in (scaled, shifted):
        overloads: Any = part.overloads  # type: ignore[attr-defined]
        assert len(overloads) == 1, "one for all constants"
        (result,) = overloads.values()
        library = result.library
        assert library._compiled_object is None, "no machine code of its own"
