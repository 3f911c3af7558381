"""The command line: one module a command; `main` turns a failure into one sentence and an exit status.

A command is a dataclass whose fields are its arguments and whose `run` returns the exit status. Modules import what
computes inside `run`, so that `--help` and `methods` answer at once.
"""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from collections.abc import Sequence
from typing import Protocol

import tyro
from rich.text import Text

from inpaint_core import __version__
from inpaint_core.cli import masks, weights
from inpaint_core.cli.compare import Compare
from inpaint_core.cli.edges import Edges
from inpaint_core.cli.fill import Fill
from inpaint_core.cli.methods import Methods
from inpaint_core.cli.status import INTERRUPTED, USER_ERROR
from inpaint_core.cli.suggest import Suggest
from inpaint_core.errors import InpaintError

DESCRIPTION = """\
Fill holes in photos: every inpainting method from Navier-Stokes to deep networks, on files and folders.

A mask is a picture of the photo's size, white where the photo is to be filled. Known pixels stay bit for bit what they
were.

Exit status: 0 all went well, 2 an error in the call or its files, 3 some files of a folder or methods of a
comparison failed, 130 interrupted. --version shows the version.
"""
FRAME = str.maketrans("│╭╮╰╯", "     ")  # what tyro draws around its messages


class Command(Protocol):
    """A command with its arguments."""

    def run(self) -> int:
        """Do it; returns the exit status."""


app = tyro.extras.SubcommandApp()
app.command(name="fill")(Fill)
app.command(name="compare")(Compare)
app.command(name="suggest")(Suggest)
app.command(masks.app, name="mask", help=masks.DESCRIPTION)
app.command(name="edges")(Edges)
app.command(name="methods")(Methods)
app.command(weights.app, name="weights", help=weights.DESCRIPTION)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line on `arguments` (those of the process by default); returns the exit status."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    with contextlib.suppress(ValueError):  # outside of the main thread no signal arrives
        signal.signal(signal.SIGTERM, _terminate)
    if words == ["--version"]:
        print(f"inpainting-studio {__version__}")
        return 0
    try:
        command = _parse(words or ["--help"])
        if command is None:
            return 0 if words else USER_ERROR
        return command.run()
    except InpaintError as error:
        sys.stdout.flush()
        print(f"Error: {error}", file=sys.stderr)
        return USER_ERROR
    except OSError as error:  # a name too long, a full disk, a folder without rights: wherever it was met
        print(
            f"Error: {str(error.filename or 'A file')[:80]}: {(error.strerror or str(error)).lower()}.", file=sys.stderr
        )
        return USER_ERROR
    except KeyboardInterrupt:
        print("Interrupted; whatever is finished is complete.", file=sys.stderr)
        return INTERRUPTED


def _terminate(number: int, frame: object) -> None:
    """End by way of every `finally`, so that no unfinished file stays behind."""
    raise SystemExit(128 + number)


def _parse(words: list[str]) -> Command | None:
    """The command of a call, or None where help was shown; `InpaintError` for a call that makes no sense."""
    message = io.StringIO()
    try:
        with contextlib.redirect_stderr(message):
            return app.cli(
                prog="python -m inpaint_core",
                description=DESCRIPTION,
                args=words,
                config=(tyro.conf.FlagCreatePairsOff,),
            )
    except SystemExit as stop:
        if not stop.code:
            return None
        raise InpaintError(_one_line(message.getvalue())) from None


def _one_line(message: str) -> str:
    """What tyro says is wrong, in its frame of several lines, as one line."""
    lines = Text.from_ansi(message).plain.translate(FRAME).splitlines()[1:]  # the first one is a title
    wrong = []
    for line in lines:
        if "───" in line:  # advice follows
            break
        wrong.append(line.strip())
    sentence = " ".join(" ".join(wrong).split()).removeprefix("Error parsing ").rstrip(".")
    return f"{sentence}; --help shows how to call it."
