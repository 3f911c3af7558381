"""Measure latent search on photos of its prior's size, before and after Poisson blending, beside Navier-Stokes.

    python -m train.evaluation.prior --photos faces128-val-00.tar --out results --checkpoints runs/dcgan/export

The photos' largest central squares are reduced to 64 px; the hole is a square of 24 px in the middle, or `--masks`.
Prints the mean LPIPS (alex) and L1 in the hole of each, and draws a sheet: hole, Navier-Stokes, latent search, blended,
blended with mixed gradients, truth.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from inpaint_core import metrics
from inpaint_core.arguments import choose_device
from inpaint_core.errors import InpaintError
from inpaint_core.methods.base import FillContext
from inpaint_core.methods.latent_search import PRIOR_WEIGHT, RESTARTS, STEPS, LatentSearch
from inpaint_core.predictor import blending
from train.core.cli import run_cli
from train.core.config import Paths
from train.evaluation.candidates import BASELINE, Candidate
from train.evaluation.contact_sheet import Row, draw_sheet
from train.evaluation.photos import Photo, chosen_photos, mask_for
from train.evaluation.samples import mark_hole

SIZE = 64  # pixels, of the prior's pictures
BATCH = 16  # photos that are searched together
ENLARGED = 2  # times, on the sheet


@dataclass(frozen=True, kw_only=True)
class Config:
    """How the latent vectors are searched, on which photos, with which holes."""

    photos: Paths  # folder, tar shard or quoted pattern
    out: Path  # folder of the results
    checkpoints: Path | None = None  # weights and manifest; default: those of the project
    limit: int = 100  # photos, spread evenly over those there are
    hole: int = 24  # side of the square in the middle
    masks: str | None = None  # free_form, random_pixels, ... in place of the square
    steps: int = STEPS  # of the search, at most
    restarts: int = RESTARTS  # searches for each photo and prior
    prior_weight: float = PRIOR_WEIGHT  # lambda
    rows: int = 30  # photos on the sheet
    device: str = "auto"  # auto, cpu, cuda
    seed: int = 0  # of the search and the masks


@dataclass(frozen=True)
class Figures:
    """Means over the photos: L1 in the hole, LPIPS of the whole photo."""

    l1: float
    lpips: float


def square_hole(side: int) -> np.ndarray:
    """A square hole in the middle: bool 64 x 64."""
    hole = np.zeros((SIZE, SIZE), bool)
    first = (SIZE - side) // 2
    hole[first : first + side, first : first + side] = True
    return hole


def as_tensor(images: Sequence[np.ndarray]) -> Tensor:
    """uint8 H x W x 3 arrays as float N x 3 x H x W in [0, 1]."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


def as_pixels(images: Tensor) -> list[np.ndarray]:
    """N x 3 x H x W in [0, 1] as uint8 H x W x 3 arrays."""
    return list(images.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())


def search(
    photos: Sequence[Photo], holes: Sequence[np.ndarray], config: Config
) -> tuple[list[np.ndarray], Counter[str]]:
    """What latent search draws for each photo, uint8 64 x 64 x 3, and how often each prior was chosen."""
    image = as_tensor([photo.pixels for photo in photos])
    mask = torch.from_numpy(np.stack(holes))[:, None].float()
    blanked = torch.where(mask > 0, image.mean((2, 3), keepdim=True), image)
    method = LatentSearch(config.checkpoints, config.steps, config.restarts, config.prior_weight)
    device = choose_device(config.device)
    drawn: list[np.ndarray] = []
    priors: Counter[str] = Counter()
    batches = zip(blanked.to(device).split(BATCH), mask.to(device).split(BATCH), strict=True)
    for number, (batch, holes_of_batch) in enumerate(batches):
        generator = Generator(device).manual_seed(config.seed + number)
        filled = method.fill(batch, holes_of_batch, FillContext(generator=generator))
        drawn += as_pixels(filled.image.cpu())
        priors.update(filled.extras["prior"])
    return drawn, priors


def figures_of(fills: Sequence[np.ndarray], photos: Sequence[Photo], holes: Sequence[np.ndarray]) -> Figures:
    """The figures of completed photos, uint8 64 x 64 x 3."""
    filled, truth = as_tensor(fills), as_tensor([photo.pixels for photo in photos])
    mask = torch.from_numpy(np.stack(holes))[:, None].float()
    with torch.inference_mode():
        return Figures(float(metrics.l1(filled, truth, mask).mean()), float(metrics.lpips(filled, truth).mean()))


def main(config: Config) -> None:
    """Measure latent search on photos of its prior's size.

    Raises:
        InpaintError: there are no photos, unknown masks, no weights, or LPIPS cannot be had.
    """
    if why := metrics.lpips_unavailable_reason():
        raise InpaintError(why)
    photos = chosen_photos(config.photos, SIZE, config.limit)
    if config.masks is None:
        holes = [square_hole(config.hole)] * len(photos)
    else:
        holes = [mask_for(photo.name, config.masks, SIZE, SIZE, config.seed) for photo in photos]
    started = time.perf_counter()
    drawn, priors = search(photos, holes, config)
    seconds = (time.perf_counter() - started) / len(photos)

    every = list(zip(photos, holes, drawn, strict=True))
    fills: dict[str, list[np.ndarray]] = {
        "ns": [Candidate.parse(BASELINE).fill(photo.pixels, hole)[0] for photo, hole, _ in every],
        "latent_search": [np.where(hole[..., None], one, photo.pixels) for photo, hole, one in every],
        "poisson": [blending.blend(photo.pixels, hole, one, mixed=False) for photo, hole, one in every],
        "mixed": [blending.blend(photo.pixels, hole, one, mixed=True) for photo, hole, one in every],
    }
    figures = {name: figures_of(filled, photos, holes) for name, filled in fills.items()}

    config.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for index, (photo, hole, _) in enumerate(every[: config.rows]):
        pictures = [mark_hole(photo.pixels, hole), *(filled[index] for filled in fills.values()), photo.pixels]
        rows.append(Row(photo.name, [pixels.repeat(ENLARGED, 0).repeat(ENLARGED, 1) for pixels in pictures]))
    draw_sheet(rows, ["hole", *fills, "truth"], ENLARGED * SIZE).save(config.out / "sheet.png")
    report = {
        "photos": len(photos),
        "seconds_a_photo": round(seconds, 2),
        "priors": dict(sorted(priors.items())),
        **{name: asdict(means) for name, means in figures.items()},
    }
    (config.out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    for name, means in figures.items():
        share = means.lpips / figures[BASELINE].lpips
        print(f"{name:<14} LPIPS {means.lpips:.4f} ({share:.2f} of ns)   L1 in the hole {means.l1:.4f}")
    print(f"{len(photos)} photos, {seconds:.1f} s each; priors {report['priors']}")


if __name__ == "__main__":
    run_cli(main, Config)
