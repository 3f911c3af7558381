"""`benchmark`: how fast this machine fills, beside how fast it could at best."""

from __future__ import annotations

from typing import Annotated

import typer


def benchmark(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repetitions, and smaller photos.")] = False,
    training: Annotated[
        bool, typer.Option("--training", help="Measure the steps of the training scripts instead.")
    ] = False,
) -> None:
    """Measure this machine and every method that is ready on it.

    Prints the rate of convolution in float32 and bf16; the time, memory and share of that rate of each network (with
    random weights where there are none) and the seconds of each method at 256, 512 and 1024 pixels; time and memory
    of a brush stroke on a photo of 12 megapixels; and how many random masks a second can be drawn. The best of several
    runs counts, so run it on an idle machine. With --training: images a second of every training script, and the share
    of the machine's bf16 rate that its steps reach.

    Example: `python -m inpaint_core benchmark --quick`
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from benchmarks import fills as measurements

    console = Console(markup=False, highlight=False)
    for section in [measurements.training()] if training else measurements.sections(quick):
        table = Table(title=section.title, title_justify="left", caption=section.note, box=box.SIMPLE_HEAD)
        table.caption_justify = "left"
        for index, column in enumerate(section.columns):
            table.add_column(column, justify="left" if index == 0 else "right", no_wrap=index == 0)
        for row in section.rows:
            table.add_row(*row)
        console.print(table)
