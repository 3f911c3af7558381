"""The small-image study: eight ways to fill the centre 8 x 8 of 32 x 32 pixels, trained and measured by one command.

CIFAR-10:   python -m train.small_images.study --data CIFAR --held-back CIFAR/test_batch --minutes 120 --out runs/study
Scenes:     python -m train.small_images.study --data 'TRAIN*.tar' --held-back VAL.tar --minutes 20 --out runs/study
Go on:      the same with --resume; models whose time is up are not trained again, the table is made anew

Departs from the poster: no layer was trained elsewhere before; photos other than CIFAR-10's are reduced to 32 px; a
mixture of logistics in the pixel networks; the poster does not say what its "L2 loss" is, see `L2`.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from PIL import Image
from torch import Tensor, nn

from inpaint_core.errors import InpaintError
from inpaint_core.methods.opencv import NavierStokes
from train.core.data import PhotoBank, PhotoSampler, cached_bank, expand
from train.core.engine import Engine
from train.core.options import start
from train.core.pixels import centre_quarter, held_back
from train.core.validation import paste
from train.small_images.models import CONTESTANTS, SIZE, Contestant

POSTER = {"Euclidean CNN": 8.56, "DCGAN": 7.49, "WGAN": 4.26, "PixelCNN": 6.98, "Diagonal BiLSTM": 5.27}
L2 = (
    "L2: the sum of the squared errors over the hole's 8 x 8 x 3 values in [0, 1], mean over the photos. The poster "
    "does not define its own; this one has its order of size. PSNR is that of the mean squared error in all holes."
)
SHOWN = 12  # photos in the picture


@dataclass
class Row:
    """A line of the table; `poster` is the number of the poster's row beside it."""

    title: str
    poster: float | None
    l2: float
    psnr: float
    minutes: float = 0.0  # of training
    photos: int = 0  # seen in training
    seconds: float = 0.0  # to fill one photo


def figures(filled: Tensor, truth: Tensor, mask: Tensor) -> tuple[float, float]:
    """`L2` and PSNR of fills N x 3 x S x S, rounded to 256 steps of colour as a user gets them."""
    squares = (paste(filled, truth, mask) - truth).square() * mask
    mean = squares.sum() / (3 * mask.sum())
    return float(squares.sum((1, 2, 3)).mean()), float(-10 * torch.log10(mean.clamp_min(1e-12)))


def train(contestant: Contestant, bank: PhotoBank, out: Path, minutes: float, precision: str, resume: bool) -> Engine:
    """Train one contestant for so long; returns its engine, which holds the averaged network."""
    training, recipe = contestant.make(contestant.recipe), contestant.recipe
    engine = Engine(
        out,
        training.networks,
        training.optimizers(),
        steps=10**9,
        average_decay=recipe.average_decay,
        warmup=recipe.warmup,
        total_minutes=minutes,
        precision=precision,
    )
    engine.images_per_step = recipe.batch
    if resume:
        engine.resume()
    sampler = PhotoSampler(
        [bank], [1.0], recipe.size, recipe.batch, recipe.seed, device=engine.device, jitter=0.0, whole=True
    )
    engine.fit(lambda number: training.step(engine, sampler(number), sampler.generator(number)))
    return engine


def measure(
    contestant: Contestant, network: nn.Module, photos: Tensor, mask: Tensor
) -> tuple[list[Row], dict[str, Tensor]]:
    """The rows of a trained contestant, and its fills by title."""
    network = network.cpu().eval()
    begun = time.perf_counter()
    contestant.fill(network, photos[:1], mask[:1])
    seconds = time.perf_counter() - begun
    rows, fills = [], {}
    for name, filled in contestant.fill(network, photos, mask).items():
        title = f"{contestant.title}, {name}" if name else contestant.title
        poster = None if name else POSTER[contestant.poster]
        rows.append(Row(title, poster, *figures(filled, photos, mask), seconds=seconds))
        fills[title] = filled
    return rows, fills


