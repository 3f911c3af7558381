"""A table of figures with a title and a note."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@dataclass
class Section:
    """One table of a report."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    note: str | None = None

    def print_to(self, console: Console) -> None:
        """Print title, table and note; the first column is never cut."""
        from rich import box
        from rich.table import Table

        table = Table(title=self.title, title_justify="left", caption=self.note, box=box.SIMPLE_HEAD)
        table.caption_justify = "left"
        for index, column in enumerate(self.columns):
            table.add_column(column, justify="left" if index == 0 else "right", no_wrap=index == 0)
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
