"""Train the plain autoencoder: the mean squared error and nothing else.

One device:    python -m train.autoencoder --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/autoencoder
Many:          accelerate launch -m train.autoencoder --data ... --steps 100000 --out runs/autoencoder
Go on:         the same with --resume
Weights only:  the same with --resume --export

Departs from the studies: the error is taken per hole pixel and per known pixel, and the hole counts more; holes are
boxes anywhere besides the centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.optim import Optimizer

from inpaint_core.networks.autoencoder import Autoencoder
from train.core import options, session
from train.core.data import Photos
from train.core.engine import Engine
from train.core.losses import hole_and_known_l2
from train.core.perceptual import perceptual_network, perceptual_term


@dataclass
class Recipe(session.Recipe):
    """What makes this training what it is."""

    width: int = 24  # features of the first layer
    encoder: str = "plain"  # of the small-image study: vgg, resnet, inception, alexnet
    rate: float = 4e-4
    optimizer: str = "adam"  # of the generator; or "muon", which needs fewer photos
    betas: tuple[float, float] = (0.9, 0.99)
    perceptual: float = 0.0  # weight of LPIPS-SqueezeNet, which the studies have not; 0 leaves it out
    clip: float = 5.0  # largest norm of the generator's gradient
    known: float = 0.2  # weight of the known part's error beside the hole's 1
    masks: tuple[tuple[str, float], ...] = (("box", 0.5), ("centre", 0.25), ("free_form", 0.25))


class AutoencoderTraining(session.Training):
    """The autoencoder alone."""

    method = "autoencoder"
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.frozen = perceptual_network(recipe.perceptual)
        self.generator = Autoencoder(**self.arguments())
        self.networks = {"generator": self.generator}

    def arguments(self) -> dict[str, Any]:
        return {"width": self.recipe.width, "encoder": self.recipe.encoder}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"generator": self.optimizer(self.generator.parameters(), self.recipe.betas)}

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        truth = photos.image
        mask = self.masks(len(truth), dice, truth.device)
        filled = engine.wrapped["generator"](truth, mask)
        log = {"squared": hole_and_known_l2(filled, truth, mask, self.recipe.known)}
        loss = log["squared"] + perceptual_term(self, engine, torch.where(mask > 0, filled, truth), truth, log)
        log["gradient"] = engine.update("generator", loss, self.recipe.clip)
        return {name: value.detach() for name, value in log.items()}


main = options.command(AutoencoderTraining, Recipe)

if __name__ == "__main__":
    options.start(main)
