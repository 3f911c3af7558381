"""Worked examples of the Sketch layer: a photo, what is erased, and the lines the fill shall follow, drawn in code."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from webui import examples

Points = tuple[tuple[float, float], ...]
"""x, y in pixels of the photo, along a line."""

SHAPE = 2.2  # width over height of a thumbnail
_FINE = 8  # parts of a pixel that OpenCV's drawing tells apart, as a power of two: 3 bits


@dataclass(frozen=True)
class Worked:
    """A photo of `examples/`, the outline of the hole, and the lines drawn in it."""

    name: str  # of the photo
    caption: str
    hole: tuple[Points, ...]  # closed outlines
    lines: tuple[Points, ...]
    thickness: int = 2  # of the lines, in pixels of the photo

    @property
    def photo(self) -> Path:
        return examples.FOLDER / f"{self.name}.jpg"

    def mask(self) -> np.ndarray:
        """What is filled: bool H x W of the photo's size."""
        drawn = np.zeros(self._size(), np.uint8)
        cv2.fillPoly(drawn, [_fixed(outline) for outline in self.hole], 1, shift=3)
        return drawn > 0

    def sketch(self) -> np.ndarray:
        """The lines, bool H x W of the photo's size."""
        drawn = np.zeros(self._size(), np.uint8)
        cv2.polylines(drawn, [_fixed(line) for line in self.lines], False, 1, self.thickness, shift=3)
        return drawn > 0

    def thumbnail(self, side: int = 460) -> Image.Image:
        """The hole and its surroundings, what is erased in red, the lines dark on light."""
        with Image.open(self.photo) as image:
            shown = np.asarray(image.convert("RGB")).copy()
        hole = self.mask()
        shown[hole] = (0.5 * shown[hole] + 0.5 * np.array((255, 45, 85))).astype(np.uint8)
        rows, columns = np.where(hole.any(axis=1))[0], np.where(hole.any(axis=0))[0]
        height, width = hole.shape
        # the strip cuts to flat pictures, so the hole and its lines fill no more than the middle of the height
        tall = min(height, round(1.25 * max(np.ptp(rows), np.ptp(columns) / SHAPE)))
        wide = min(width, round(tall * SHAPE))
        top = int(np.clip(rows.mean() - tall / 2, 0, height - tall))
        left = int(np.clip(columns.mean() - wide / 2, 0, width - wide))
        scale = side / wide
        size = (side, round(tall * scale))
        crop = cv2.resize(shown[top : top + tall, left : left + wide], size, interpolation=cv2.INTER_AREA)
        moved = [_fixed(tuple(((x - left) * scale, (y - top) * scale) for x, y in line)) for line in self.lines]
        for colour, thickness in (((255, 255, 255), 8), ((15, 23, 42), 4)):
            cv2.polylines(crop, moved, False, colour, thickness, cv2.LINE_AA, shift=3)
        return Image.fromarray(crop)

    def _size(self) -> tuple[int, int]:
        with Image.open(self.photo) as image:
            return image.height, image.width


def thumbnails() -> list[tuple[Image.Image, str]]:
    """Picture and caption of each worked example, for a gallery."""
    return [(example.thumbnail(), example.caption) for example in EXAMPLES]


def _ellipse(
    centre: tuple[float, float], radii: tuple[float, float], start: float = 0, end: float = 360, tilt: float = 0
) -> Points:
    """An arc from `start` to `end` degrees, clockwise as seen, from the right end of an ellipse turned by `tilt`."""
    turn = math.radians(tilt)
    points = []
    for step in range(49):
        angle = math.radians(start + (end - start) * step / 48)
        x, y = radii[0] * math.cos(angle), radii[1] * math.sin(angle)
        points.append(
            (centre[0] + x * math.cos(turn) - y * math.sin(turn), centre[1] + x * math.sin(turn) + y * math.cos(turn))
        )
    return tuple(points)


def _smooth(*points: tuple[float, float]) -> Points:
    """A curve through the points (Catmull-Rom)."""
    known = np.array([points[0], *points, points[-1]], float)
    curve = []
    for before, start, end, after in zip(known, known[1:], known[2:], known[3:], strict=False):
        for t in np.linspace(0, 1, 12):
            x, y = 0.5 * (
                2 * start
                + (end - before) * t
                + (2 * before - 5 * start + 4 * end - after) * t**2
                + (3 * start - before - 3 * end + after) * t**3
            )
            curve.append((float(x), float(y)))
    return tuple(curve)


def _fixed(points: Points) -> np.ndarray:
    """Points as the fixed-point numbers that OpenCV draws with `shift=3`."""
    return np.rint(np.array(points) * _FINE).astype(np.int32)


EXAMPLES = (
    Worked(
        "scratched_cat",
        "Move an eye",
        hole=(_ellipse((318, 143), (42, 44)),),
        lines=(
            _ellipse((318, 156), (25, 22), tilt=-12),
            _ellipse((314, 156), (6.5, 15), tilt=6),
            _smooth((286, 152), (298, 136), (318, 127), (340, 132), (351, 146)),
        ),
    ),
    Worked(
        "launch",
        "Add a roof line",
        hole=(_smooth((484, 262), (520, 250), (556, 262), (562, 330), (560, 396), (520, 402), (486, 394), (484, 262)),),
        lines=(((490, 404), (490, 336)), ((478, 347), (522, 296), (568, 349)), ((554, 336), (554, 404))),
    ),
    Worked(
        "coffee",
        "Remove the spoon, go on with the cup",
        hole=(
            _smooth(
                (398, 62),
                (418, 60),
                (428, 72),
                (424, 96),
                (412, 140),
                (398, 190),
                (394, 228),
                (404, 246),
                (412, 272),
                (408, 302),
                (388, 322),
                (358, 330),
                (334, 320),
                (322, 294),
                (324, 266),
                (312, 258),
                (314, 244),
                (336, 234),
                (360, 230),
                (374, 214),
                (384, 180),
                (396, 140),
                (402, 108),
                (394, 80),
                (398, 62),
            ),
        ),
        lines=(
            _smooth((394, 66), (401, 80), (406, 98), (408, 116), (406, 130)),  # rim of the cup
            _smooth((406, 130), (403, 152), (397, 176), (387, 202), (372, 228), (352, 252), (326, 272), (304, 282)),
            _smooth((400, 95), (410, 102), (420, 111), (434, 124)),  # rim of the saucer
        ),
    ),
)
"""Move a feature of a face, add a building, continue what an object hid."""
