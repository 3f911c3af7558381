"""Every candidate's fill of every photo's hole: what is measured, and what is shown on contact sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from train.evaluation.candidates import Candidate
from train.evaluation.photos import Photo, mask_for

HOLE_COLOUR = (255, 45, 85)


@dataclass(frozen=True)
class TimedFill:
    """A completed photo, uint8 H x W x 3, and the seconds it took."""

    pixels: np.ndarray
    seconds: float


@dataclass(frozen=True)
class Sample:
    """A photo with one hole, and what every candidate made of it."""

    photo: Photo
    masks: str
    hole: np.ndarray  # bool H x W
    fills: dict[str, TimedFill]  # by the candidate's word

    def pictures(self) -> list[np.ndarray]:
        """The photo with its hole marked, the fills in their order, the photo itself: uint8 H x W x 3."""
        marked = mark_hole(self.photo.pixels, self.hole)
        return [marked, *(fill.pixels for fill in self.fills.values()), self.photo.pixels]


def mark_hole(pixels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The photo, uint8 H x W x 3, with its hole, bool H x W, in one colour."""
    return np.where(hole[..., None], np.array(HOLE_COLOUR, np.uint8), pixels)


def fill_samples(
    photos: Sequence[Photo],
    candidates: Sequence[Candidate],
    mask_sets: Sequence[str],
    device: str = "auto",
    seed: int = 0,
) -> Iterator[Sample]:
    """Fill every photo with a mask of every set by every candidate.

    Raises:
        InpaintError: see `mask_for` and `Candidate.fill`.
    """
    for photo in tqdm(photos, unit="photo"):
        for masks in mask_sets:
            hole = mask_for(photo.name, masks, photo.pixels.shape[0], photo.pixels.shape[1], seed)
            fills = {
                candidate.word: TimedFill(*candidate.fill(photo.pixels, hole, device, seed)) for candidate in candidates
            }
            yield Sample(photo, masks, hole, fills)
