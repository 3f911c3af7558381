"""Fixed validation photos and masks: figures as shares of Navier-Stokes', and a picture to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor
from torchvision.utils import make_grid, save_image

from inpaint_core import metrics
from inpaint_core.masks.generators import GENERATORS
from inpaint_core.methods.opencv import NavierStokes
from train.core.config import PhotoConfig
from train.core.photo_bank import PhotoBank
from train.core.run import Run
from train.core.sketches import thin_edges
from train.core.sources import expand

Fill = Callable[[Tensor, Tensor, Tensor | None], Tensor | tuple[Tensor, Tensor]]
"""(image, mask, sketch or None) -> the completed photo, or the coarse and the refined one, N x C x H x W in [0, 1]: a
generator, or a function that calls one."""

KINDS = ("centre", "free_form")
SMALL_PHOTOS, LARGE_PHOTOS, LARGE_SIZE = 40, 24, 256
SHOWN = 8  # photos of each kind in a grid


@dataclass(frozen=True)
class ValidationSet:
    """Photos, masks and the figures of Navier-Stokes on them.

    `image` N x 3 x S x S in [0, 1], `mask` N x 1 x S x S, `l1` in the hole and `lpips` of the photo, means.
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
        return cls.with_masks(name, image, mask)

    @classmethod
    def with_masks(cls, name: str, image: Tensor, mask: Tensor) -> ValidationSet:
        """The same with masks of the caller's."""
        filled = paste(NavierStokes().fill(image, mask).image, image, mask)
        return cls(name, image, mask, *measure(filled, image, mask))

    def measure(self, fill: Fill, sketch: bool = False, batch: int = 8) -> dict[str, float]:
        """L1 in the hole and LPIPS (alex) of the whole photo, and both as shares of Navier-Stokes'."""
        filled = []
        for image, mask in zip(self.image.split(batch), self.mask.split(batch), strict=True):
            edges = thin_edges(image) * mask if sketch else None
            filled.append(paste(stages_of(fill(image, mask, edges))[1], image, mask))
        l1, lpips = measure(torch.cat(filled), self.image, self.mask)
        return {"l1": l1, "lpips": lpips, "l1_of_ns": l1 / self.l1, "lpips_of_ns": lpips / self.lpips}


