"""The random strokes and boxes of the papers, as fields: the shapes that the generators combine into masks."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from inpaint_core.masks import fields

Device = str | torch.device


class Dice:
    """Draws from one generator, wherever it lives, and puts the numbers on the device of the masks."""

    def __init__(self, generator: Generator, device: Device) -> None:
        self.generator, self.device = generator, torch.device(device)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        drawn = torch.rand(shape, generator=self.generator, device=self.generator.device)
        return (low + (high - low) * drawn).to(self.device)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator, device=self.generator.device).to(self.device)

    def integers(self, *shape: int, low: int, high: int) -> Tensor:
        """Whole numbers from low to high, both included."""
        drawn = torch.randint(low, high + 1, shape, generator=self.generator, device=self.generator.device)
        return drawn.to(self.device)


def brush_strokes(
    dice: Dice, count: int, height: int, width: int, strokes: tuple[int, int], wanted: Tensor | None = None
) -> Tensor:
    """The field of DeepFill v2 strokes; `wanted` (N, float) says how many each mask has: a half is a shorter one."""
    most, segments = strokes[1], 11
    scale = math.sqrt(height * width) / 256
    extent = torch.tensor([height - 1, width - 1], dtype=torch.float32, device=dice.device)
    if wanted is None:
        wanted = dice.integers(count, low=strokes[0], high=strokes[1]).float()
    present = wanted.round().clamp(min=1)
    used = dice.integers(count, most, low=4, high=segments)  # segments of each stroke
    used = (used * wanted[:, None].clamp(max=1)).ceil()
    reach = dice.uniform(2, count, most, high=2 * math.pi / 15)
    angle_low, angle_high = 2 * math.pi / 5 - reach[0], 2 * math.pi / 5 + reach[1]
    angle = angle_low + (angle_high - angle_low) * dice.uniform(segments, count, most)
    angle[::2] *= -1
    average = math.sqrt(2) * 256 / 8 * scale
    length = (average + average / 2 * dice.normal(segments, count, most)).clamp(0, 2 * average)
    length *= torch.arange(segments, device=dice.device)[:, None, None] < used  # a stroke that is done stays in place
    mirrored = 1 - 2 * dice.integers(count, 1, 2, low=0, high=1)
    move = torch.stack([angle.sin(), angle.cos()], dim=-1) * length[..., None] * mirrored  # (K, N, S, 2)
    vertices = [dice.uniform(count, most, 2) * extent]
    for step in move:
        vertices.append((vertices[-1] + step).clamp(min=0).minimum(extent))
    line = torch.stack(vertices)
    thickness = (dice.uniform(count, most, low=12, high=40) * scale).clamp(min=1.5)  # 1.5 px always covers a pixel
    there = torch.arange(most, device=dice.device) < present[:, None]
    radius = torch.where(there, thickness / 2, -fields.FAR)
    return fields.capsules(line[:-1], line[1:], radius, height, width, fields.grid_step(6 * scale))


def square_box(dice: Dice, count: int, height: int, width: int) -> Tensor:
    """The field of one DeepFill v1 box a mask."""
    edges: list[Tensor] = []
    for extent in (height, width):
        side = max(extent // 2, 1)
        start = dice.integers(count, 1, low=0, high=extent - side)
        shrink = dice.integers(count, 1, low=0, high=extent // 16)
        edges += [(start + shrink).float(), (start + side - shrink).float()]
    top, bottom, left, right = edges
    return fields.boxes(top, bottom, left, right, height, width)


def lama_strokes(
    dice: Dice,
    count: int,
    height: int,
    width: int,
    times: tuple[int, int],
    length: tuple[int, int],
    thickness: tuple[int, int],
) -> Tensor:
    """The field of LaMa's irregular strokes: 1 to 5 segments each, each of its own angle, length and thickness."""
    most, segments = times[1], 5
    scale = math.sqrt(height * width) / 256
    extent = torch.tensor([height - 1, width - 1], dtype=torch.float32, device=dice.device)
    number = dice.integers(count, 1, low=times[0], high=times[1])
    used = dice.integers(count, most, low=1, high=segments)
    angle = 0.01 + dice.integers(segments, count, most, low=0, high=3).float()
    angle[1::2] *= -1
    reach = dice.integers(segments, count, most, low=length[0], high=length[1]) * scale
    move = torch.stack([angle.sin(), angle.cos()], dim=-1) * reach[..., None]
    vertices = [dice.uniform(count, most, 2) * extent]
    for step in move:
        vertices.append((vertices[-1] + step).clamp(min=0).minimum(extent))
    line = torch.stack(vertices)
    radius = dice.integers(segments, count, most, low=thickness[0], high=thickness[1]) * scale / 2
    there = (torch.arange(most, device=dice.device) < number) & (
        torch.arange(segments, device=dice.device)[:, None, None] < used
    )
    radius = radius.clamp(min=0.75)  # 1.5 px always covers a pixel
    start, end, radius = line[:-1][there], line[1:][there], radius[there]  # (M, 2), (M, 2), (M)
    owner = torch.arange(count, device=dice.device)[:, None].expand_as(there)[there]
    return fields.windows(start, end, radius, owner, (count, height, width), fields.grid_step(thickness[0] / 2 * scale))


def lama_boxes(dice: Dice, count: int, height: int, width: int) -> Tensor:
    """The field of LaMa's boxes: one to three in three masks of ten, sides of 30 to 149 px at 256 px."""
    scale = math.sqrt(height * width) / 256
    extent = torch.tensor([height, width], dtype=torch.float32, device=dice.device)
    size = (dice.uniform(count, 3, 2, low=30, high=150) * scale).round().clamp(min=1).minimum(extent)
    corner = ((extent - size) * dice.uniform(count, 3, 2)).round()
    number = dice.integers(count, 1, low=1, high=3) * (dice.uniform(count, 1) < 0.3)
    size = size * (torch.arange(3, device=dice.device) < number)[..., None]
    end = corner + size
    return fields.boxes(corner[..., 0], end[..., 0], corner[..., 1], end[..., 1], height, width)
