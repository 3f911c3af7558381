"""`mask`: draw a random one, make one from a box, repair one, and check one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from tyro.conf import OmitArgPrefixes, Positional, arg

from inpaint_core.cli.options import OptionalFile, SizeArguments
from inpaint_core.errors import InpaintError
from inpaint_core.files import check_output

if TYPE_CHECKING:
    import numpy as np

DESCRIPTION = "Make, repair and check masks: pictures that are white where the photo is to be filled."

MaskFile = Positional[Annotated[Path, arg(metavar="OUT")]]


@dataclass(frozen=True, kw_only=True)
class Random:
    """Draw a random mask.

    For example: `python -m inpaint_core mask random mask.png --kind irregular --share 0.1 --like photo.jpg --seed 7`
    """

    output: MaskFile
    """The mask file to write, such as mask.png."""
    kind: str = "free_form"
    """free_form, box, deepfill, centre, irregular, narrow, wide, random_pixels."""
    mask_size: OmitArgPrefixes[SizeArguments] = SizeArguments()
    seed: int = 0
    """Of every random number drawn."""
    share: Annotated[float | None, arg(metavar="0..1")] = None
    """Of the picture to hide: for irregular and random_pixels."""
    overwrite: bool = False
    """Write over a file that exists."""

    def run(self) -> int:
        """Write the mask; returns the exit status."""
        from inpaint_core import masks

        check_output(self.output, (self.mask_size.like,), self.overwrite)
        height, width = self.mask_size.height_and_width()
        if self.kind not in masks.GENERATORS:
            raise InpaintError(f"There is no kind of mask {self.kind!r}; choose one of {', '.join(masks.GENERATORS)}.")
        options: dict[str, object] = {}
        if self.share is not None:
            if self.kind not in ("irregular", "random_pixels"):
                raise InpaintError(
                    f"The share of a {self.kind} mask cannot be chosen; use --kind irregular or random_pixels."
                )
            options = {"share": self.share} if self.kind == "random_pixels" else {"ratio": (self.share, self.share)}
        _save(masks.generate(self.kind, height, width, seed=self.seed, **options), self.output)
        return 0


@dataclass(frozen=True, kw_only=True)
class Box:
    """Make a mask whose hole is a rectangle.

    For example: `python -m inpaint_core mask box mask.png --box 40,60,128,96 --like photo.jpg`
    """

    output: MaskFile
    """The mask file to write, such as mask.png."""
    box: Annotated[str, arg(metavar="X,Y,W,H")]
    """Left, top, width, height in pixels."""
    mask_size: OmitArgPrefixes[SizeArguments] = SizeArguments()
    overwrite: bool = False
    """Write over a file that exists."""

    def run(self) -> int:
        """Write the mask; returns the exit status."""
        from inpaint_core import masks

        check_output(self.output, (self.mask_size.like,), self.overwrite)
        height, width = self.mask_size.height_and_width()
        try:
            left, top, box_width, box_height = (int(part) for part in self.box.split(","))
        except ValueError:
            raise InpaintError(
                f"{self.box!r} is no box; give left, top, width, height, as in --box 40,60,128,96."
            ) from None
        _save(masks.from_box((left, top, box_width, box_height), height, width), self.output)
        return 0


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Repair a mask: swap its polarity, remove specks, close drawn loops, widen it (in that order).

    For example: `python -m inpaint_core mask repair drawn.png mask.png --close-loops --dilate 4`
    """

    source: Positional[Annotated[Path, arg(metavar="IN")]]
    """The mask to repair."""
    output: MaskFile
    """The mask file to write, such as mask.png."""
    dilate: Annotated[int, arg(metavar="PIXELS")] = 0
    """Widen the hole; 3 to 8 hide the rim of an object."""
    close_loops: bool = False
    """Fill what a drawn outline encloses."""
    remove_specks: Annotated[int, arg(metavar="PIXELS")] = 0
    """Remove holes of fewer pixels than this."""
    invert: bool = False
    """Swap hole and known."""
    overwrite: bool = False
    """Write over a file that exists."""

    def run(self) -> int:
        """Write the repaired mask; returns the exit status."""
        from inpaint_core import masks, photo

        check_output(self.output, (self.source,), self.overwrite)

        hole = masks.repair(
            masks.from_file(photo.read_mask(self.source)),
            invert=self.invert,
            close_loops=self.close_loops,
            remove_specks=self.remove_specks,
            dilate=self.dilate,
        )
        _save(masks.check(hole, *hole.shape), self.output)
        return 0


@dataclass(frozen=True, kw_only=True)
class Check:
    """Say what a mask is like, and refuse one that cannot be used.

    For example: `python -m inpaint_core mask check mask.png --like photo.jpg`
    """

    source: Positional[Annotated[Path, arg(metavar="MASK")]]
    """The mask to check."""
    like: OptionalFile = None
    """The photo it is for."""

    def run(self) -> int:
        """Print what the mask is like; returns the exit status."""
        from inpaint_core import masks, photo

        hole = masks.from_file(photo.read_mask(self.source))
        _print_diagnosis(hole, self.source)
        masks.check(hole, *(hole.shape if self.like is None else photo.read(self.like).pixels.shape[:2]))
        return 0


app = tyro.extras.SubcommandApp()
for command in (Random, Box, Repair, Check):
    app.command(name=command.__name__.lower())(command)


def _save(hole: np.ndarray, output: Path) -> None:
    """Write a mask, bool H x W, white = hole, and print what it is like."""
    import numpy as np

    from inpaint_core.cli import console, files

    console.out.print(str(files.write_grey(hole * np.uint8(255), output, "A mask")))
    _print_diagnosis(hole, output)


def _print_diagnosis(hole: np.ndarray, path: Path) -> None:
    from inpaint_core import masks
    from inpaint_core.cli import console

    diagnosis = masks.diagnose(hole)
    pieces = "1 hole" if diagnosis.holes == 1 else f"{diagnosis.holes} holes"
    console.out.print(
        f"{path.name}: {hole.shape[1]} x {hole.shape[0]} pixels, {diagnosis.share:.1%} to fill in {pieces}"
    )
    for sentence in diagnosis.reasons:
        console.out.print(sentence)
