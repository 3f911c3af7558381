"""Train the plain autoencoder of both studies: the mean squared error and nothing else.

One device:   python -m train.autoencoder --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/ae --export
Many:         accelerate launch -m train.autoencoder (the same options)
Continue:     the same with --resume
As published: --masks centre 1 --known 1

Where it departs from the studies: the error is taken per hole pixel and per known pixel, and the hole counts more;
holes of many kinds beside the centre. A small LPIPS term on SqueezeNet's features is an option (--perceptual).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch

from inpaint_core.networks.autoencoder import Autoencoder
from train.core.cli import run_cli
from train.core.config import HoleConfig
from train.core.data import CropOptions, load_photos, masked_photos
from train.core.export import export, refresh_statistics
from train.core.losses import hole_and_known_l2
from train.core.masks import check_kinds
from train.core.optim import make_optimizer
from train.core.perceptual import PerceptualConfig, PerceptualTerm
from train.core.run import Run
from train.core.validation import Validation


# It inherits, from train/core:
# - the run: out, resume, init, steps, minutes, total_minutes, checkpoint_minutes, log_every, batch, accumulate,
#   seed, precision, warmup, cosine, ema_decay
# - photos and export: data, val, eval_every, export, export_to, stored, mix, val_small, size, grid_every, cache
# - holes: masks, zoom
# - the LPIPS term: perceptual, perceptual_start, perceptual_full
@dataclass(frozen=True, kw_only=True)
class Config(PerceptualConfig, HoleConfig):
    """The autoencoder and its one loss."""

    width: int = 24  # features of the first layer
    encoder: Literal["plain", "vgg", "resnet", "inception", "alexnet"] = "plain"  # all but the first: small images'
    optimizer: Literal["adam", "muon"] = "adam"
    lr: float = 4e-4
    betas: tuple[float, float] = (0.9, 0.99)  # of Adam
    clip: float = 5.0  # largest norm of the gradient
    known: float = 0.2  # weight of the squared error on known pixels beside the hole's 1


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    check_kinds(config.masks)
    run = Run(config)

    # ---- network
    arguments: dict[str, Any] = {"width": config.width, "encoder": config.encoder}
    network = Autoencoder(**arguments)
    optimizer = make_optimizer(network, config.optimizer, config.lr, config.betas)
    generator = run.add("generator", network, optimizer, ema=True)
    perceptual = PerceptualTerm(run, config)
    run.load()

    # ---- data
    batches = masked_photos(load_photos(config, run, CropOptions(zoom=config.zoom)), config.masks)
    statistics = partial(refresh_statistics, run, batches)
    validation = Validation.of(config, run, run.ema["generator"], statistics=statistics)

    # ---- the loop
    for _, (truth, mask) in run.steps(batches):
        filled = generator(truth, mask)
        loss = l2 = hole_and_known_l2(filled, truth, mask, config.known)
        run.log(l2=l2)

        completed = torch.where(mask > 0, filled, truth)
        loss = loss + perceptual(completed, truth)
        run.log(gradient_norm=run.backward(loss, "generator", config.clip))
        validation.after_step()

    # ---- export
    if config.export:
        export(run, "autoencoder", arguments, measure=validation.measure, statistics=statistics)
    return run


if __name__ == "__main__":
    run_cli(main, Config)
