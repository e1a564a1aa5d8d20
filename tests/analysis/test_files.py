from pathlib import Path

import pytest

from dream_gym.errors import DreamGymError
from dream_gym.files import check_writable, replacing, write_text


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
    check_writable(tmp_path / "x.txt")
    assert list(tmp_path.iterdir()) == []
