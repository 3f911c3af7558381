"""`methods`: the table of what can fill a hole, without loading any of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from inpaint_core import catalogue

COLUMNS = ("name", "title", "year", "paper", "url", "family", "licence", "summary", "accepts_sketch", "restores")


@dataclass(frozen=True, kw_only=True)
class Methods:
    """List the methods: what each is called, its paper, and whether it can run here.

    For example: `python -m inpaint_core methods --json`
    """

    as_json: Annotated[bool, arg(name="json")] = False
    """Print everything known of each method as JSON."""

    def run(self) -> int:
        """Print the table; returns the exit status."""
        if self.as_json:
            records = [
                {**{key: getattr(method, key) for key in COLUMNS}, "ready": method.ready}
                for method in catalogue.methods()
            ]
            print(json.dumps(records, indent=2, ensure_ascii=False))
        else:
            _print_table()
        return 0


def _print_table() -> None:
    from rich import box
    from rich.table import Table

    from inpaint_core.cli import console
    from inpaint_core.weights.public import registry

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("name", "method", "year", "family", "sketch", "ready"):
        table.add_column(heading, no_wrap=heading == "name")
    absent = [method for method in catalogue.methods() if not method.ready]
    for method in catalogue.methods():
        sketch, ready = ("yes" if method.accepts_sketch else ""), ("no" if method in absent else "yes")
        table.add_row(method.name, method.title, str(method.year), method.family, sketch, ready)
    console.out.print(table)
    public = {row.method for row in registry.rows()}
    if absent:
        console.out.print("To fetch public weights for those that are not ready, or to make weights:")
    for method in absent:
        if method.name in public:
            console.out.print(f"  python -m inpaint_core weights get {method.name}")
        if method.train_command:
            console.out.print(f"  {method.train_command}")
    here = [method.name for method in catalogue.public_methods() if method.ready]
    if here:
        console.out.print(f"Methods with public weights: {', '.join(here)}")
