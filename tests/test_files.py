from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dream_gym.errors import ConfigError, DreamGymError
from dream_gym.files import (
    check_outputs,
    check_writable,
    file_name,
    locked,
    remove_temporaries,
    replacing,
    write_text,
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def test_write_makes_folders_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    write_text(path, "one")
    write_text(path, "two")
    assert path.read_text() == "two"
    assert [item.name for item in path.parent.iterdir()] == ["b.txt"]


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "b.txt"
    write_text(path, "old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["b.txt"]


@pytest.mark.parametrize("write", [check_writable, lambda path: write_text(path, "")])
def test_unwritable_is_one_clear_error(write: object, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert callable(write)
    with pytest.raises(DreamGymError, match=r"x\.txt: cannot be written"):
        write(file / "x.txt")
    with pytest.raises(DreamGymError, match="cannot be written"):
        write(tmp_path)


def test_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "x.txt")
    assert list(tmp_path.iterdir()) == []


@posix
def test_links_stay_and_their_targets_get_the_content(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "target.txt", tmp_path / "link.txt"
    for content in ("of a dangling link", "of one that leads somewhere"):
        link.unlink(missing_ok=True)
        link.symlink_to(Path("far") / "target.txt")
        check_writable(link)
        write_text(link, content)
        assert link.is_symlink()
        assert target.read_text() == content
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["far", "link.txt", "target.txt"]


@posix
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    check_writable(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "content")
    reader.join(timeout=10)
    assert got == ["content"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@posix
def test_devices_stay_devices() -> None:
    write_text("/dev/null", "content")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(DreamGymError, match="/dev/full: cannot be written: No space left"):
        write_text("/dev/full", "content")


WRITE = "import sys; from dream_gym.files import write_text; write_text(sys.argv[1], 'content')"


@posix
@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_standard_output_gets_the_content_wherever_it_goes(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE, name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "content"
    file = tmp_path / "out.txt"
    with file.open("a") as out:  # a regular file that the shell has open and that must stay
        out.write("before ")
        out.flush()
        subprocess.run(command, cwd=tmp_path, stdout=out, check=True)
    assert file.read_text() == "before content"
    assert list(tmp_path.iterdir()) == [file]


@posix
def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "private.txt"
    write_text(path, "one")
    path.chmod(0o600)
    write_text(path, "two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix
def test_what_may_not_be_written_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("precious")
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write everywhere
    for write in (check_writable, lambda path: write_text(path, "")):
        with pytest.raises(DreamGymError, match=r"mine\.txt: cannot be written: .*ermission"):
            write(path)
    assert path.read_text() == "precious"


@posix
def test_a_link_to_itself_is_named(tmp_path: Path) -> None:
    path = tmp_path / "loop"
    path.symlink_to("loop")
    with pytest.raises(DreamGymError, match="loop: cannot be written: the link leads back"):
        check_writable(path)


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    check_outputs(tmp_path / "a", None, tmp_path / "b", Path("-"), Path("/dev/null"))
    for one, other in (("x/../a", "a"), ("-", "/dev/stdout")):
        with pytest.raises(ConfigError, match="two outputs"):
            check_outputs(tmp_path / one if "a" in one else Path(one), tmp_path / other)


KILLED = """
import os, sys
from pathlib import Path
from dream_gym.files import locked, replacing
folder = Path(sys.argv[1])
with locked(folder), replacing(folder / "x.txt") as temporary:
    temporary.write_text("half")
    print(temporary.name, flush=True)
    sys.stdin.read()
    os.abort()
"""


@posix
def test_what_a_killed_process_leaves_is_removed_and_nothing_else(tmp_path: Path) -> None:
    decoys = [".dream_gym-notes", ".dream_gym-abcdefghi.txt", ".dream_gym-ABCDEFGH", ".tmpabcdefgh"]
    for name in decoys:
        (tmp_path / name).write_text("precious")
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    pipe = subprocess.PIPE
    writer = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert writer.stdout is not None
    name = writer.stdout.readline().strip()
    remove_temporaries(tmp_path)
    assert (tmp_path / name).read_text() == "half", "its process is at work"
    with pytest.raises(DreamGymError, match="another run is at work there"), locked(tmp_path):
        pass
    writer.communicate("")
    assert (tmp_path / name).exists()
    with locked(tmp_path):  # the lock of a dead process stands in nobody's way
        write_text(tmp_path / "y.txt", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*decoys, "y.txt"])


def test_a_lock_takes_with_it_the_folders_that_it_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "parts"
    with pytest.raises(KeyboardInterrupt), locked(folder):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with locked(folder):
        (folder.parent / "x").write_text("")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "x"]
    with locked(folder):
        (folder / "y").write_text("")
    assert [path.name for path in folder.iterdir()] == ["y"]


@pytest.mark.parametrize(
    "name", ["..", ".", "", "../../x", "a/b", "/etc/x", "a\n", ".hidden", "x\\y"]
)
def test_a_name_leads_nowhere(name: str, tmp_path: Path) -> None:
    path = tmp_path / file_name(name)
    assert Path(os.path.normpath(path)).parent == tmp_path
    assert not path.name.startswith(".")
    assert file_name("naïve suite-1.0") == "naïve_suite-1.0"
