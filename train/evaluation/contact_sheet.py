"""Contact sheets to look at: photos in rows, what each method makes of their holes in columns.

Quick methods: python -m train.evaluation.contact_sheet --photos photos256-val-00.tar --count 30 --out sheets

One method:    ... --method deepfill_v2 --method deepfill_v2+patchmatch --masks centre --cell 192

Writes a PNG for every set of masks and every `--rows` photos, `free_form_1.png` and so on. A photo has the same hole on
every sheet and in `train.evaluation.measure`; photos are spread evenly over the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tyro.conf import UseAppendAction

from inpaint_core.errors import InpaintError
from train.core.cli import run_cli
from train.core.config import Paths
from train.evaluation.candidates import parse_candidates, ready_methods
from train.evaluation.photos import chosen_photos
from train.evaluation.samples import fill_samples

GAP, LINE = 4, 16  # pixels between the cells, and of a line of text
PAPER, INK, GREY = (250, 250, 248), (28, 28, 30), (110, 110, 115)
SMALLEST_CELL = 16  # pixels


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is filled, by which methods, and how large the sheets are."""

    photos: Paths  # folder, tar shard or quoted pattern
    out: Path  # folder of the sheets
    method: UseAppendAction[tuple[str, ...]] = ()  # a method, also METHOD+edges, METHOD+patchmatch; default: all quick
    masks: UseAppendAction[tuple[str, ...]] = ()  # centre, box, free_form, irregular@10-20 (%), ...
    count: int = 30  # photos, evenly spread
    rows: int = 10  # photos on a sheet
    size: int = 256  # side of the central squares that are filled; 0: whole photos
    cell: int = 128  # side of a picture on the sheet
    slowest: float = 3.0  # without --method, leave out what takes more seconds at 512 px
    device: str = "auto"  # auto, cpu, cuda


class Row(NamedTuple):
    """A row of a sheet: the name below it, and its pictures, uint8 H x W x 3."""

    name: str
    pictures: Sequence[np.ndarray]


def draw_sheet(rows: Sequence[Row], labels: Sequence[str], cell: int) -> Image.Image:
    """One sheet: a line of labels, then a row of cells for each photo with its name below.

    Args:
        rows: of as many pictures as labels.
        labels: of the columns; those too long for their column are set smaller.
        cell: the side of a cell in pixels; pictures are reduced to fit, never enlarged.
    """
    height = LINE + GAP + len(rows) * (cell + LINE + GAP)
    sheet = Image.new("RGB", (GAP + len(labels) * (cell + GAP), height), PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, label in enumerate(labels):
        _write(pen, (GAP + column * (cell + GAP), 2), label, cell, INK)
    for line, row in enumerate(rows):
        top = LINE + GAP + line * (cell + LINE + GAP)
        for column, pixels in enumerate(row.pictures):
            picture = Image.fromarray(pixels)
            picture.thumbnail((cell, cell), Image.Resampling.LANCZOS)
            sheet.paste(picture, (GAP + column * (cell + GAP), top))
        _write(pen, (GAP, top + cell + 1), row.name, sheet.width, GREY, 10)
    return sheet


def _write(
    pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, width: int, ink: tuple[int, int, int], size: int = 13
) -> None:
    """The text in the largest size up to `size` that fits into the width."""
    while size > 8 and pen.textlength(text, ImageFont.load_default(size)) > width:
        size -= 1
    pen.text(place, text, ink, ImageFont.load_default(size))


def main(config: Config) -> None:
    """Draw what methods make of photos.

    Raises:
        InpaintError: there is nothing to draw, or a method or masks that are unknown.
    """
    if config.count < 1 or config.rows < 1 or config.cell < SMALLEST_CELL:
        raise InpaintError(f"A sheet needs at least one photo, one row, and cells of {SMALLEST_CELL} pixels.")
    if config.method:
        candidates = parse_candidates(config.method, baseline=False)
    else:
        candidates = parse_candidates(ready_methods(config.slowest)[0])
    photos = chosen_photos(config.photos, config.size, config.count)
    config.out.mkdir(parents=True, exist_ok=True)
    labels = ["hole", *(candidate.word.replace("+", " + ") for candidate in candidates), "truth"]
    mask_sets = config.masks or ("centre", "free_form")
    for masks in mask_sets:
        for number, first in enumerate(range(0, len(photos), config.rows), start=1):
            samples = fill_samples(photos[first : first + config.rows], candidates, [masks], config.device)
            rows = [Row(sample.photo.name, sample.pictures()) for sample in samples]
            draw_sheet(rows, labels, config.cell).save(config.out / f"{masks}_{number}.png")
    print(f"wrote the sheets of {', '.join(mask_sets)} masks into {config.out}")


if __name__ == "__main__":
    run_cli(main, Config)
