"""The random strokes and boxes of the papers: the shapes that the generators combine into masks.

A function draws the parameters of shapes for a batch of masks; the `field` of what it returns is what
`inpaint_core.masks.fields` computes of them. Lengths in the papers are for 256 x 256 pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from inpaint_core.masks import fields

Device = str | torch.device
THINNEST = 1.5  # pixels: a stroke of this width always covers a pixel


class Sampler:
    """Draws from one generator, wherever it lives, and puts the numbers on the device of the masks."""

    def __init__(self, generator: Generator, device: Device) -> None:
        self.generator, self.device = generator, torch.device(device)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """float32 of this shape in [low, high)."""
        values = torch.rand(shape, generator=self.generator, device=self.generator.device)
        return (low + (high - low) * values).to(self.device)

    def normal(self, *shape: int) -> Tensor:
        """float32 of this shape, mean 0 and standard deviation 1."""
        return torch.randn(shape, generator=self.generator, device=self.generator.device).to(self.device)

    def integers(self, *shape: int, low: int, high: int) -> Tensor:
        """Whole numbers from low to high, both included."""
        values = torch.randint(low, high + 1, shape, generator=self.generator, device=self.generator.device)
        return values.to(self.device)


@dataclass(frozen=True)
class Strokes:
    """Polylines drawn with a round brush: K segments of each of S strokes of N masks."""

    vertices: Tensor  # float32 (K + 1, N, S, 2), y and x in pixels
    width: Tensor  # float32 (K, N, S), pixels
    present: Tensor  # bool (K, N, S): strokes of fewer than K segments leave the rest out
    size: tuple[int, int]  # height and width of the masks

    def field(self, step: int) -> Tensor:
        """float32 N x H x W, computed whole: for strokes that reach far. `step`: see `fields.grid_step`."""
        radius = torch.where(self.present[0], self.width[0] / 2, -fields.FAR)  # of all segments of a stroke
        return fields.capsules(self.vertices[:-1], self.vertices[1:], radius, *self.size, step)

    def field_of_windows(self, step: int) -> Tensor:
        """The same, computed around each segment only: for many short ones. Segments may differ in width."""
        count = self.present.shape[1]
        start, end = self.vertices[:-1][self.present], self.vertices[1:][self.present]  # (M, 2), (M, 2)
        masks = torch.arange(count, device=self.present.device)
        owner = masks[:, None].expand_as(self.present)[self.present]  # (M)
        return fields.windows(start, end, self.width[self.present] / 2, owner, (count, *self.size), step)


def gated_strokes(
    sampler: Sampler, count: int, size: tuple[int, int], strokes: tuple[int, int], wanted: Tensor | None = None
) -> Strokes:
    """The strokes of DeepFill v2's free-form masks (supplementary material, algorithm 1).

    Strokes of 4 to 11 segments in directions of 2 pi / 5, give or take up to 2 pi / 15, above and below the axis in
    turn; their lengths are normal around an eighth of the diagonal; brushes of 12 to 40 px.

    Args:
        sampler: of all random numbers.
        count: masks.
        size: their height and width.
        strokes: the least and the greatest number a mask.
        wanted: float (N,), the number of each mask in place of a random one: a half is a shorter stroke.
    """
    most, segments = strokes[1], 11
    scale, limit = _scale_and_limit(size, sampler.device)
    if wanted is None:
        wanted = sampler.integers(count, low=strokes[0], high=strokes[1]).float()
    used = sampler.integers(count, most, low=4, high=segments)  # segments of each stroke
    used = (used * wanted[:, None].clamp(max=1)).ceil()
    reach = sampler.uniform(2, count, most, high=2 * math.pi / 15)
    angle_low, angle_high = 2 * math.pi / 5 - reach[0], 2 * math.pi / 5 + reach[1]
    angle = angle_low + (angle_high - angle_low) * sampler.uniform(segments, count, most)
    angle[::2] *= -1
    average = math.sqrt(2) * 256 / 8 * scale
    length = (average + average / 2 * sampler.normal(segments, count, most)).clamp(0, 2 * average)
    length *= _first(used, segments)  # a stroke that is done stays in place
    mirrored = 1 - 2 * sampler.integers(count, 1, 2, low=0, high=1)
    move = torch.stack([angle.sin(), angle.cos()], dim=-1) * length[..., None] * mirrored  # (K, N, S, 2)
    vertices = _walk(sampler.uniform(count, most, 2) * limit, move, limit)
    width = (sampler.uniform(count, most, low=12, high=40) * scale).clamp(min=THINNEST)
    present = torch.arange(most, device=sampler.device) < wanted.round().clamp(min=1)[:, None]
    return Strokes(vertices, width.expand(segments, -1, -1), present.expand(segments, -1, -1), size)


def lama_strokes(
    sampler: Sampler,
    count: int,
    size: tuple[int, int],
    times: tuple[int, int],
    length: tuple[int, int],
    thickness: tuple[int, int],
) -> Strokes:
    """The strokes of LaMa's irregular masks: 1 to 5 segments each, each of its own angle, length and thickness.

    Args:
        sampler: of all random numbers.
        count: masks.
        size: their height and width.
        times: the least and the greatest number of strokes a mask.
        length, thickness: the least and the greatest of a segment, in pixels at 256 px.
    """
    most, segments = times[1], 5
    scale, limit = _scale_and_limit(size, sampler.device)
    number = sampler.integers(count, 1, low=times[0], high=times[1])
    used = sampler.integers(count, most, low=1, high=segments)
    angle = 0.01 + sampler.integers(segments, count, most, low=0, high=3).float()
    angle[1::2] *= -1
    reach = sampler.integers(segments, count, most, low=length[0], high=length[1]) * scale
    move = torch.stack([angle.sin(), angle.cos()], dim=-1) * reach[..., None]
    vertices = _walk(sampler.uniform(count, most, 2) * limit, move, limit)
    width = sampler.integers(segments, count, most, low=thickness[0], high=thickness[1]) * scale
    present = (torch.arange(most, device=sampler.device) < number) & _first(used, segments)
    return Strokes(vertices, width.clamp(min=THINNEST), present, size)


@dataclass(frozen=True)
class Boxes:
    """Upright boxes: S of each of N masks; one with bottom <= top is not there."""

    top: Tensor  # float32 (N, S): the first row
    bottom: Tensor  # the row after the last
    left: Tensor
    right: Tensor
    size: tuple[int, int]  # height and width of the masks

    def field(self) -> Tensor:
        """float32 N x H x W, at most 0 exactly on the pixels of the boxes."""
        return fields.boxes(self.top, self.bottom, self.left, self.right, *self.size)


def square_box(sampler: Sampler, count: int, size: tuple[int, int]) -> Boxes:
    """One box a mask as in DeepFill v1: half the size, each side moved inwards by 0 to 1/16."""
    edges: list[Tensor] = []
    for extent in size:
        side = max(extent // 2, 1)
        start = sampler.integers(count, 1, low=0, high=extent - side)
        shrink = sampler.integers(count, 1, low=0, high=extent // 16)
        edges += [(start + shrink).float(), (start + side - shrink).float()]
    top, bottom, left, right = edges
    return Boxes(top, bottom, left, right, size)


def lama_boxes(sampler: Sampler, count: int, size: tuple[int, int]) -> Boxes:
    """LaMa's boxes: one to three in three masks of ten, sides of 30 to 149 px at 256 px."""
    scale = math.sqrt(size[0] * size[1]) / 256
    limit = torch.tensor(size, dtype=torch.float32, device=sampler.device)
    sides = (sampler.uniform(count, 3, 2, low=30, high=150) * scale).round().clamp(min=1).minimum(limit)
    corner = ((limit - sides) * sampler.uniform(count, 3, 2)).round()
    number = sampler.integers(count, 1, low=1, high=3) * (sampler.uniform(count, 1) < 0.3)
    sides = sides * (torch.arange(3, device=sampler.device) < number)[..., None]
    end = corner + sides
    return Boxes(corner[..., 0], end[..., 0], corner[..., 1], end[..., 1], size)


def _scale_and_limit(size: tuple[int, int], device: torch.device) -> tuple[float, Tensor]:
    """How much larger the masks are than the papers' 256 x 256, and their last row and column."""
    height, width = size
    limit = torch.tensor([height - 1, width - 1], dtype=torch.float32, device=device)
    return math.sqrt(height * width) / 256, limit


def _first(used: Tensor, segments: int) -> Tensor:
    """bool (K, N, S): True for the first `used` (N, S) of K segments."""
    return torch.arange(segments, device=used.device)[:, None, None] < used


def _walk(start: Tensor, moves: Tensor, limit: Tensor) -> Tensor:
    """The vertices from `start` (N, S, 2) by `moves` (K, N, S, 2), kept inside the picture: (K + 1, N, S, 2)."""
    vertices = [start]
    for move in moves:
        vertices.append((vertices[-1] + move).clamp(min=0).minimum(limit))
    return torch.stack(vertices)
