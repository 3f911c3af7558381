"""Contact sheets to look at: photos in rows, what each method makes of their holes in columns.

python -m train.evaluation.contact_sheet --photos photos256-val-00.tar --count 30 --out sheets
python -m train.evaluation.contact_sheet --photos photos/ --method deepfill_v2 --masks centre --out sheets --cell 192

Writes a PNG for every kind of masks and every `--rows` photos, `free_form_1.png` and so on. The same photo has the same
hole on every sheet and in `train.evaluation.evaluate`; photos are spread evenly over the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from inpaint_core import catalogue
from inpaint_core.errors import InpaintError
from train.core.options import start
from train.core.sources import expand
from train.evaluation.evaluate import EDGES, HOLE, INK, PAPER, choose, fill, mask_for, photos, spread

GAP, LABEL = 4, 16  # pixels between the cells, and of a label's line
QUIET = (110, 110, 115)


def rows(
    named_photos: Sequence[tuple[str, np.ndarray]], methods: Sequence[str], kind: str, device: str = "auto"
) -> Iterator[tuple[str, list[np.ndarray]]]:
    """For each photo its name and: the photo with its hole marked, every method's fill, the photo itself."""
    for name, pixels in tqdm(named_photos, unit="photo", desc=kind):
        hole = mask_for(name, kind, *pixels.shape[:2])
        marked = np.where(hole[..., None], np.array(HOLE, np.uint8), pixels)
        yield name, [marked, *(fill(pixels, hole, method, device)[0] for method in methods), pixels]


def draw(pictures: Sequence[tuple[str, Sequence[np.ndarray]]], labels: Sequence[str], cell: int) -> Image.Image:
    """One sheet: a line of labels, then a row of cells for each photo with its name below.

    Args:
        pictures: names and pictures, uint8 H x W x 3, as many as labels.
        labels: of the columns; those too long for their column are set smaller.
        cell: the side of a cell in pixels; pictures are reduced to fit, never enlarged.
    """
    height = LABEL + GAP + len(pictures) * (cell + LABEL + GAP)
    image = Image.new("RGB", (GAP + len(labels) * (cell + GAP), height), PAPER)
    pen = ImageDraw.Draw(image)
    for column, label in enumerate(labels):
        _write(pen, (GAP + column * (cell + GAP), 2), label, cell, INK)
    for line, (name, cells) in enumerate(pictures):
        top = LABEL + GAP + line * (cell + LABEL + GAP)
        for column, pixels in enumerate(cells):
            picture = Image.fromarray(pixels)
            picture.thumbnail((cell, cell), Image.Resampling.LANCZOS)
            image.paste(picture, (GAP + column * (cell + GAP), top))
        _write(pen, (GAP, top + cell + 1), name, image.width, QUIET, 10)
    return image


def _write(
    pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, width: int, ink: tuple[int, int, int], size: int = 13
) -> None:
    """The text in the largest size up to `size` that fits into the width."""
    while size > 8 and pen.textlength(text, ImageFont.load_default(size)) > width:
        size -= 1
    pen.text(place, text, ink, ImageFont.load_default(size))


def main(
    photos_from: Annotated[list[Path], typer.Option("--photos", help="folder, tar shard or quoted pattern; repeat")],
    out: Annotated[Path, typer.Option(help="folder of the sheets")],
    method: Annotated[list[str] | None, typer.Option(help="a method; repeat; default: all but slow ones")] = None,
    kind: Annotated[list[str] | None, typer.Option("--masks", help="centre, box, free_form, ...; repeat")] = None,
    count: Annotated[int, typer.Option(help="photos, evenly spread")] = 30,
    on_a_sheet: Annotated[int, typer.Option("--rows", help="photos on a sheet")] = 10,
    size: Annotated[int, typer.Option(help="side of the central squares that are filled; 0: whole photos")] = 256,
    cell: Annotated[int, typer.Option(help="side of a picture on the sheet")] = 128,
    slowest: Annotated[float, typer.Option(help="leave out what takes more seconds at 512 px")] = 3.0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda")] = "auto",
) -> None:
    """Draw what methods make of photos."""
    if count < 1 or on_a_sheet < 1 or cell < 16:
        raise InpaintError("A sheet needs at least one photo, one row, and cells of 16 pixels.")
    methods = choose(method or [each.name for each in catalogue.methods() if each.ready and each.cost <= slowest])
    if method:
        methods = list(dict.fromkeys(method))  # here nothing is measured against Navier-Stokes
    named = spread(list(photos(expand(photos_from), size, None)), count)
    if not named:
        raise InpaintError("There are no photos to fill: check --photos.")
    out.mkdir(parents=True, exist_ok=True)
    labels = ["hole", *(each.replace(EDGES, " + edges") for each in methods), "truth"]
    for each in kind or ("centre", "free_form"):
        waiting: list[tuple[str, list[np.ndarray]]] = []
        written = 0
        for row in rows(named, methods, each, device):
            waiting.append(row)
            if len(waiting) == on_a_sheet or written * on_a_sheet + len(waiting) == len(named):
                written += 1
                draw(waiting, labels, cell).save(out / f"{each}_{written}.png")
                waiting = []
    typer.echo(f"wrote {len(list(out.glob('*.png')))} sheets into {out}")


if __name__ == "__main__":
    start(main)
