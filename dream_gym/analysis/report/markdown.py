"""Output in Markdown: it shows the user's texts and names as they are, whatever is in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MARKUP = re.compile(
    r"[\\`*<~$]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # between letters and digits it means nothing
    r"|\](?=[(\[:])"  # the end of a link's text; intervals keep their brackets
    r"|&(?=#?\w+;)"
    r"|:(?=\w+:)"
)


def visible(text: str) -> str:
    """The text on one line, with control and invisible characters escaped as in Python."""
    return "".join(sign if sign.isprintable() else as_python(sign) for sign in text)


def as_python(text: str) -> str:
    """The text in ASCII, with the escapes of a Python string."""
    return text.encode("unicode_escape").decode("ascii")


def escape(text: str) -> str:
    """A line of Markdown that shows a text."""
    return _MARKUP.sub(lambda found: "\\" + found[0], visible(text))


def code(name: str) -> str:
    """A span of code that shows a name."""
    shown = visible(name)
    fence = "`" * (_longest_run(shown) + 1)
    # One space at each end is not shown; without it, a backtick there would join the fence.
    pad = " " if shown[:1] in "` " or shown[-1:] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def block(text: str, language: str) -> str:
    """A block of code that shows a text."""
    fence = "`" * max(_longest_run(text) + 1, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def row(cells: Sequence[str]) -> str:
    """A row of a table, of cells in Markdown."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _longest_run(text: str) -> int:
    """The length of the longest run of backticks."""
    return max((len(run) for run in re.findall("`+", text)), default=0)
