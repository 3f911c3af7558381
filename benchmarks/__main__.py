"""The command line of the benchmarks: `python -m benchmarks --quick`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Annotated

# As in `python -m inpaint_core`: threads that wait sleep. Processes that are started from here inherit it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded

import tyro
from rich.console import Console
from tyro.conf import UseAppendAction

from benchmarks.section import Section
from inpaint_core.errors import InpaintError

WIDTH = 140  # characters of a table in a file or a pipe, which rich would cut to 80


@dataclass(frozen=True, kw_only=True)
class Options:
    """Measure this machine and every method that is ready on it.

    Prints the rate of convolution in float32 and bf16; the time, memory and share of that rate of each network (with
    random weights where there are none) and the seconds of each method at 256, 512 and 1024 pixels; time and memory
    of a brush stroke on a photo of 12 megapixels, and the time of a hole of a million pixels in it; and how many random
    masks a second can be drawn. The best of several runs counts, so run it on an idle machine. With --training: images
    a second of every training script, and the share of the machine's bf16 rate that its steps reach.

    For example: `python -m benchmarks --quick`
    """

    quick: bool = False
    """Fewer repetitions, and smaller photos."""
    training: bool = False
    """Measure the steps of the training scripts instead."""
    engines: bool = False
    """Measure Big LaMa and AOT-GAN by engine instead: CPU time of one thread, and the peak of memory."""
    page: bool = False
    """Measure the page in Chromium instead: bytes, seconds until it is ready, frames of a stroke."""
    workers: bool = False
    """Measure what worker processes cost instead: fills in one process and through them, in turn."""
    script: UseAppendAction[Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME")]] = ()
    """With --training: a script; again for more. Default: all."""
    batch: int | None = None
    """With --training: photos a step in place of the script's own number."""
    json: bool = False
    """Print a JSON object a table and line."""


def sections(options: Options) -> Iterator[Section]:
    """The tables that are asked for, each measured when it is its turn."""
    if options.page:
        from benchmarks.page import page

        yield page()
        return
    if options.engines:
        from benchmarks.engines import engines

        yield engines(repeats=1 if options.quick else 3)
        return
    if options.workers:
        from benchmarks.workers import overhead

        yield overhead(seconds=5.0 if options.quick else 20.0)
        return
    if options.training:
        try:
            from benchmarks import training
        except ImportError as error:
            raise InpaintError("The training scripts cannot run here: install requirements-train.txt.") from error
        yield training.table(list(options.script) or None, options.batch)
        return
    from benchmarks import fills, machine, masks, networks

    quick = options.quick
    # First, while this process is small: on some systems a child inherits its parent's peak of memory.
    large = fills.large_photo(repeats=1 if quick else 3)
    rates = machine.convolution_rates(repeats=3 if quick else 10)
    yield machine.machine(rates)
    yield networks.networks(rates, sizes=(256,) if quick else (256, 512, 1024), repeats=2 if quick else 3)
    yield fills.methods(sizes=(256, 512) if quick else (256, 512, 1024), repeats=2 if quick else 3)
    yield large
    yield fills.large_hole(repeats=1 if quick else 3)
    yield masks.mask_rates(sizes=(256,) if quick else (256, 512))


def main(options: Options) -> int:
    """Print the tables; returns the exit status."""
    console = Console(markup=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH
    try:
        for section in sections(options):
            if options.json:
                print(json.dumps(asdict(section)))
            else:
                section.print_to(console)
    except InpaintError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(tyro.cli(Options, config=(tyro.conf.FlagCreatePairsOff,))))
