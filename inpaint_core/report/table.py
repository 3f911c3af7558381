"""The table of a comparison as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inpaint_core import catalogue
from inpaint_core.files import write_atomically

if TYPE_CHECKING:
    from inpaint_core.predictor import Result


def write_csv(results: Sequence[Result], path: Path) -> None:
    """A row a method, in the order of the results: name, title, year, seconds, each metric measured, the error."""
    measured = list(dict.fromkeys(key for result in results for key in result.metrics))
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(["method", "title", "year", "seconds", *measured, "error"])
    for result in results:
        record = catalogue.get(result.method)
        values = [f"{result.metrics[key]:.6g}" if key in result.metrics else "" for key in measured]
        table.writerow([record.name, record.title, record.year, f"{result.seconds:.4f}", *values, result.error or ""])
    write_atomically(path, text.getvalue().encode())
