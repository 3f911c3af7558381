"""Photos with edge maps in memory: a detector's soft maps and people's drawings, cropped, turned, scaled."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from train.core.data import CropOptions, PhotoLoader
from train.core.photo_bank import PhotoBank
from train.core.sources import decode, members

ANNOTATORS = ".annotators"  # suffix of the picture whose bit i means: annotator i drew a boundary here
NEARBY = 2  # pixels: annotators whose lines are this close mean the same contour
AGREED, DOUBTED = 255, 128  # what `consensus` writes
DRAWN = 1  # number of the bank of drawings
JITTER = 0.2  # share by which colours change


@dataclass(frozen=True)
class Annotated:
    """A photo and what its annotators drew.

    `photo` uint8 H x W x 3; `drawings` bool A x H x W, one boundary map an annotator.
    """

    name: str
    photo: np.ndarray
    drawings: np.ndarray


def annotated(sources: Iterable[Path]) -> list[Annotated]:
    """The photos of tar shards or folders that have a `NAME.annotators.png`, in the order of their names.

    Raises:
        FileNotFoundError: a source is absent, or no photo in it is annotated.
        ValueError: a photo and its drawings differ in size.
    """
    photos: dict[str, bytes] = {}
    drawings: dict[str, bytes] = {}
    sources = list(sources)
    for name, data in members(sources):
        stem = name.rpartition(".")[0]
        if stem.endswith(ANNOTATORS):
            drawings[stem.removesuffix(ANNOTATORS)] = data
        else:
            photos[stem] = data
    usable = []
    for name in sorted(photos.keys() & drawings.keys()):
        photo = decode(photos[name], "RGB", 32, None)
        with Image.open(io.BytesIO(drawings[name])) as picture:
            bits = np.asarray(picture)
        if photo is None:
            continue
        if bits.shape != photo.shape[:2]:
            raise ValueError(f"{name} and its annotators' drawings differ in size: {photo.shape[:2]}, {bits.shape}")
        drawn = [(bits >> number) & 1 > 0 for number in range(8 * bits.dtype.itemsize)]
        present = [drawing for drawing in drawn if drawing.any()]
        if present:
            usable.append(Annotated(name, photo, np.stack(present)))
    if not usable:
        raise FileNotFoundError(f"no annotated photos in {', '.join(map(str, sources))}")
    return usable


def consensus(drawings: np.ndarray) -> np.ndarray:
    """What annotators agree on, uint8 H x W: `AGREED` where a line is and at least half of them drew one within
    `NEARBY` pixels, `DOUBTED` on the other lines, 0 where nobody drew.

    Lines of one contour lie a pixel or two apart, so a vote pixel by pixel would leave almost nothing.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NEARBY + 1, 2 * NEARBY + 1))
    votes = np.mean([cv2.dilate(drawing.astype(np.uint8), disc) for drawing in drawings], axis=0)
    drawn = drawings.any(axis=0)
    return np.where(drawn, np.where(votes >= 0.5, AGREED, DOUBTED), 0).astype(np.uint8)