def table(rows: Sequence[Row], note: str) -> str:
    """The rows as Markdown."""
    lines = ["| model | L2 | poster's L2 | PSNR, dB | trained, min | photos seen | a fill, s |", "|---|" + "---:|" * 6]
    for row in rows:
        poster = "" if row.poster is None else f"{row.poster:.2f}"
        trained = f"{row.minutes:.1f} | {row.photos:,}" if row.photos else "|"
        lines.append(f"| {row.title} | {row.l2:.2f} | {poster} | {row.psnr:.2f} | {trained} | {row.seconds:.3f} |")
    return "\n".join([*lines, "", note, ""])


def picture(photos: Tensor, mask: Tensor, fills: dict[str, Tensor], path: Path, scale: int = 3) -> None:
    """A row for the photos with the hole, one for each fill, and one for the truth."""
    index = torch.linspace(0, len(photos) - 1, min(SHOWN, len(photos))).round().long()
    truth, hole = photos[index], mask[index]
    pasted = [paste(filled[index], truth, hole) for filled in fills.values()]
    shown = [torch.where(hole > 0, torch.ones_like(truth), truth), *pasted, truth]
    sheet = torch.cat([torch.cat(list(row), 2) for row in shown], 1).permute(1, 2, 0)
    array = (sheet * 255).round().to(torch.uint8).numpy()
    Image.fromarray(np.ascontiguousarray(array.repeat(scale, 0).repeat(scale, 1))).save(path)


def main(
    data: Annotated[list[Path], typer.Option(help="folder, CIFAR-10's folder, tar shard or quoted pattern; repeat")],
    held_back_photos: Annotated[list[Path], typer.Option("--held-back", help="photos to measure on; repeat")],
    out: Annotated[Path, typer.Option(help="the study's folder")],
    minutes: Annotated[float, typer.Option(help="training time of all models together")] = 60.0,
    model: Annotated[list[str] | None, typer.Option(help=f"only these of {', '.join(CONTESTANTS)}; repeat")] = None,
    photos: Annotated[int, typer.Option(help="how many photos are measured")] = 200,
    cache: Annotated[Path | None, typer.Option(help="folder for decoded photos; default OUT/cache")] = None,
    precision: Annotated[str, typer.Option(help="bf16 or no")] = "bf16",
    resume: Annotated[bool, typer.Option(help="go on where it stopped")] = False,
) -> None:
    """Train every model, then print the table and write it to OUT/study.md, OUT/study.csv and OUT/study.png."""
    names = model or list(CONTESTANTS)
    unknown = [name for name in names if name not in CONTESTANTS]
    if unknown:
        raise InpaintError(f"There is no model {unknown[0]!r} in the study; choose of {', '.join(CONTESTANTS)}.")
    out.mkdir(parents=True, exist_ok=True)
    bank = cached_bank(expand(data), [], cache or out / "cache").reduced(SIZE)
    tests = held_back(PhotoBank.load(expand(held_back_photos)).reduced(SIZE), photos)
    mask = centre_quarter(len(tests), SIZE)
    classical = NavierStokes().fill(tests, mask).image
    rows, fills = [Row("Navier-Stokes (not on the poster)", None, *figures(classical, tests, mask))], {"ns": classical}
    whole = sum(CONTESTANTS[name].share for name in names)
    for name in names:
        contestant = CONTESTANTS[name]
        engine = train(contestant, bank, out / name, minutes * contestant.share / whole, precision, resume)
        assert engine.average is not None
        found, made = measure(contestant, engine.average, tests, mask)
        for row in found:
            row.minutes, row.photos = engine.elapsed / 60, engine.step * engine.images_per_step
        rows += found
        fills |= made
        words = table(rows, f"{L2} Measured on {len(tests)} held-back photos; trained on {len(bank):,}.")
        (out / "study.md").write_text(words)  # after each model: a study that is stopped has what it has
    picture(tests, mask, fills, out / "study.png")
    with (out / "study.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(vars(rows[0])))
        writer.writeheader()
        writer.writerows(vars(row) for row in rows)
    typer.echo(words)


if __name__ == "__main__":
    start(main)
