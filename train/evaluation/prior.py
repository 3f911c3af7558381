"""Measure latent search on photos of its prior's size, before and after Poisson blending, beside Navier-Stokes.

Usage: python -m train.evaluation.prior --photos faces128-val-00.tar --out results --checkpoints runs/dcgan/export

The photos' largest central squares are reduced to 64 px; the hole is a square of 24 px in the middle, or `--masks`.
Prints the mean LPIPS (alex) and L1 in the hole of each, and draws a sheet: hole | Navier-Stokes | latent search |
blended | blended, mixed gradients | truth.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Generator, Tensor

from inpaint_core.arguments import choose_device
from inpaint_core.masks.generators import GENERATORS
from inpaint_core.methods.base import FillContext
from inpaint_core.methods.latent_search import PRIOR_WEIGHT, RESTARTS, STEPS, LatentSearch
from inpaint_core.methods.opencv import NavierStokes
from inpaint_core.predictor import blending
from train.core.data import PhotoBank, expand
from train.core.options import start
from train.core.validation import centre_crops, measure, paste
from train.evaluation.evaluate import HOLE, sheet

SIZE = 64


def middle(count: int, side: int) -> Tensor:
    """Masks with a square hole in the middle: count x 1 x 64 x 64."""
    masks = torch.zeros(count, 1, SIZE, SIZE)
    first = (SIZE - side) // 2
    masks[..., first : first + side, first : first + side] = 1
    return masks


def pixels(images: Tensor) -> list[np.ndarray]:
    """N x 3 x H x W in [0, 1] as uint8 H x W x 3 arrays."""
    return list(images.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())


def blended(image: Tensor, mask: Tensor, drawn: Tensor, mixed: bool) -> Tensor:
    """Each drawn picture blended into its photo: N x 3 x H x W."""
    holes = mask[:, 0].bool().numpy()
    results = [
        blending.blend(photo, hole, fill, mixed)
        for photo, hole, fill in zip(pixels(image), holes, pixels(drawn), strict=True)
    ]
    return torch.from_numpy(np.stack(results)).permute(0, 3, 1, 2).float() / 255


def main(
    photos: Annotated[list[Path], typer.Option(help="folder, tar shard or quoted pattern; repeat")],
    out: Annotated[Path, typer.Option(help="folder of the results")],
    checkpoints: Annotated[
        Path | None, typer.Option(help="weights and manifest; default: those of the project")
    ] = None,
    limit: Annotated[int, typer.Option(help="photos, spread evenly over those there are")] = 100,
    hole: Annotated[int, typer.Option(help="side of the square in the middle")] = 24,
    masks: Annotated[str | None, typer.Option(help="free_form, random_pixels, ... in place of the square")] = None,
    steps: Annotated[int, typer.Option(help="of the search, at most")] = STEPS,
    restarts: Annotated[int, typer.Option(help="searches for each photo and prior")] = RESTARTS,
    prior_weight: Annotated[float, typer.Option(help="lambda")] = PRIOR_WEIGHT,
    rows: Annotated[int, typer.Option(help="photos on the sheet")] = 30,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda")] = "auto",
    seed: Annotated[int, typer.Option(help="of the search and the masks")] = 0,
) -> None:
    """Measure latent search on photos of its prior's size."""
    image = centre_crops(PhotoBank.load(expand(photos)), limit, SIZE)
    mask = middle(len(image), hole)
    if masks is not None:
        mask = GENERATORS[masks](len(image), SIZE, SIZE, generator=Generator().manual_seed(seed))
    method, target = LatentSearch(checkpoints, steps, restarts, prior_weight), choose_device(device)
    drawn, names, begun = [], [], time.perf_counter()
    blanked = torch.where(mask > 0, image.mean((2, 3), keepdim=True), image)
    for number, (some, holes) in enumerate(zip(blanked.split(16), mask.split(16), strict=True)):
        context = FillContext(generator=Generator(target).manual_seed(seed + number))
        filled = method.fill(some.to(target), holes.to(target), context)
        drawn.append(filled.image.cpu())
        names += filled.extras["prior"]
    seconds = (time.perf_counter() - begun) / len(image)
    search = torch.cat(drawn)
    fills = {
        "ns": paste(NavierStokes().fill(blanked, mask).image, image, mask),
        "latent_search": paste(search, image, mask),
        "poisson": blended(image, mask, search, mixed=False),
        "mixed": blended(image, mask, search, mixed=True),
    }
    found = {name: dict(zip(("l1", "lpips"), measure(each, image, mask), strict=True)) for name, each in fills.items()}
    out.mkdir(parents=True, exist_ok=True)
    shown = [torch.where(mask > 0, torch.tensor(HOLE).view(1, 3, 1, 1) / 255, image), *fills.values(), image]
    table = list(zip(*(pixels(each[:rows]) for each in shown), strict=True))
    enlarged = [[cell.repeat(2, 0).repeat(2, 1) for cell in row] for row in table]
    sheet(enlarged, ["hole", *fills, "truth"], out / "sheet.png")
    asked = {name: names.count(name) for name in sorted(set(names))}
    report = {"photos": len(image), "seconds_a_photo": round(seconds, 2), "priors": asked, **found}
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    for name, values in found.items():
        share = values["lpips"] / found["ns"]["lpips"]
        typer.echo(f"{name:<14} LPIPS {values['lpips']:.4f} ({share:.2f} of ns)   L1 in the hole {values['l1']:.4f}")
    typer.echo(f"{len(image)} photos, {seconds:.1f} s each; priors {asked}")


if __name__ == "__main__":
    start(main)
