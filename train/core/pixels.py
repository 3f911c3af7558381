"""What the scripts of PixelCNN and PixelRNN share: small photos, bits per dimension, samples to look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from inpaint_core.networks.pixel_network import PixelNetwork
from train.core import session
from train.core.data import PhotoBank, Photos, expand
from train.core.engine import Engine
from train.core.validation import Fill, Validation, ValidationSet, measure, paste

HELD_BACK = 400  # photos over which bits per dimension are measured
FILLED = 40  # of them, whose holes are filled
DIRECT = 0.1  # of the rate, for the linear prediction: it starts at its best, and every step moves all pixels
LITERATURE = 3.0  # bits per dimension of PixelRNN on CIFAR-10, on other photos


@dataclass
class Recipe(session.Recipe):
    """What both trainings have; holes play no part, the photos are learned as they are."""

    size: int = 32  # side of the photos, which are reduced to it whole
    batch: int = 16
    rate: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.99)
    distribution: str = "logistic_mixture"  # or "softmax" over 256 values, the paper's
    clip: float = 1.0  # largest norm of the gradient
    average_decay: float = 0.995


class PixelTraining(session.Training):
    """Maximum likelihood of whole small photos: a subclass makes the network."""

    recipe: Recipe
    generator: PixelNetwork
    whole: ClassVar[bool] = True
    jitter: ClassVar[float] = 0.0  # the photos' own colours are what is to be learned
    figure: ClassVar[str] = "bits_per_dimension"

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.generator = self.network()
        self.networks = {"generator": self.generator}

    def network(self) -> PixelNetwork:
        """The untrained network of the recipe."""
        raise NotImplementedError

    def optimizers(self) -> dict[str, Optimizer]:
        r, direct = self.recipe, self.generator.direct
        groups: list[dict[str, Any]] = [{"params": [], "lr": r.rate}, {"params": [], "lr": r.rate * DIRECT}]
        own = set() if direct is None else set(direct.parameters())
        for parameter in self.generator.parameters():
            groups[parameter in own]["params"].append(parameter)
        return {"generator": Adam([group for group in groups if group["params"]], r.rate, r.betas, fused=True)}

    def prepare(self, bank: PhotoBank) -> PhotoBank:
        return bank.reduced(self.recipe.size)

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        if not engine.step and not self.started:
            for network in (self.generator, engine.average):
                assert isinstance(network, PixelNetwork)
                network.predict_linearly(photos.image, engine.accelerator.reduce)
        parameters = engine.wrapped["generator"](photos.image)
        bits = self.generator.bits(parameters, photos.image)
        norm = engine.update("generator", bits, self.recipe.clip)
        return {"bits_per_dimension": bits.detach(), "gradient": norm.detach()}

    def fill(self, generator: nn.Module, image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        """The likeliest value for every pixel in its turn, and the hole drawn at the temperature 1."""
        assert isinstance(generator, PixelNetwork)
        return generator.complete(image, mask, temperature=0.0)[0], generator.complete(image, mask)[0]

    def check(self, engine: Engine, session: session.Session) -> Validation | None:
        files = expand(session.val_small) + expand(session.val)
        if not files:
            return None
        photos = held_back(PhotoBank.load(files).reduced(self.recipe.size))
        return BitsCheck(session.out, photos, lambda image: self.bits(engine, image))

    @torch.no_grad()
    def bits(self, engine: Engine, image: Tensor) -> float:
        """Bits per dimension of N x 3 x S x S photos under the averaged network."""
        network = engine.average
        assert isinstance(network, PixelNetwork)
        total = 0.0
        for batch in image.split(50):
            with engine.autocast():
                parameters = network(batch.to(engine.device))
            total += float(network.bits(parameters.float(), batch.to(engine.device))) * len(batch)
        return total / len(image)


def held_back(bank: PhotoBank, count: int = HELD_BACK) -> Tensor:
    """`count` photos spread evenly over a bank of equal squares: N x 3 x S x S in [0, 1]."""
    index = torch.linspace(0, len(bank) - 1, min(count, len(bank))).round().long()
    size = int(bank.height[0])
    side = torch.full((len(index),), float(size))
    corner, mirror = torch.zeros(len(index)), torch.zeros(len(index), dtype=torch.bool)
    return bank.crops(index, corner, corner, side, mirror, size).contiguous(memory_format=torch.channels_last)


def centre_quarter(count: int, size: int) -> Tensor:
    """Holes of a quarter of each side in the middle (8 x 8 of 32 x 32): count x 1 x size x size."""
    mask = torch.zeros(count, 1, size, size)
    side = size // 4
    start = (size - side) // 2
    mask[:, :, start : start + side, start : start + side] = 1
    return mask


class BitsCheck(Validation):
    """Fills of small photos, and beside them the bits per dimension of held-back photos.

    Args:
        out: the run's folder.
        photos: N x 3 x S x S in [0, 1].
        bits: gives the bits per dimension of photos.
    """

    def __init__(self, out: Path, photos: Tensor, bits: Callable[[Tensor], float]) -> None:
        from inpaint_core.methods.opencv import NavierStokes

        few = photos[:: max(len(photos) // FILLED, 1)][:FILLED]
        mask = centre_quarter(len(few), few.shape[-1])
        figures = measure(paste(NavierStokes().fill(few, mask).image, few, mask), few, mask)
        super().__init__(out, [ValidationSet(f"quarter_{few.shape[-1]}", few, mask, *figures)], shown=16)
        self.photos, self.bits = photos, bits

    def measure(self, fill: Fill, step: int, images_seen: int, sketch: bool = False) -> dict[str, dict[str, float]]:
        """Bits per dimension as a set of their own, and the figures of the fills."""
        count, size = len(self.photos), self.photos.shape[-1]
        bits = {"bits_per_dimension": self.bits(self.photos), "photos": count, "cifar10_in_literature": LITERATURE}
        result = {f"whole_{size}": bits, **{each.name: each.measure(fill) for each in self.sets}}
        self.log(step, images_seen, result)
        return result
