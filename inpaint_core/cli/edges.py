"""`edges`: the edges of a photo as a sketch to draw on and to fill with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from inpaint_core.cli.options import Output
from inpaint_core.errors import InpaintError
from inpaint_core.files import check_output


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Draw a photo's edges: white lines on black, which `fill --sketch` takes as they are or redrawn.

    For example: `python -m inpaint_core edges photo.jpg -o edges.png --threshold 0.5`
    """

    source: Positional[Annotated[Path, arg(metavar="PHOTO")]]
    """The photo."""
    output: Output
    """The sketch to write, such as edges.png."""
    threshold: Annotated[float, arg(metavar="0..1")] = 0.6
    """How sure the detector must be of a line; less gives more lines."""
    soft: bool = False
    """Write how sure it is of each pixel, not thin lines."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    overwrite: bool = False
    """Write over a file that exists."""

    def run(self) -> int:
        """Write the sketch; returns the exit status."""
        import numpy as np

        from inpaint_core import photo, sketch
        from inpaint_core.cli import console, files

        if not 0 < self.threshold < 1:
            raise InpaintError(f"The threshold is between 0 and 1, not {self.threshold:g}; 0.6 suits most photos.")
        check_output(self.output, (self.source,), self.overwrite)
        probability = sketch.edges(photo.read(self.source).pixels, self.device)
        lines = probability if self.soft else sketch.thin(probability, self.threshold)
        levels = np.rint(lines * np.float32(255)).astype(np.uint8)
        console.out.print(str(files.write_grey(levels, self.output, "Lines", exact=not self.soft)))
        what = "soft edges" if self.soft else f"{int(lines.sum())} pixels of lines"
        console.out.print(f"{self.output.name}: {levels.shape[1]} x {levels.shape[0]} pixels, {what}")
        return 0
