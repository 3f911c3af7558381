"""The command line: one module a command; `main` turns what goes wrong into one sentence and an exit status.

Modules import what computes inside their commands, so that `--help` and `methods` answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from inpaint_core import __version__
from inpaint_core.cli import benchmark, compare, edges, fill, masks, methods
from inpaint_core.cli.status import INTERRUPTED, USER_ERROR
from inpaint_core.errors import InpaintError

app = typer.Typer(
    name="inpaint_core",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "**Exit status**: 0 all went well, 2 something to mend in the call or its files, 3 some files of a folder or "
        "methods of a comparison failed, 130 interrupted."
    ),
)
app.command()(fill.fill)
app.command()(compare.compare)
app.add_typer(masks.app, name="mask")
app.command()(edges.edges)
app.command()(methods.methods)
app.command()(benchmark.benchmark)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"inpainting-studio {__version__}")
        raise typer.Exit


@app.callback()
def _about(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Fill holes in photos: every inpainting method from Navier-Stokes to deep networks, on files and folders.

    A mask is a picture of the photo's size, white where the photo is to be filled. Known pixels stay bit for bit
    what they were.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on `arguments` (those of the process by default); returns the exit status."""
    try:
        status = app(args=arguments, prog_name="python -m inpaint_core", standalone_mode=False) or 0
    except InpaintError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception as error:
        # A call that makes no sense: typer raises click's exceptions, or since 0.26 its own ones, which share this.
        describe = getattr(error, "format_message", None)
        if describe is None:
            raise
        if not (text := describe()):  # the help was shown, as there were no arguments
            return USER_ERROR
        return _refuse(" ".join(text.split()).rstrip(".") + "; --help shows how to call it.")
    if status == INTERRUPTED:
        typer.echo("Interrupted; whatever is finished is complete.", err=True)
    return status


def _refuse(sentence: str) -> int:
    sys.stdout.flush()
    typer.echo(f"Error: {sentence}", err=True)
    return USER_ERROR
