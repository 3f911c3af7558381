"""What the commands print: results to standard output, progress and notes to standard error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

out = Console(markup=False, highlight=False, soft_wrap=True)
err = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
if not out.is_terminal and "COLUMNS" not in os.environ:
    out.width = 140  # rich would cut tables down to 80 columns in a file or a pipe
FILES = TaskID(0)  # the one task of a batch bar


@contextmanager
def one_bar(text: str) -> Iterator[Callable[[float, str], None]]:
    """A bar for one piece of work, gone when it is done; gives a function to call with the share done and a text."""
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(text, total=1)
        yield lambda share, note: progress.update(task, completed=share, description=note or text)


@contextmanager
def download_bar(text: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar for one download, gone when it is done; gives a function to call with the bytes here and those in all."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(text, total=None)
        yield lambda here, total: progress.update(task, completed=here, total=total)


@contextmanager
def batch_bar(total: int) -> Iterator[Progress]:
    """A bar that counts files, the one at work named beside it; its only task is `FILES`."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        progress.add_task("", total=total)
        yield progress
