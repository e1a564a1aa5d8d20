"""What terminals of any width and encoding show: all of it."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest
from rich.cells import cell_len
from rich.console import Console

from dream_gym.analysis.report.tables import Name, TextTable
from dream_gym.cli.output import say, show_table

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NAMES = ("dream_full", "cam[left]", "cam[/left]", "[bold]x", ":smile:", "カメラの名前", "x" * 60)
FIGURES = ("2247.5 [2112.25, 2398.75]", "14.12 [13.1, 15.9]", "1", "0.00% [0.00, 16.84]")
HEADINGS = (
    "policy",
    "UXCost [95 %]",
    "× lower bound",
    "÷ that of a [b], geometric mean",
    "violated",
)
TABLE = TextTable("A [title]", HEADINGS, tuple((Name(name), *FIGURES) for name in NAMES))


def terminal(width: int, encoding: str = "utf-8", *, is_terminal: bool = True) -> Console:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return Console(
        file=file,
        width=width,
        force_terminal=is_terminal,
        no_color=True,
        highlight=False,
        markup=False,
        emoji=False,
    )


def lines(console: Console) -> list[str]:
    file = console.file
    assert isinstance(file, io.TextIOWrapper)
    file.flush()
    buffer = file.buffer
    assert isinstance(buffer, io.BytesIO)
    return ESCAPES.sub("", buffer.getvalue().decode(file.encoding)).splitlines()


@pytest.mark.parametrize("width", [200, 120, 80, 60, 40])
def test_no_figure_and_no_name_is_cut(width: int) -> None:
    console = terminal(width)
    show_table(console, TABLE)
    shown = lines(console)
    assert all(cell_len(line) <= width for line in shown)
    assert not any("…" in line for line in shown)
    parts = FIGURES if width > 40 else " ".join(FIGURES).split()
    for part in parts:
        assert sum(f"{line} ".count(f" {part} ") for line in shown) >= len(NAMES)
    squeezed = "".join(line.split("  ")[1].strip() for line in shown if line.startswith("  "))
    for name in NAMES:  # whole, or in lines one under the other
        assert name in squeezed


def test_a_column_that_is_too_wide_is_wrapped_between_words() -> None:
    console = terminal(40)
    text = "12.5 [11.25, 13.75] · 100.00% [29.24, 100.00]"
    show_table(console, TextTable("", ("model", "all"), (("camera", text),)))
    words = " ".join(lines(console)).split()
    assert [word for word in words if word in text.split()] == text.split()


def test_prose_is_wrapped_between_words() -> None:
    console = terminal(40)
    text = "hand_tracking 45, eye_segmentation 60 after eye_gaze, and so on for long"
    show_table(console, TextTable("", ("name", "models"), (("vr_gaming", text),), prose=True))
    words = [word for line in lines(console) for word in line.split()]
    assert [word for word in words if word in text.split()] == text.split()


def test_nothing_is_markup_to_a_terminal() -> None:
    console = terminal(80)
    say(console, "cam[/left] [red]x[/red] :smile: a\nb \x1b[31m")
    assert lines(console) == [r"cam[/left] [red]x[/red] :smile: a\nb \x1b[31m"]


def test_what_is_to_be_copied_is_left_whole() -> None:
    command = "dream-gym benchmark --suite " + "x" * 60
    console = terminal(40)
    say(console, command, keep=True)
    assert lines(console) == [command]
    console = terminal(40, is_terminal=False)
    say(console, command)
    assert lines(console) == [command]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_sign_is_lost_where_an_encoding_lacks_it(encoding: str, is_terminal: bool) -> None:
    console = terminal(300, encoding, is_terminal=is_terminal)
    show_table(console, TABLE)
    say(console, "≥ 2.5 · カ")
    shown = lines(console)
    text = "\n".join(shown)
    assert "\\u30ab\\u30e1\\u30e9" in text
    assert ">= 2.5" in text
    assert "\\u30ab" in shown[-1]
    assert ("x lower bound" in text) == (encoding == "ascii")
    for figure in FIGURES:
        assert figure in text


def run(
    arguments: Sequence[str], *, columns: int | None = None, **environment: str
) -> tuple[int, str, str]:
    """Run the command in a process of its own, on a terminal of some columns or piped.

    Returns:
        Its exit status, what it printed, and its errors.
    """
    command = [sys.executable, "-m", "dream_gym", *arguments]
    if columns is None:
        variables = {**os.environ, **environment}
        done = subprocess.run(command, env=variables, capture_output=True)
        return done.returncode, done.stdout.decode(), done.stderr.decode()
    parent, child = pty.openpty()
    variables = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **environment}
    process = subprocess.Popen(command, env=variables, stdout=child, stderr=subprocess.PIPE)
    os.close(child)
    chunks = []
    try:
        while chunk := os.read(parent, 65536):
            chunks.append(chunk)
    except OSError:  # the end of a terminal
        pass
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    os.close(parent)
    return process.wait(), b"".join(chunks).decode(), errors


SHOW = ("show", "ar_social", "--platform", "4k_1ws_2os")


def test_figures_on_real_terminals() -> None:
    code, piped, _ = run(SHOW)
    assert code == 0
    cells = [cell.strip("` ") for line in piped.splitlines() for cell in line.split("|")[1:-1]]
    figures = [cell for cell in cells if re.fullmatch(r"[\d.]+( · [\d.]+)?%?", cell)]
    assert len(figures) > 40
    for columns in (80, 40):
        code, shown, errors = run(SHOW, columns=columns)
        assert (code, errors) == (0, "")
        text = ESCAPES.sub("", shown)
        assert max(cell_len(line) for line in text.splitlines()) <= columns
        for figure in figures:
            assert re.search(rf"(?<!\S){re.escape(figure)}(?!\S)", text), figure


def test_no_colour_and_ascii_only() -> None:
    for arguments in (("list",), ("simulate", "--help"), SHOW):
        code, piped, errors = run(arguments, PYTHONIOENCODING="ascii")
        assert (code, errors) == (0, "")
        assert piped.isascii()
    code, piped, errors = run(["list"], LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0")
    assert (code, errors) == (0, "")
    assert "ar_social" in piped
    warned = (*SHOW, "--load", "1.2")
    for without in (False, True):
        code, shown, _ = run(warned, columns=80, **({"NO_COLOR": "1"} if without else {}))
        assert code == 0
        assert bool(re.search(r"\x1b\[[0-9;]*3[0-7]", shown)) != without, "a warning is yellow"
    code, _, errors = run(["show", "カ", "--platform", "x"], PYTHONIOENCODING="ascii")
    assert code == 2
    assert "\\u30ab" in errors