def stages_of(filled: Tensor | tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Coarse and refined photo; of a generator with a single stage that one twice."""
    return (filled, filled) if isinstance(filled, Tensor) else filled


def paste(filled: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """The fill in the hole, the photo elsewhere, rounded to 8 bits as a user gets it."""
    return torch.where(mask > 0, (filled.float().clamp(0, 1) * 255).round() / 255, image)


def measure(filled: Tensor, image: Tensor, mask: Tensor) -> tuple[float, float]:
    """Means of L1 in the hole and of LPIPS over the whole photo."""
    lpips = torch.cat([metrics.lpips(a, b) for a, b in zip(filled.split(16), image.split(16), strict=True)])
    return float(metrics.l1(filled, image, mask).mean()), float(lpips.mean())


def centre_crops(bank: PhotoBank, count: int, size: int, reduce: bool = True) -> Tensor:
    """Central squares of `count` photos spread evenly over the bank, rounded to 8 bits.

    Args:
        bank: the photos.
        count: at most this many.
        size: side of the squares, pixels.
        reduce: the largest square, reduced to `size`; False: the central square of `size` pixels itself.

    Returns:
        float32 N x 3 x size x size in [0, 1].
    """
    index = torch.linspace(0, len(bank) - 1, min(count, len(bank))).round().long()
    height, width = bank.height[index].float(), bank.width[index].float()
    side = torch.minimum(height, width) if reduce else torch.full_like(height, size)
    top, left = ((height - side) / 2).floor(), ((width - side) / 2).floor()
    crops = bank.crops(index, top, left, side, torch.zeros(len(index), dtype=torch.bool), size)
    return ((crops[:, :3] * 255).round() / 255).contiguous(memory_format=torch.channels_last)


def validation_sets(config: PhotoConfig) -> list[ValidationSet]:
    """Centre and free-form holes: of all validation photos at the training size, and of large ones at 256 px."""
    small, large = expand(config.val_small), expand(config.val)
    sources = [files for files in (small, large) if files]
    if not sources:
        return []
    crops = torch.cat([centre_crops(PhotoBank.load(files), SMALL_PHOTOS, config.size) for files in sources])
    sets = [ValidationSet.of(f"{kind}_{config.size}", crops, kind) for kind in KINDS]
    if large and config.size < LARGE_SIZE:
        crops = centre_crops(PhotoBank.load(large), LARGE_PHOTOS, LARGE_SIZE)
        sets += [ValidationSet.of(f"{kind}_{LARGE_SIZE}", crops, kind) for kind in KINDS]
    return sets


class Validation:
    """The validation of a run: figures go to `validation.jsonl`, pictures to `grids/`.

    Args:
        run: its main process measures.
        fill: the network that will be exported, or what fills photos by it; on any device.
        sets: what is measured; empty: nothing.
        eval_every, grid_every: steps between figures, and between pictures.
        sketch: measure the first set also with the photos' edges as the sketch.
        statistics: called before what is due: measures the network's batch statistics, see `refresh_statistics`.
    """

    def __init__(
        self,
        run: Run,
        fill: Fill,
        sets: list[ValidationSet],
        eval_every: int,
        grid_every: int,
        *,
        sketch: bool = False,
        statistics: Callable[[], None] | None = None,
    ) -> None:
        self.run, self.sets, self.sketch = run, sets if run.main else [], sketch
        self.eval_every, self.grid_every = eval_every, grid_every
        self._fill, self._statistics = fill, statistics

    @classmethod
    def of(
        cls,
        config: PhotoConfig,
        run: Run,
        fill: Fill,
        *,
        sketch: bool = False,
        statistics: Callable[[], None] | None = None,
    ) -> Validation:
        """The validation that a config asks for."""
        sets = validation_sets(config) if run.main else []
        return cls(run, fill, sets, config.eval_every, config.grid_every, sketch=sketch, statistics=statistics)

    @torch.no_grad()
    def fill(self, image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        """Photos from the CPU, filled on the run's device in its precision, back on the CPU."""
        device = self.run.device
        with self.run.autocast():
            filled = self._fill(image.to(device), mask.to(device), None if sketch is None else sketch.to(device))
        coarse, refined = stages_of(filled)
        return coarse.float().cpu(), refined.float().cpu()

    def after_step(self) -> None:
        """Measure and draw where it is due; for the end of a loop's body."""
        draw, measure = self.run.due(self.grid_every), self.run.due(self.eval_every)
        if self.sets and self._statistics is not None and (draw or measure):
            self._statistics()
        if draw:
            self.grid()
        if measure:
            self.measure()

    def measure(self, further: Mapping[str, dict[str, float]] | None = None) -> dict[str, dict[str, float]]:
        """Measure every set and append the figures to the run's log, after `further` ones; {} if there are none."""
        figures = {**(further or {}), **{photos.name: photos.measure(self.fill) for photos in self.sets}}
        if self.sets and self.sketch:
            figures[f"{self.sets[0].name}_sketch"] = self.sets[0].measure(self.fill, sketch=True)
        if figures:
            entry = {"step": self.run.step, "images_seen": self.run.step * self.run.config.batch, **figures}
            with (self.run.out / "validation.jsonl").open("a") as log:
                log.write(json.dumps(entry) + "\n")
            for name, values in figures.items():
                self.run.log(**{f"validation/{name}_{key}": v for key, v in values.items() if key.endswith("_of_ns")})
        return figures

    def grid(self) -> Path | None:
        """Input | coarse | refined | truth of a few photos of the first two sets; drawn edges are red."""
        sets = [photos for photos in self.sets[:2] if photos.image.shape[-1] == self.sets[0].image.shape[-1]]
        if not sets:
            return None
        tiles = []
        for photos in sets:
            index = torch.linspace(0, len(photos.image) - 1, SHOWN).round().long()
            image, mask = photos.image[index], photos.mask[index]
            shown, edges = torch.where(mask > 0, torch.ones_like(image), image), None
            if self.sketch:  # a quarter of the photos
                edges = thin_edges(image) * mask
                edges[: SHOWN * 3 // 4] = 0
                shown = torch.where(edges > 0, torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1), shown)
            coarse, refined = self.fill(image, mask, edges)
            rows = torch.stack([shown, paste(coarse, image, mask), paste(refined, image, mask), image], 1)
            tiles.append(rows.flatten(0, 1))  # (4 * SHOWN, 3, S, S)
        path = self.run.out / "grids" / f"{self.run.step:07d}.png"
        path.parent.mkdir(exist_ok=True)
        save_image(make_grid(torch.cat(tiles), nrow=8, padding=2), path)
        return path
