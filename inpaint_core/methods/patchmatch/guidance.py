"""What a sketch tells the search: lines to follow, the photo's own lines to do so with, straight ones to keep to.

Barnes et al., "PatchMatch", SIGGRAPH 2009, section 4 (search space constraints), and Sun et al., "Image completion with
structure propagation", SIGGRAPH 2005: patches along a drawn line come from along lines of the photo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

REACH = 6.0  # pixels from a line at which the distance to it counts as far
NEAR = 1.0  # sigma in pixels of a line's strength
ALONG = 2.0  # sigma in pixels around a line over which its direction is taken and counts
GUIDE_WEIGHTS = (0.06, 0.12, 0.25)  # how much the guide counts beside squared colours: at full size, at half, below
FAR_SHARE = 0.25  # of that where no line is near: nothing drawn is a hint only
TURN_WITHIN = 5.0  # pixels from a line within which patches may be turned
STRAIGHT = 0.02  # how far a straight stroke may stray, as a share of its length; a pixel and a half at least
MEETS = 6.0  # pixels between the end of a stroke and the photo's line that it goes on
SHORTEST = 12  # pixels of a straight stroke


class StraightLine(NamedTuple):
    """A straight line across the hole, in pixels of the full size."""

    row: float
    column: float
    down: float  # its direction, of length 1
    right: float


@dataclass(frozen=True)
class Lines:
    """The lines of one level: the photo's where it is known, the sketch's in the hole."""

    drawn: np.ndarray  # bool H x W
    straight_lines: tuple[StraightLine, ...] = ()

    def halved(self, height: int, width: int) -> Lines:
        """The same at half the size, height x width: no line gets lost."""
        even = np.zeros((2 * height, 2 * width), bool)
        even[: self.drawn.shape[0], : self.drawn.shape[1]] = self.drawn
        drawn = np.asarray(even.reshape(height, 2, width, 2).any(axis=(1, 3)))
        straight_lines = tuple(
            StraightLine((line.row - 0.5) / 2, (line.column - 0.5) / 2, line.down, line.right)
            for line in self.straight_lines
        )
        return Lines(drawn, straight_lines)


class Guide(NamedTuple):
    """The lines of one level, as the compiled loops read them."""

    planes: np.ndarray  # float32 H x W x 4: strength, distance, cosine and sine of twice the angle
    strength: np.ndarray  # float32 H x W, how much they count in a comparison
    weight: np.ndarray  # float32 (H * W * 4,), that times how much the pixel counts, for each of the planes
    line: np.ndarray  # float32 M x 4: of each target row, column and angle of the nearest line, and 1 if it may turn
    direction: np.ndarray  # float32 M x 2, the direction (down, right) along which a target's sources lie, or 0, 0
    models: np.ndarray  # float32 K x 3, row, column and angle of the photo's line pixels


def guide_of(
    lines: Lines, hole: np.ndarray, level: int, places: np.ndarray, turnable: np.ndarray, trust: np.ndarray
) -> Guide:
    """Prepare the lines of one level.

    Args:
        lines: of this level.
        hole: bool H x W.
        level: 0 = full size.
        places: int32 M x 2, the middles of the targets.
        turnable: bool H x W, known places that may be turned.
        trust: float32 H x W, how much a pixel counts in a comparison.
    """
    clear = (~lines.drawn).astype(np.uint8)
    if lines.drawn.any():
        distance, labels = cv2.distanceTransformWithLabels(
            clear, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
    else:
        distance, labels = np.full(hole.shape, REACH, np.float32), np.zeros(hole.shape, np.int32)
    near = np.exp(-(distance**2) / (2 * NEAR**2)).astype(np.float32)
    cosine, sine = _directions(near)
    along = np.exp(-(distance**2) / (2 * ALONG**2))
    planes = np.stack((near, np.minimum(distance / REACH, 1), cosine * along, sine * along), axis=-1)
    weight_near = GUIDE_WEIGHTS[min(level, len(GUIDE_WEIGHTS) - 1)]
    strength = weight_near * (FAR_SHARE + (1 - FAR_SHARE) * (distance < REACH))
    angle = (0.5 * np.arctan2(sine, cosine)).astype(np.float32)

    line = np.zeros((len(places), 4), np.float32)
    pixels = np.argwhere(lines.drawn)
    if len(pixels):
        of_label = np.zeros((labels.max() + 1, 2), np.int64)
        of_label[labels[pixels[:, 0], pixels[:, 1]]] = pixels
        row, column = places.T
        nearest = of_label[labels[row, column]]
        line[:, :2] = nearest
        line[:, 2] = angle[nearest[:, 0], nearest[:, 1]]
        line[:, 3] = (distance[row, column] <= TURN_WITHIN) & hole[nearest[:, 0], nearest[:, 1]]
    models = np.argwhere(lines.drawn & turnable)
    models = np.concatenate((models, angle[models[:, 0], models[:, 1]][:, None]), axis=1).astype(np.float32)
    direction = np.zeros((len(places), 2), np.float32)
    for straight in lines.straight_lines:
        away = straight.right * (places[:, 0] - straight.row) - straight.down * (places[:, 1] - straight.column)
        on_it = (np.abs(away) <= 2) & (line[:, 3] > 0) & (distance[places[:, 0], places[:, 1]] <= 3)
        direction[on_it] = straight.down, straight.right
    weight = np.repeat((strength * trust).astype(np.float32), planes.shape[2])
    return Guide(np.ascontiguousarray(planes, np.float32), strength.astype(np.float32), weight, line, direction, models)


def find_straight_lines(sketch: np.ndarray, edges: np.ndarray, hole: np.ndarray) -> tuple[StraightLine, ...]:
    """The unbroken straight strokes that go on a line of the photo at both ends.

    Args:
        sketch: bool H x W, the strokes in the hole.
        edges: bool H x W, the photo's lines in its known part.
        hole: bool H x W.
    """
    count, labels = cv2.connectedComponents(sketch.astype(np.uint8), connectivity=8)
    known = edges & ~hole
    if count == 1 or not known.any():
        return ()
    to_edge = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    straight_lines = []
    for label in range(1, count):
        pixels = np.argwhere(labels == label).astype(np.float64)
        if len(pixels) < SHORTEST:
            continue
        middle = pixels.mean(0)
        down, right = np.linalg.svd(pixels - middle, full_matrices=False)[2][0]
        across = (pixels - middle) @ (right, -down)
        along = (pixels - middle) @ (down, right)
        length = along.max() - along.min()
        ends = pixels[[along.argmin(), along.argmax()]].astype(int)
        straight = np.abs(across).max() <= max(1.5, STRAIGHT * length)
        if straight and all(to_edge[row, column] <= MEETS for row, column in ends):
            straight_lines.append(StraightLine(float(middle[0]), float(middle[1]), float(down), float(right)))
    return tuple(straight_lines)


def _directions(near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine of twice the angle of the lines around each pixel, shorter where they cross: H x W, twice."""
    right = cv2.Sobel(near, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(near, cv2.CV_32F, 0, 1)
    squares = [cv2.GaussianBlur(each, (0, 0), ALONG) for each in (right * right, down * down, right * down)]
    size = squares[0] + squares[1] + 1e-6
    return (squares[1] - squares[0]) / size, -2 * squares[2] / size  # of the line, which is across the gradient
