"""Fixed validation photos and masks: metrics as shares of Navier-Stokes' and a picture to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from inpaint_core import metrics
from inpaint_core.masks.generators import GENERATORS
from inpaint_core.methods.opencv import NavierStokes
from train.core.data import PhotoBank
from train.core.sketches import thin_edges

Fill = Callable[[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]
"""(image, mask, sketch or None) -> (coarse, refined), all in [0, 1], on the CPU."""


@dataclass
class ValidationSet:
    """Photos, masks and what Navier-Stokes makes of them.

    `image` N x 3 x S x S in [0, 1], `mask` N x 1 x S x S, `l1` and `lpips` the means of Navier-Stokes.
    """

    name: str
    image: Tensor
    mask: Tensor
    l1: float
    lpips: float

    @classmethod
    def of(cls, name: str, image: Tensor, kind: str) -> ValidationSet:
        """Masks of the generator `kind`, always the same ones for the same number and size of photos."""
        mask = GENERATORS[kind](len(image), *image.shape[-2:], generator=Generator().manual_seed(1))
        filled = paste(NavierStokes().fill(image, mask).image, image, mask)
        return cls(name, image, mask, *measure(filled, image, mask))

    def measure(self, fill: Fill, sketch: bool = False, batch: int = 8) -> dict[str, float]:
        """L1 in the hole and LPIPS (alex) of the whole photo, and both as shares of Navier-Stokes'."""
        filled = []
        for image, mask in zip(self.image.split(batch), self.mask.split(batch), strict=True):
            edges = thin_edges(image) * mask if sketch else None
            filled.append(paste(fill(image, mask, edges)[1], image, mask))
        l1, lpips = measure(torch.cat(filled), self.image, self.mask)
        return {"l1": l1, "lpips": lpips, "l1_of_ns": l1 / self.l1, "lpips_of_ns": lpips / self.lpips}


def paste(filled: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """The fill in the hole, the photo elsewhere, rounded to 8 bits as a user gets it."""
    return torch.where(mask > 0, (filled.float().clamp(0, 1) * 255).round() / 255, image)


def measure(filled: Tensor, image: Tensor, mask: Tensor) -> tuple[float, float]:
    """Means of L1 in the hole and of LPIPS over the whole photo."""
    lpips = torch.cat([metrics.lpips(a, b) for a, b in zip(filled.split(16), image.split(16), strict=True)])
    return float(metrics.l1(filled, image, mask).mean()), float(lpips.mean())


def centre_crops(bank: PhotoBank, count: int, size: int, reduce: bool = True) -> Tensor:
    """`count` photos spread evenly over the bank, cut to the central square: N x 3 x size x size.

    reduce: the largest central square, made smaller; False: the central square of `size` pixels itself.
    """
    index = torch.linspace(0, len(bank) - 1, min(count, len(bank))).round().long()
    height, width = bank.height[index].float(), bank.width[index].float()
    side = torch.minimum(height, width) if reduce else torch.full_like(height, size)
    top, left = ((height - side) / 2).floor(), ((width - side) / 2).floor()
    crops = bank.crops(index, top, left, side, torch.zeros(len(index), dtype=torch.bool), size)
    return ((crops[:, :3] * 255).round() / 255).contiguous(memory_format=torch.channels_last)


class Validation:
    """The sets of a run, the log of their figures, and grids of fills.

    Args:
        out: the run's folder; figures go to `validation.jsonl`, pictures to `grids/`.
        sets: what is measured.
        shown: indices of the first set's photos in the grids.
    """

    def __init__(self, out: Path, sets: list[ValidationSet], shown: int = 8) -> None:
        self.out, self.sets, self.shown = out, sets, shown

    def measure(self, fill: Fill, step: int, images_seen: int, sketch: bool = False) -> dict[str, dict[str, float]]:
        """Measure every set (and the first one again with its true edges as the sketch) and append to the log."""
        result = {each.name: each.measure(fill) for each in self.sets}
        if sketch:
            result[f"{self.sets[0].name}_sketch"] = self.sets[0].measure(fill, sketch=True)
        self.log(step, images_seen, result)
        return result

    def log(self, step: int, images_seen: int, result: dict[str, dict[str, float]]) -> None:
        """Append figures to the run's log."""
        with (self.out / "validation.jsonl").open("a") as log:
            log.write(json.dumps({"step": step, "images_seen": images_seen, **result}) + "\n")

    def grid(self, fill: Fill, step: int, sketch: bool = False) -> Path:
        """Input | coarse | refined | truth of a few photos, two groups a row; sketched edges are red."""
        rows = []
        for each in self.sets[:2]:
            index = torch.linspace(0, len(each.image) - 1, self.shown).round().long()
            image, mask = each.image[index], each.mask[index]
            edges = None
            if sketch:
                edges = thin_edges(image) * mask
                edges[: self.shown * 3 // 4] = 0
            coarse, refined = fill(image, mask, edges)
            shown = torch.where(mask > 0, torch.ones_like(image), image)
            if edges is not None:
                shown = torch.where(edges > 0, torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1), shown)
            stages = [shown, paste(coarse, image, mask), paste(refined, image, mask), image]
            rows.append(torch.cat(stages, 3))  # (n, 3, S, 4S)
        size = rows[0].shape[-2]
        rows = [row for row in rows if row.shape[-2] == size]
        columns = [torch.cat(list(row), 1) for row in rows]
        pixels = torch.cat(columns, 2).mul(255).round().clamp(0, 255).to(torch.uint8)
        path = self.out / "grids" / f"{step:07d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())).save(path)
        return path
