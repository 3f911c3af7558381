"""`mask`: draw a random one, make one from a box, mend one, and say what is odd about one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inpaint_core.cli.options import Dilate, Like, Seed, Size
from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    import numpy as np

app = typer.Typer(
    no_args_is_help=True,
    help="Make, mend and examine masks: pictures that are white where the photo is to be filled.",
)

Output = Annotated[Path, typer.Argument(metavar="OUT", help="The mask file to write, such as mask.png.")]


@app.command()
def random(
    output: Output,
    kind: Annotated[
        str, typer.Option(help="free_form, box, deepfill, centre, irregular, narrow, wide, random_pixels.")
    ] = "free_form",
    size: Size = None,
    like: Like = None,
    seed: Seed = 0,
    share: Annotated[
        float | None,
        typer.Option(help="Of the picture to hide, between 0 and 1: for irregular and random_pixels."),
    ] = None,
) -> None:
    """Draw a random mask.

    Example: `python -m inpaint_core mask random mask.png --kind irregular --share 0.1 --like photo.jpg --seed 7`
    """
    from inpaint_core import masks

    height, width = _size(size, like)
    if kind not in masks.GENERATORS:
        raise InpaintError(f"There is no kind of mask {kind!r}; choose one of {', '.join(masks.GENERATORS)}.")
    options: dict[str, object] = {}
    if share is not None:
        if kind not in ("irregular", "random_pixels"):
            raise InpaintError(f"The share of a {kind} mask cannot be chosen; use --kind irregular or random_pixels.")
        options = {"share": share} if kind == "random_pixels" else {"ratio": (share, share)}
    _save(masks.generate(kind, height, width, seed=seed, **options), output)


@app.command()
def box(
    output: Output,
    rectangle: Annotated[str, typer.Option("--box", metavar="X,Y,W,H", help="Left, top, width, height in pixels.")],
    size: Size = None,
    like: Like = None,
) -> None:
    """Make a mask whose hole is a rectangle.

    Example: `python -m inpaint_core mask box mask.png --box 40,60,128,96 --like photo.jpg`
    """
    from inpaint_core import masks

    height, width = _size(size, like)
    try:
        left, top, box_width, box_height = (int(part) for part in rectangle.split(","))
    except ValueError:
        raise InpaintError(
            f"{rectangle!r} is no box; give left, top, width, height, as in --box 40,60,128,96."
        ) from None
    _save(masks.from_box((left, top, box_width, box_height), height, width), output)


@app.command()
def repair(
    source: Annotated[Path, typer.Argument(metavar="IN", help="The mask to mend.")],
    output: Output,
    dilate: Dilate = 0,
    close_loops: Annotated[bool, typer.Option("--close-loops", help="Fill what a drawn outline encloses.")] = False,
    remove_specks: Annotated[
        int, typer.Option(metavar="PIXELS", min=0, help="Remove holes of fewer pixels than this.")
    ] = 0,
    invert: Annotated[bool, typer.Option("--invert", help="Swap hole and known.")] = False,
) -> None:
    """Mend a mask: swap its polarity, remove specks, close drawn loops, widen it (in that order).

    Example: `python -m inpaint_core mask repair drawn.png mask.png --close-loops --dilate 4`
    """
    from inpaint_core import masks, photo

    hole = masks.from_file(photo.read_mask(source))
    mended = masks.repair(hole, invert=invert, close_loops=close_loops, remove_specks=remove_specks, dilate=dilate)
    _save(masks.check(mended, *mended.shape), output)


@app.command()
def check(
    source: Annotated[Path, typer.Argument(metavar="MASK", help="The mask to examine.")],
    like: Annotated[Path | None, typer.Option(help="The photo it is for.")] = None,
) -> None:
    """Say what a mask is like, and refuse one that cannot be used.

    Example: `python -m inpaint_core mask check mask.png --like photo.jpg`
    """
    from inpaint_core import masks, photo

    hole = masks.from_file(photo.read_mask(source))
    _print_diagnosis(hole, source)
    masks.check(hole, *(hole.shape if like is None else _size(None, like)))


def _size(size: str | None, like: Path | None) -> tuple[int, int]:
    """Height and width from "512x384" (width first, as everyone writes it) or from a photo."""
    if (size is None) == (like is None):
        raise InpaintError("Give the size of the mask: either --size 512x384 or --like photo.jpg.")
    if like is not None:
        from inpaint_core import photo

        pixels = photo.read(like).pixels
        return pixels.shape[0], pixels.shape[1]
    assert size is not None
    try:
        width, height = (int(part) for part in size.lower().replace("×", "x").split("x"))
    except ValueError:
        raise InpaintError(f"{size!r} is no size; give width and height, as in --size 512x384.") from None
    if min(width, height) < 1 or width * height > 100_000_000:
        raise InpaintError(f"A mask of {width} x {height} pixels cannot be made; give 1 to 100 million pixels.")
    return height, width


def _save(hole: np.ndarray, output: Path) -> None:
    """Write a mask, bool H x W, white = hole, and print what it is like."""
    import numpy as np

    from inpaint_core import photo
    from inpaint_core.cli import console, files

    format = photo.picture.format_named(output.suffix or "png")
    pixels = np.repeat((hole * np.uint8(255))[..., None], 3, axis=2)
    picture = photo.Photo(pixels, format=format, grey=True)
    if not photo.is_exact(picture, format):
        raise InpaintError(f"A mask saved as {format} would blur at its edges; name it {output.stem}.png.")
    files.make_folder(output.parent)
    console.out.print(str(photo.write(picture, pixels, output, overwrite=True)))
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
