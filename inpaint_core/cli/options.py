"""Options that several commands share, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
Seed = Annotated[int, typer.Option(help="Of every random number drawn.")]
Refine = Annotated[
    str | None, typer.Option(help="patchmatch: keep the fill's structure, take its texture from the photo.")
]
Blend = Annotated[
    str | None,
    typer.Option(help="poisson: fit the fill's colours to the photo; mixed: let the photo's lines go on, too."),
]
Dilate = Annotated[int, typer.Option(min=0, help="Widen the mask by so many pixels; 3 to 8 hide the rim of an object.")]
Invert = Annotated[bool, typer.Option("--invert", help="The mask is black where the hole is.")]
Sketch = Annotated[Path | None, typer.Option(help="White lines = edges wanted in the hole; or a folder, as for masks.")]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Width and height in pixels, such as 512x512.")]
Like = Annotated[Path | None, typer.Option(help="A photo whose size the mask gets.")]
Weights = Annotated[
    Path | None,
    typer.Option(help="In place of the checkpoint: a file training exported, or deepfill_v2's public ones."),
]
