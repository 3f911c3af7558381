"""`edges`: the edges of a photo as a sketch to draw on and to fill with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inpaint_core.cli.options import Device
from inpaint_core.errors import InpaintError


def edges(
    source: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The sketch to write, such as edges.png.")],
    threshold: Annotated[
        float, typer.Option(metavar="0..1", help="How sure the detector must be of a line; less gives more lines.")
    ] = 0.6,
    soft: Annotated[bool, typer.Option("--soft", help="Write how sure it is of each pixel, not thin lines.")] = False,
    device: Device = "auto",
) -> None:
    """Draw a photo's edges: white lines on black, which `fill --sketch` takes as they are or redrawn.

    Example: `python -m inpaint_core edges photo.jpg -o edges.png --threshold 0.5`
    """
    import numpy as np

    from inpaint_core import photo, sketch
    from inpaint_core.cli import console, files

    if not 0 < threshold < 1:
        raise InpaintError(f"The threshold is between 0 and 1, not {threshold:g}; 0.6 suits most photos.")
    if output.exists() and source.exists() and output.samefile(source):
        raise InpaintError(f"{output} is the photo itself; name another file after -o.")
    format = photo.picture.format_named(output.suffix or "png")
    found = sketch.edges(photo.read(source).pixels, device)
    lines = found if soft else sketch.thin(found, threshold)
    levels = np.rint(lines * np.float32(255)).astype(np.uint8)
    picture = photo.Photo(np.repeat(levels[..., None], 3, axis=2), format=format, grey=True)
    if not soft and not photo.is_exact(picture, format):
        raise InpaintError(f"Lines saved as {format} would blur; name the file {output.stem}.png.")
    files.make_folder(output.parent)
    console.out.print(str(photo.write(picture, picture.pixels, output, overwrite=True)))
    what = "soft edges" if soft else f"{int(lines.sum())} pixels of lines"
    console.out.print(f"{output.name}: {levels.shape[1]} x {levels.shape[0]} pixels, {what}")
