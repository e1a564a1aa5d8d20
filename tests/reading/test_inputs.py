"""Whatever a path leads to is a file of moderate size, or one error at once."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from agents.algorithms.es import EsHyperparameters
from agents.hyperparameters import load_hyperparameters
from dream_gym.analysis.report.folder import read_outcome
from dream_gym.analysis.suites.calibrated import read_table
from dream_gym.analysis.suites.suite import load_suite
from dream_gym.errors import ConfigError
from dream_gym.hardware import load_platform, read_costs
from dream_gym.players.run_folder import RunFolder
from dream_gym.reading import inputs
from dream_gym.schedulers import get_scheduler
from dream_gym.schedulers.evolved.scheduler import find_rule
from dream_gym.workload import load_scenario, read_recording

ABOUT = {
    "schema": 2,
    "command": "c",
    "versions": {},
    "suite": {
        "name": "s",
        "description": "",
        "notes": "",
        "seconds": 1,
        "xrbench_score": False,
        "cells": [
            {
                "scenario": "s",
                "platform": "p",
                "load": 1,
                "expiry": None,
                "cascade": None,
                "jitter": None,
            }
        ],
    },
    "seeds": {"first": 0, "count": 2},
    "policies": [{"cell": 0, "policy": "fcfs", "family": "rule"}],
}


def read_runs(path):
    (path.parent / "about.json").write_text(json.dumps(ABOUT))
    return read_outcome(path.parent)


READERS = {
    "a.yaml": load_scenario,
    "b.yaml": load_platform,
    "c.yaml": load_suite,
    "d.yaml": lambda path: get_scheduler(f"tuned:{path}"),
    "e.yaml": lambda path: load_hyperparameters(str(path), "learned", EsHyperparameters),
    "rule.json": lambda path: find_rule(str(path)),
    "card.json": lambda path: RunFolder.open(path.parent),
    "about.json": lambda path: read_outcome(path.parent),
    "runs.parquet": read_runs,
    "recording.csv": read_recording,
    "costs.csv": read_costs,
    "costs.parquet": read_costs,
    "calibration.csv": read_table,
}


def refused(name: str, path: Path) -> str:
    """The error of the reader of such a name; it must come at once."""
    errors: list[BaseException] = []

    def read() -> None:
        try:
            READERS[name](path)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "hangs"
    assert len(errors) == 1
    assert isinstance(errors[0], ConfigError), errors[0]
    message = str(errors[0])
    assert path.name in message
    assert "\n" not in message
    assert len(message) < 500
    return message


@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_refused(name, tmp_path):
    path = tmp_path / name
    if hasattr(os, "mkfifo"):
        os.mkfifo(path)
        assert "not a regular file" in refused(name, path)
        path.unlink()
    path.mkdir()
    assert "not a regular file" in refused(name, path)
    path.rmdir()
    if Path("/dev/zero").exists():
        path.symlink_to("/dev/zero")
        assert "not a regular file" in refused(name, path)
        path.unlink()
    path.symlink_to(path)
    refused(name, path)
    path.unlink()
    refused(name, path)


@pytest.mark.parametrize("name", READERS)
def test_a_huge_file_is_refused_before_it_is_read(name, tmp_path):
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(10 * 2**30)  # sparse
    assert "is larger than" in refused(name, path)


@pytest.mark.parametrize("name", [name for name in READERS if not name.endswith(".parquet")])
def test_bytes_that_are_no_text_are_refused(name, tmp_path):
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8" in refused(name, path)


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\n")
    assert inputs.read_text(path) == "name: x\n"


@pytest.mark.parametrize("path", ["a\x00b.yaml", "x" * 5000 + ".yaml", "/dev/null/x.yaml"])
def test_paths_that_cannot_be(path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_scenario(path)


def test_a_file_that_grows_is_read_up_to_the_limit(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert inputs.read_bytes(path, most=5) == b"12345"
    with pytest.raises(ConfigError, match="is larger than 4 bytes"):
        inputs.read_bytes(path, most=4)
    status = Path("/proc/self/status")
    if status.exists():  # its size is 0 until it is read
        assert status.stat().st_size == 0
        with pytest.raises(ConfigError, match="is larger than 4 bytes"):
            inputs.read_bytes(status, most=4)
