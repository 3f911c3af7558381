"""The command line of a script: one option for each field of its config dataclass, whose comments become the help."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import tyro

from inpaint_core.errors import InpaintError

Config = TypeVar("Config")


def run_cli(main: Callable[[Config], object], config: type[Config]) -> None:
    """Build `config` from the process's arguments and call `main` with it.

    An error the user can correct (`InpaintError`, a missing file) is printed as one sentence, with exit status 2;
    Ctrl+C ends with 130.
    """
    options = tyro.cli(config, description=sys.modules[main.__module__].__doc__)
    try:
        main(options)
    except (InpaintError, FileNotFoundError) as error:
        print(str(error), file=sys.stderr)
        raise SystemExit(2) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
