"""``dream-gym results``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from dream_gym.analysis.extra import polars
from dream_gym.analysis.report.folder import read_outcome
from dream_gym.analysis.report.page import write_page
from dream_gym.analysis.report.template import DEFAULT
from dream_gym.cli.output import make_console, say
from dream_gym.errors import ConfigError
from dream_gym.files import check_outputs, is_stream
from dream_gym.reading.inputs import read_text


def results(
    folders: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="FOLDER")],
    /,
    page: Path,
    template: Path | None = None,
) -> None:
    """Write one page about several suites, from the folders that `benchmark` has written.

    Args:
        folders: The folders, in the order of the page.
        page: The page, in Markdown; its figures go to images/results beside it.
        template: What the page says around its figures, in Markdown with placeholders, such as
            docs/templates/results.md; by default the figures alone.
    """
    polars()
    if not folders:
        raise ConfigError("FOLDER: is missing: name one or more folders written by `benchmark`")
    if is_stream(page):
        raise ConfigError(f"--page: {page}: expected a file, since figures go beside it")
    found = [folder.resolve() for folder in folders]
    for index, folder in enumerate(folders):
        if found[index] in found[:index]:
            raise ConfigError(f"{folder}: is given twice")
    outcomes = [read_outcome(folder) for folder in folders]
    check_outputs(page)
    write_page(outcomes, page, DEFAULT if template is None else read_text(template))
    say(make_console(), f"{page}: {len(folders)} suites", keep=True)
