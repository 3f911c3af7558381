"""The perceptual term that every script may switch on: LPIPS on SqueezeNet's features, once colours are right."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from train.core.engine import Engine
from train.core.losses import PerceptualLoss
from train.core.session import Training

JOINS, FULL = 0.05, 0.3  # shares of the run at which it begins to count, and counts in full


def perceptual_network(weight: float) -> dict[str, nn.Module]:
    """What a training keeps in `frozen`: the network, or nothing where the term has no weight."""
    return {"perceptual": PerceptualLoss("squeeze")} if weight > 0 else {}


def risen(training: Training, engine: Engine) -> float:
    """How much feature losses count by now, 0 to 1: colours come first, except where they have been learned before."""
    return 1.0 if training.started else min(max((engine.progress - JOINS) / (FULL - JOINS), 0.0), 1.0)


def shifted(engine: Engine, *images: Tensor, stride: int = 8) -> list[Tensor]:
    """Cut the same random rows and columns, under `stride` of each, off the top left of all images.

    Strided features leave their grid in the photo unless it falls elsewhere in every step.
    """
    down, right = torch.randint(stride, (2,), generator=Generator().manual_seed(engine.step)).tolist()
    return [image[..., down:, right:] for image in images]


def perceptual_term(
    training: Training, engine: Engine, completed: Tensor, truth: Tensor, log: dict[str, Tensor]
) -> Tensor | float:
    """The recipe's `perceptual` times the distance of completed photos from the true ones, 0 where it has none.

    Args:
        training: with a recipe and what `perceptual_network` gave.
        completed, truth: N x 3 x H x W in [0, 1].
        log: receives the distance.
    """
    weight = training.recipe.perceptual * risen(training, engine)
    if weight == 0:
        return 0.0
    with engine.autocast():
        log["perceptual"] = training.frozen["perceptual"](*shifted(engine, completed, truth))
    return weight * log["perceptual"]
