"""A contact sheet of drawings: what a method makes of a hole without and with lines drawn into it.

All of them: python -m train.evaluation.drawings --photos photos256-val-00.tar --out sheets

The lines are drawn on photos of the validation shard `photos256-val-00.tar` (its csv says where each comes from):
roofs, ridges, horizons, rims, kerbs, a window. Some ask for what was there, some for something new (a higher ridge, a
gable).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tyro.conf import UseAppendAction

import inpaint_core
from inpaint_core.errors import InpaintError
from train.core.cli import run_cli
from train.core.config import Paths
from train.core.sources import expand
from train.evaluation.contact_sheet import Row, draw_sheet
from train.evaluation.photos import read_photos

SIDE = 256  # pixels of the photos' central squares, in which the places below are
GUIDED = ("patchmatch", "deepfill_v2")
INK, PAPER = (255, 0, 0), 255
ROWS = 10  # of a sheet
Points = tuple[tuple[int, int], ...]  # x, y


class Drawing(NamedTuple):
    """A hole in a photo and the lines in it."""

    photo: str
    what: str
    box: tuple[int, int, int, int]  # left, top, right, bottom of the hole
    lines: tuple[Points, ...]


DRAWINGS = (
    Drawing("000008", "a higher ridge", (40, 16, 130, 90), (((38, 42), (70, 28), (95, 58), (132, 78)),)),
    Drawing("000003", "a second peak", (105, 4, 190, 50), (((103, 22), (130, 10), (160, 36), (192, 20)),)),
    Drawing("000014", "pool's rim", (60, 185, 170, 230), (((58, 209), (172, 209)),)),
    Drawing("000026", "lawn's edge", (70, 170, 150, 235), (((66, 228), (110, 203), (135, 187), (152, 172)),)),
    Drawing("000026", "gable", (45, 32, 100, 72), (((43, 66), (70, 42), (102, 66)),)),
    Drawing("000030", "hedge", (60, 140, 190, 185), (((58, 162), (90, 158), (130, 166), (192, 162)),)),
    Drawing("000036", "roof", (55, 8, 95, 60), (((53, 24), (97, 45)), ((53, 33), (97, 56)))),
    Drawing("000048", "road", (80, 180, 180, 235), (((78, 203), (182, 206)),)),
    Drawing("000059", "two roofs", (150, 90, 230, 140), (((148, 112), (175, 103), (195, 118), (232, 96)),)),
    Drawing("000057", "window's corner", (60, 45, 110, 95), (((74, 43), (74, 74), (112, 74)),)),
    Drawing(
        "000057",
        "tub's rim",
        (50, 135, 112, 215),
        (((114, 142), (84, 148), (66, 158), (63, 170), (74, 188), (92, 200), (114, 208)),),
    ),
    Drawing(
        "000090", "orange", (75, 55, 150, 125), (((73, 69), (90, 69), (112, 75), (132, 87), (146, 103), (155, 124)),)
    ),
    Drawing(
        "000123", "mountains and shore", (80, 60, 190, 125), (((78, 84), (150, 80), (192, 77)), ((78, 98), (192, 98)))
    ),
    Drawing("000125", "horizon", (75, 40, 125, 75), (((73, 60), (127, 60)),)),
    Drawing("000126", "bucket's side", (70, 40, 140, 110), (((68, 82), (142, 54)),)),
    Drawing("000104", "door", (165, 110, 205, 170), (((186, 108), (186, 172)),)),
    Drawing("000112", "mortar's foot", (90, 222, 180, 252), (((88, 241), (130, 249), (182, 244)),)),
    Drawing(
        "000116", "pie's rim", (165, 165, 245, 240), (((163, 231), (190, 221), (215, 204), (236, 182), (247, 162)),)
    ),
    Drawing("000145", "case's edge", (140, 115, 205, 190), (((141, 194), (203, 109)),)),
    Drawing("000139", "log", (170, 120, 240, 175), (((168, 150), (200, 154), (242, 151)),)),
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which drawings, on which photos."""

    photos: Paths  # folder or tar shard with the photos of the drawings
    out: Path  # folder of the sheets
    number: UseAppendAction[tuple[int, ...]] = ()  # of a drawing, from 1; again for more. Default: all
    device: str = "auto"  # auto, cpu, cuda


def row_of(drawing: Drawing, number: int, pixels: np.ndarray, device: str) -> Row:
    """The drawing, PatchMatch without it, and each method that follows it."""
    left, top, right, bottom = drawing.box
    hole = np.zeros(pixels.shape[:2], bool)
    hole[top:bottom, left:right] = True
    canvas = np.zeros(hole.shape, np.uint8)
    cv2.polylines(canvas, [np.array(points, np.int32) for points in drawing.lines], False, 1)
    sketch = (canvas > 0) & hole
    picture = np.where(hole[..., None], np.uint8(PAPER), pixels)
    picture[cv2.dilate(sketch.astype(np.uint8), np.ones((2, 2), np.uint8)) > 0] = INK
    pictures = [picture, inpaint_core.inpaint(pixels, hole, GUIDED[0], device=device).image]
    pictures += [inpaint_core.inpaint(pixels, hole, name, sketch, device).image for name in GUIDED]
    return Row(f"{number}: {drawing.what}", [pixels for pixels in pictures if pixels is not None])


def main(config: Config) -> None:
    """Fill all drawings and write the sheets `drawings_1.png` and so on.

    Raises:
        InpaintError: a photo of the drawings is not among those given, or there is no such drawing.
    """
    numbers = config.number or range(1, len(DRAWINGS) + 1)
    if not all(1 <= number <= len(DRAWINGS) for number in numbers):
        raise InpaintError(f"The drawings have the numbers 1 to {len(DRAWINGS)}: check --number.")
    photos = {Path(photo.name).stem: photo.pixels for photo in read_photos(expand(config.photos), SIDE)}
    missing = sorted({DRAWINGS[number - 1].photo for number in numbers} - photos.keys())
    if missing:
        raise InpaintError(f"The drawings need photos256-val-00.tar: {', '.join(missing)} not found in --photos.")
    config.out.mkdir(parents=True, exist_ok=True)
    chosen = [(number, DRAWINGS[number - 1]) for number in numbers]
    rows = [row_of(drawing, number, photos[drawing.photo], config.device) for number, drawing in chosen]
    labels = ["drawing", f"{GUIDED[0]} without", *(f"{name} with" for name in GUIDED)]
    for sheet, first in enumerate(range(0, len(rows), ROWS), start=1):
        draw_sheet(rows[first : first + ROWS], labels, SIDE).save(config.out / f"drawings_{sheet}.png")
    print(f"wrote {len(rows)} drawings into {config.out}")


if __name__ == "__main__":
    run_cli(main, Config)
