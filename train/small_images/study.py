"""The small-image study: eight models that fill the centre 8 x 8 of 32 x 32 pixels, trained and measured at once.

CIFAR-10:   python -m train.small_images.study --data CIFAR --held-back CIFAR/test_batch --minutes 120 --out runs/study
Scenes:     python -m train.small_images.study --data 'TRAIN*.tar' --held-back VAL.tar --minutes 20 --out runs/study
Continue:   the same with --resume; models whose time is up are not trained again, the table is made anew

Where it departs from the poster:
- No layer is pretrained; photos other than CIFAR-10's are reduced to 32 px.
- A mixture of logistics in the pixel networks.
- The poster does not define its "L2 loss": see `L2`.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
import tyro
from torch import Tensor, nn
from torchvision.utils import make_grid, save_image

from inpaint_core.methods.opencv import NavierStokes
from train.core.cli import run_cli
from train.core.config import Paths, RunConfig
from train.core.data import CropOptions, PhotoLoader
from train.core.photo_bank import PhotoBank, cached_bank
from train.core.run import Run
from train.core.small_photos import centre_quarter, spread_evenly
from train.core.sources import expand
from train.core.validation import paste
from train.small_images.loops import SIZE, train
from train.small_images.models import MODELS, Model

POSTER = {"Euclidean CNN": 8.56, "DCGAN": 7.49, "WGAN": 4.26, "PixelCNN": 6.98, "Diagonal BiLSTM": 5.27}
L2 = (
    "L2: the sum of the squared errors over the hole's 8 x 8 x 3 values in [0, 1], mean over the photos. The poster "
    "does not define its own; this one has its order of size. PSNR is that of the mean squared error in all holes."
)
SHOWN = 12  # photos in the picture
Names = Literal[
    "autoencoder_vgg",
    "autoencoder_inception",
    "autoencoder_resnet",
    "autoencoder_alexnet",
    "dcgan",
    "wgan",
    "pixel_cnn",
    "pixel_rnn",
]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which models are trained, on what, for how long."""

    data: Paths  # folder, CIFAR-10's folder, tar or quoted pattern; repeat
    held_back: Paths  # photos to measure on; repeat
    out: Path  # folder of the study
    minutes: float = 60.0  # training time of all models together
    model: tyro.conf.UseAppendAction[tuple[Names, ...]] = ()  # only these; repeat
    photos: int = 200  # held-back photos that are measured
    cache: Path | None = None  # folder for decoded photos; default OUT/cache
    precision: Literal["bf16", "no"] = "bf16"  # autocast; "no" is float32
    resume: bool = False  # continue an interrupted study


@dataclass(frozen=True)
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


def train_model(model: Model, bank: PhotoBank, config: RunConfig) -> Run:
    """Train one model; its EMA weights are in the run's `ema["generator"]`."""
    run = Run(config)
    crops = CropOptions(jitter=0, whole=True)
    train(model.settings, run, PhotoLoader([bank], [1.0], SIZE, config.batch, crops, device=run.device))
    return run


def measure(model: Model, network: nn.Module, photos: Tensor, mask: Tensor) -> tuple[list[Row], dict[str, Tensor]]:
    """The rows of a trained model, and its fills by title."""
    network = network.cpu().eval()
    started = time.perf_counter()
    model.fill(network, photos[:1], mask[:1])
    seconds = time.perf_counter() - started
    rows, fills = [], {}
    for name, filled in model.fill(network, photos, mask).items():
        title = f"{model.title}, {name}" if name else model.title
        poster = None if name else POSTER[model.poster]
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
    rows = [torch.where(hole > 0, torch.ones_like(truth), truth), *pasted, truth]
    sheet = make_grid(torch.cat(rows), nrow=len(truth), padding=0)
    save_image(sheet.repeat_interleave(scale, 1).repeat_interleave(scale, 2), path)


def main(config: Config) -> None:
    """Train and measure the models; write and print the table, and draw the picture."""
    chosen = {name: model for name, model in MODELS.items() if not config.model or name in config.model}
    config.out.mkdir(parents=True, exist_ok=True)
    bank = cached_bank(expand(config.data), [], config.cache or config.out / "cache").reduced(SIZE)
    tests = spread_evenly(PhotoBank.load(expand(config.held_back)).reduced(SIZE), config.photos)
    mask = centre_quarter(len(tests), SIZE)
    classical = NavierStokes().fill(tests, mask).image
    rows, fills = [Row("Navier-Stokes (not on the poster)", None, *figures(classical, tests, mask))], {"ns": classical}
    shares = sum(model.share for model in chosen.values())
    for name, model in chosen.items():
        run_config = RunConfig(
            out=config.out / name,
            resume=config.resume,
            steps=10**9,
            total_minutes=config.minutes * model.share / shares,
            batch=model.settings.batch,
            warmup=model.settings.warmup,
            ema_decay=0.995,
            precision=config.precision,
        )
        run = train_model(model, bank, run_config)
        measured, filled = measure(model, run.ema["generator"], tests, mask)
        rows += [replace(row, minutes=run.elapsed / 60, photos=run.step * run_config.batch) for row in measured]
        fills |= filled
        text = table(rows, f"{L2} Measured on {len(tests)} held-back photos; trained on {len(bank):,}.")
        (config.out / "study.md").write_text(text)  # after each model: an interrupted study has its finished rows
    picture(tests, mask, fills, config.out / "study.png")
    with (config.out / "study.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(vars(rows[0])))
        writer.writeheader()
        writer.writerows(vars(row) for row in rows)
    print(text)


if __name__ == "__main__":
    run_cli(main, Config)
