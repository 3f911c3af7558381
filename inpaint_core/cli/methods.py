"""`methods`: the table of what can fill a hole, without loading any of it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from inpaint_core import catalogue


def methods(
    as_json: Annotated[bool, typer.Option("--json", help="Print everything known of each method as JSON.")] = False,
) -> None:
    """List the methods: what each is called, its paper, and whether it can run here.

    Example: `python -m inpaint_core methods --json`
    """
    if as_json:
        keys = ("name", "title", "year", "paper", "url", "family", "licence", "summary", "accepts_sketch", "restores")
        table = [
            {**{key: getattr(method, key) for key in keys}, "ready": method.ready} for method in catalogue.methods()
        ]
        typer.echo(json.dumps(table, indent=2, ensure_ascii=False))
        return
    from rich import box
    from rich.table import Table

    from inpaint_core.cli import console

    table_of_all = Table(box=box.SIMPLE_HEAD)
    for heading in ("name", "method", "year", "family", "sketch", "ready"):
        table_of_all.add_column(heading, no_wrap=heading == "name")
    absent = [method for method in catalogue.methods() if not method.ready]
    for method in catalogue.methods():
        sketch, ready = ("yes" if method.accepts_sketch else ""), ("no" if method in absent else "yes")
        table_of_all.add_row(method.name, method.title, str(method.year), method.family, sketch, ready)
    console.out.print(table_of_all)
    if absent:
        console.out.print("To make the weights of those that are not ready:")
    for method in absent:
        if method.train_command:
            console.out.print(f"  {method.train_command}")
