"""What is written as Markdown is read back from it by a parser of Markdown."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dream_gym.analysis.report.markdown import block, code, escape, visible
from dream_gym.analysis.report.tables import Name, TextTable

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = (
    "cam[left]",
    "cam[/left]",
    "[x](http://y)",
    "a|b",
    "a\\|b",
    "`",
    "``x`",
    "_base",
    "__init__",
    "*a*",
    "<b>x</b>",
    "p$_$q",
    "&amp;",
    "~~gone~~",
    "a\nb",
    "\x1b[31mred",
    "カメラ",
    ":smile:",
    "a\\",
)
texts = st.sampled_from(HOSTILE) | st.text("ab_*`|[]()<>&;$~\\#:!é\n", min_size=1, max_size=12)


def shown(markdown: str) -> list[str]:
    """What a reader sees of the cells of a table, or of a paragraph."""
    found = []
    for token in PARSER.parse(markdown):
        if token.type == "inline":
            for child in token.children or []:
                assert child.type in ("text", "text_special", "code_inline"), child
            found.append("".join(child.content for child in token.children or []))
    return found


@settings(deadline=None)
@given(texts)
def test_text_and_names_are_shown_as_they_are(text: str) -> None:
    line = visible(text)
    assert shown(f"x {escape(text)} x") == [f"x {line} x"]
    assert shown(f"x {code(text)} x") == [f"x {line} x"]


@settings(deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=3))
def test_tables_keep_their_cells(rows: list[tuple[str, str]]) -> None:
    cells = tuple((Name(name), text) for name, text in rows)
    table = TextTable("", ("name", "te|xt"), cells)
    expected = ["name", "te|xt", *(visible(text) for row in rows for text in row)]
    for markdown in (table.markdown(), table.markdown(aligned=True)):
        assert [text.strip() for text in shown(markdown)] == [text.strip() for text in expected]


def test_what_needs_no_escape_has_none() -> None:
    for text in ("dream_full", "2.25 [2.1, 2.4]", "÷ dream_full [95 %]", "1.5 %; load 2, firm"):
        assert escape(text) == text
    assert code("dream_full") == "`dream_full`"


def test_a_block_ends_where_it_should() -> None:
    (token,) = PARSER.parse(block("a\n```\nb", "sh"))
    assert (token.type, token.content) == ("fence", "a\n```\nb\n")


def test_aligned_columns_are_as_wide_as_their_cells() -> None:
    table = TextTable("", ("name", "1"), ((Name("カメラ"), "22"), (Name("b"), "3")))
    assert table.markdown(aligned=True).splitlines() == [
        "| name     |   1 |",
        "| -------- | --- |",
        "| `カメラ` |  22 |",
        "| `b`      |   3 |",
    ]