def bank_of(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> PhotoBank:
    """Photos, uint8 H x W x 3, with their edges, uint8 H x W."""
    height = torch.tensor([photo.shape[0] for photo, _ in pairs])
    width = torch.tensor([photo.shape[1] for photo, _ in pairs])
    area = height * width
    offset = area.cumsum(0) - area
    pixels = np.empty((int(area.sum()), 4), np.uint8)
    for pair, start, count in zip(pairs, offset.tolist(), area.tolist(), strict=True):
        pixels[start : start + count] = np.dstack(pair).reshape(-1, 4)
    has_edges = torch.ones(len(pairs), dtype=torch.bool)
    return PhotoBank(torch.from_numpy(pixels), offset, height, width, has_edges, [])


def bank_of_maps(photos: Iterable[Path], maps: Iterable[Path]) -> PhotoBank:
    """Photos of shards or folders that have a soft edge map of the same name and size.

    Raises:
        FileNotFoundError: a source is absent, or no map belongs to a photo.
    """
    map_of = dict(members(maps))
    pairs = []
    for name, data in members(photos):
        if name not in map_of:
            continue
        photo, edges = decode(data, "RGB", 32, None), decode(map_of[name], "L", 32, None)
        if photo is not None and edges is not None and photo.shape[:2] == edges.shape:
            pairs.append((photo, edges))
    if not pairs:
        raise FileNotFoundError("none of the edge maps belongs to one of the photos")
    return bank_of(pairs)


def bank_of_drawings(sources: Iterable[Path]) -> PhotoBank:
    """Annotated photos with what their annotators agree on; raises as `annotated`."""
    return bank_of([(photo.photo, consensus(photo.drawings)) for photo in annotated(sources)])


def turned_crops(bank: PhotoBank, numbers: Tensor, size: int, drawn: bool) -> tuple[Tensor, Tensor]:
    """Squares of `size` pixels, turned by any angle, mirrored and scaled.

    Args:
        bank: photos with their edges.
        numbers: (B, 7 or more) random in [0, 1]: photo, scale, angle, row, column, mirror, whether it is turned.
        size: side of the result.
        drawn: the edges are lines of one pixel, which averaging would thin out.

    Returns:
        float32 (B, 4, size, size) in [0, 1], and (B, 1, size, size): 1 = inside of the photo. What is outside
        repeats the photo's rim.
    """
    index = (numbers[:, 0] * len(bank)).long().clamp_max(len(bank) - 1)
    height, width = bank.height[index].float(), bank.width[index].float()
    short = torch.minimum(height, width)
    # pixels of the photo to a pixel of the crop: from a third finer to whatever shows the whole short side
    coarsest = (short / size).clamp_min(1.0).clamp_max(2.0)
    step = 0.75 * (coarsest / 0.75) ** numbers[:, 1]
    step = torch.minimum(step, short / size)
    angle = torch.where(numbers[:, 6] < 0.5, numbers[:, 2] * 2 * math.pi, torch.zeros_like(step))
    # the outside of the photo is left out, but for some corners of a turned square
    reach = step * size / 2 * (angle.cos().abs() + angle.sin().abs()).clamp_max(1.25)
    top = torch.minimum(reach, height / 2)
    left = torch.minimum(reach, width / 2)
    centre_y = top + numbers[:, 3] * (height - 2 * top)
    centre_x = left + numbers[:, 4] * (width - 2 * left)
    points = 2 * size  # read twice as fine, then averaged
    grid = (torch.arange(points, device=index.device) + 0.5) / points - 0.5
    across = torch.where(numbers[:, 5, None] < 0.5, -grid, grid) * (step * size)[:, None]  # (B, P)
    along = grid * (step * size)[:, None]
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    y = centre_y[:, None, None] + along[:, :, None] * cos + across[:, None, :] * sin
    x = centre_x[:, None, None] - along[:, :, None] * sin + across[:, None, :] * cos
    last_row, last_column = bank.height[index] - 1, bank.width[index] - 1
    rows, columns = y.floor().long(), x.floor().long()
    y = rows.clamp_min(0).minimum(last_row[:, None, None])
    x = columns.clamp_min(0).minimum(last_column[:, None, None])
    inside = ((rows == y) & (columns == x))[:, None].float()
    where = bank.offset[index, None, None] + y * bank.width[index, None, None] + x
    cut = bank.pixels[where].permute(0, 3, 1, 2).float() / 255
    edges = F.max_pool2d(cut[:, 3:], 2) if drawn else F.avg_pool2d(cut[:, 3:], 2)  # keep lines of one pixel
    return torch.cat([F.avg_pool2d(cut[:, :3], 2), edges], 1), (F.avg_pool2d(inside, 2) == 1).float()


class EdgeLoader(PhotoLoader):
    """Draws batches of turned crops whose `edges_known` is 0 outside of the photo and where annotators disagree.

    Args:
        banks: of soft maps, and, if there is a second one, of `bank_of_drawings`.
        weights, size, batch: as for `PhotoLoader`; so are its other arguments.
    """

    def __init__(
        self, banks: Sequence[PhotoBank], weights: Sequence[float], size: int, batch: int, **more: Any
    ) -> None:
        super().__init__(banks, weights, size, batch, CropOptions(jitter=JITTER), **more)

    def crop(self, number: int, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Crops with their edges, float32 B x 4 x S x S, and where those are known, B x 1 x S x S."""
        drawn = number == DRAWN
        crop, known = turned_crops(self.banks[number], numbers, self.size, drawn)
        if drawn:
            edges = crop[:, 3:]
            known = known * ((edges < 0.25) | (edges > 0.75))
            crop = torch.cat([crop[:, :3], (edges > 0.75).float()], 1)
        return crop, known
