"""Photos with edge maps in memory: a detector's soft maps and people's drawings, cropped, turned, scaled."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor
from torch.nn import functional as F

from inpaint_core.errors import InpaintError
from train.core.data import jitter_colours
from train.core.sources import decode, members

ANNOTATORS = ".annotators"  # suffix of the picture whose bit i means: annotator i drew a boundary here
NEARBY = 2  # pixels: annotators whose lines are this close mean the same contour
AGREED, DOUBTED = 255, 128  # what `consensus` writes


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
    found = []
    for name in sorted(photos.keys() & drawings.keys()):
        photo = decode(photos[name], "RGB", 32, None)
        with Image.open(io.BytesIO(drawings[name])) as picture:
            bits = np.asarray(picture)
        if photo is None:
            continue
        if bits.shape != photo.shape[:2]:
            raise ValueError(f"{name} and its annotators' drawings differ in size: {photo.shape[:2]}, {bits.shape}")
        drawn = [(bits >> number) & 1 > 0 for number in range(8 * bits.dtype.itemsize)]
        present = [each for each in drawn if each.any()]
        if present:
            found.append(Annotated(name, photo, np.stack(present)))
    if not found:
        raise FileNotFoundError(f"no annotated photos in {', '.join(map(str, sources))}")
    return found


def consensus(drawings: np.ndarray) -> np.ndarray:
    """What annotators agree on, uint8 H x W: `AGREED` where a line is and at least half of them drew one within
    `NEARBY` pixels, `DOUBTED` on the other lines, 0 where nobody drew.

    Lines of one contour lie a pixel or two apart, so a vote pixel by pixel would leave almost nothing.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * NEARBY + 1, 2 * NEARBY + 1))
    votes = np.mean([cv2.dilate(each.astype(np.uint8), disc) for each in drawings], axis=0)
    drawn = drawings.any(axis=0)
    return np.where(drawn, np.where(votes >= 0.5, AGREED, DOUBTED), 0).astype(np.uint8)


@dataclass(frozen=True)
class EdgeBank:
    """Photos with their edges, one after the other.

    `pixels` uint8 (P, 4), the fourth the edges; `offset`, `height`, `width` int64 (N,); `drawn`: the edges are
    `consensus` of people, not a detector's probabilities.
    """

    pixels: Tensor
    offset: Tensor
    height: Tensor
    width: Tensor
    drawn: bool

    def __len__(self) -> int:
        return len(self.offset)

    def to(self, device: torch.device) -> EdgeBank:
        """The same with every tensor on `device`."""
        pixels, offset, height, width = (x.to(device) for x in (self.pixels, self.offset, self.height, self.width))
        return EdgeBank(pixels, offset, height, width, self.drawn)

    @classmethod
    def of(cls, pairs: Sequence[tuple[np.ndarray, np.ndarray]], drawn: bool) -> EdgeBank:
        """Of photos, uint8 H x W x 3, with their edges, uint8 H x W."""
        height = torch.tensor([photo.shape[0] for photo, _ in pairs])
        width = torch.tensor([photo.shape[1] for photo, _ in pairs])
        area = height * width
        offset = area.cumsum(0) - area
        pixels = np.empty((int(area.sum()), 4), np.uint8)
        for (photo, edges), start, count in zip(pairs, offset.tolist(), area.tolist(), strict=True):
            pixels[start : start + count, :3] = photo.reshape(-1, 3)
            pixels[start : start + count, 3] = edges.reshape(-1)
        return cls(torch.from_numpy(pixels), offset, height, width, drawn)

    @classmethod
    def of_maps(cls, photos: Iterable[Path], maps: Iterable[Path]) -> EdgeBank:
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
        return cls.of(pairs, drawn=False)

    @classmethod
    def of_drawings(cls, sources: Iterable[Path]) -> EdgeBank:
        """Annotated photos with what their annotators agree on; raises as `annotated`."""
        return cls.of([(each.photo, consensus(each.drawings)) for each in annotated(sources)], drawn=True)

    def crops(self, numbers: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Squares of `size` pixels, turned by any angle, mirrored and scaled.

        Args:
            numbers: (B, 7) random in [0, 1]: photo, scale, angle, row, column, mirror, whether it is turned.
            size: side of the result.

        Returns:
            float32 (B, 4, size, size) in [0, 1], and (B, 1, size, size): 1 = inside of the photo. What is outside
            repeats the photo's rim.
        """
        index = (numbers[:, 0] * len(self)).long().clamp_max(len(self) - 1)
        height, width = self.height[index].float(), self.width[index].float()
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
        last_row, last_column = self.height[index] - 1, self.width[index] - 1
        rows, columns = y.floor().long(), x.floor().long()
        y = rows.clamp_min(0).minimum(last_row[:, None, None])
        x = columns.clamp_min(0).minimum(last_column[:, None, None])
        inside = ((rows == y) & (columns == x))[:, None].float()
        where = self.offset[index, None, None] + y * self.width[index, None, None] + x
        cut = self.pixels[where].permute(0, 3, 1, 2).float() / 255
        edges = F.max_pool2d(cut[:, 3:], 2) if self.drawn else F.avg_pool2d(cut[:, 3:], 2)  # keep lines of one pixel
        return torch.cat([F.avg_pool2d(cut[:, :3], 2), edges], 1), (F.avg_pool2d(inside, 2) == 1).float()


@dataclass(frozen=True)
class EdgeBatch:
    """`image` B x 3 x S x S and `edges` B x 1 x S x S in [0, 1]; `known` B x 1 x S x S, 0 = left out of the loss."""

    image: Tensor
    edges: Tensor
    known: Tensor


class EdgeSampler:
    """Draws batches: a step's batch depends on (seed, step) alone, so a resumed run needs no position.

    Args:
        banks: where photos come from.
        weights: how often each is drawn from.
        size, batch: side and number of the crops, all processes together.
        rank, world: this process takes every world-th crop, starting with its rank.
    """

    def __init__(
        self,
        banks: Sequence[EdgeBank],
        weights: Sequence[float],
        size: int,
        batch: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        device: torch.device | str = "cpu",
    ) -> None:
        if batch % world:
            raise InpaintError(f"A batch of {batch} cannot be divided among {world} processes: choose a multiple.")
        self.device = torch.device(device)
        self.banks = [bank.to(self.device) for bank in banks]
        self.weights = torch.tensor(weights, dtype=torch.float64)
        self.size, self.batch, self.seed, self.rank, self.world = size, batch, seed, rank, world

    def __call__(self, step: int) -> EdgeBatch:
        """The crops of one step: this process's share of the batch."""
        generator = Generator().manual_seed((self.seed * 1_000_003 + step) * 4096)
        bank_of = torch.multinomial(self.weights, self.batch, replacement=True, generator=generator)
        numbers = torch.rand(self.batch, 10, generator=generator)
        share = slice(self.rank, None, self.world)
        bank_of, numbers = bank_of[share], numbers[share].to(self.device)
        image, edges, known = [], [], []
        for number, bank in enumerate(self.banks):
            chosen = numbers[bank_of == number]
            if len(chosen):
                cut, inside = bank.crops(chosen, self.size)
                image.append(jitter_colours(cut[:, :3], chosen[:, 7:], 0.2))
                target = cut[:, 3:]
                if bank.drawn:
                    inside = inside * ((target < 0.25) | (target > 0.75))
                    target = (target > 0.75).float()
                edges.append(target)
                known.append(inside)
        photos = torch.cat(image).contiguous(memory_format=torch.channels_last)
        return EdgeBatch(photos, torch.cat(edges), torch.cat(known))
