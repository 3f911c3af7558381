"""Train PartialConv: per-pixel, perceptual, style and total variation losses on irregular holes, in two phases.

One device:    python -m train.partial_conv --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/partial_conv
Many:          accelerate launch -m train.partial_conv --data ... --steps 100000 --out runs/partial_conv
Go on:         the same with --resume
Weights only:  the same with --resume --export

Departs from the paper: perceptual and style loss use the trunk of LPIPS, SqueezeNet or AlexNet, in place of VGG-16;
their weights are such that, on Navier-Stokes' fills, each counts about as much as L1 in the hole. Masks are drawn at
random instead of coming from a set; half of the paper's features keep the checkpoint small. The feature losses join
after 5 % of the run and count in full from 30 % on, and see crops that shift from step to step: from the first step on
and without shifts they printed the grid of their strides into the fills.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from inpaint_core.networks.partial_conv import PartialConvUNet
from train.core import options, session
from train.core.data import Photos
from train.core.engine import Engine
from train.core.losses import PerceptualLoss, hole_total_variation
from train.core.perceptual import perceptual_network, perceptual_term, risen, shifted


@dataclass
class Recipe(session.Recipe):
    """What makes this training what it is."""

    width: int = 32  # the paper's 64
    levels: int = 7  # halvings: 7 at 256 px, the paper's 8 at 512 px
    rate: float = 2e-4  # of the first phase
    optimizer: str = "adam"  # of the generator; or "muon", which needs fewer photos
    betas: tuple[float, float] = (0.9, 0.999)
    second_rate: float = 5e-5  # of the second phase ...
    second_from: float = 0.7  # ... which begins after this share of the run: the encoder's normalisation is frozen
    perceptual: float = 0.0  # weight of LPIPS-SqueezeNet, beside the paper's own terms; 0 leaves it out
    clip: float = 5.0  # largest norm of the generator's gradient
    known: float = 1.0  # weight of L1 outside of the hole
    hole: float = 6.0  # weight of L1 in the hole
    trunk: str = "squeeze"  # whose features are compared; or "alex", with weights of 0.09 and 20
    features: float = 0.025  # weight of the perceptual loss; 0.05 in the paper
    style: float = 1.0  # weight of the style loss; 120 in the paper
    variation: float = 0.1  # weight of the total variation in the hole
    masks: tuple[tuple[str, float], ...] = (("irregular", 0.8), ("centre", 0.1), ("box", 0.1))


class FeatureLosses(nn.Module):
    """Perceptual and style loss on the first three feature maps of a frozen trunk (section 3.3, equations 2 to 4).

    Args:
        trunk: "squeeze" or "alex".
    """

    def __init__(self, trunk: str = "squeeze") -> None:
        super().__init__()
        self.lpips: Any = PerceptualLoss(trunk).distance

    def maps(self, image: Tensor) -> list[Tensor]:
        """The features of N x 3 x H x W photos in [0, 1], each N x C x h x w, float32."""
        maps = self.lpips.net(self.lpips.scaling_layer(image * 2 - 1))
        return [features.float() for features in list(maps)[:3]]

    def forward(self, images: tuple[Tensor, ...], truth: Tensor) -> tuple[Tensor, Tensor]:
        """Sums over `images` (prediction and completed photo) of both losses against the truth: two scalars."""
        with torch.no_grad():
            real = self.maps(truth)
        perceptual = style = truth.new_zeros(())
        for ours in zip(real, *(self.maps(image) for image in images), strict=True):
            for features in ours[1:]:
                perceptual = perceptual + F.l1_loss(features, ours[0])
                style = style + F.l1_loss(gram(features), gram(ours[0]))
        return perceptual, style


def gram(features: Tensor) -> Tensor:
    """How features go together: N x C x H x W -> N x C x C, divided by C H W."""
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat[0].numel()


class PartialConvTraining(session.Training):
    """The U-Net of partial convolutions; no critic."""

    method = "partial_conv"
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.frozen = perceptual_network(recipe.perceptual)
        self.generator = PartialConvUNet(**self.arguments())
        self.networks = {"generator": self.generator}
        if recipe.features or recipe.style:
            self.frozen["trunk"] = FeatureLosses(recipe.trunk)

    def arguments(self) -> dict[str, Any]:
        return {"width": self.recipe.width, "levels": self.recipe.levels}

    def optimizers(self) -> dict[str, Optimizer]:
        return {"generator": self.optimizer(self.generator.parameters(), self.recipe.betas)}

    def enter_phase(self, engine: Engine) -> None:
        """The second phase: a lower rate, and the encoder's normalisation keeps its statistics (section 4.1)."""
        second = engine.progress >= self.recipe.second_from
        if second != self.generator.freeze_encoder_norm:
            self.generator.freeze_encoder_norm = second
            self.generator.train()
            rate = self.recipe.second_rate if second else self.recipe.rate
            engine.base_rates["generator"] = [rate] * len(engine.base_rates["generator"])

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        r, truth = self.recipe, photos.image
        self.enter_phase(engine)
        mask = self.masks(len(truth), dice, truth.device)
        filled = engine.wrapped["generator"](truth, mask).float()
        completed = torch.where(mask > 0, filled, truth).contiguous(memory_format=torch.channels_last)
        difference = (filled - truth).abs()
        log = {
            "hole": (difference * mask).mean(),  # over all pixels, as in the paper
            "known": (difference * (1 - mask)).mean(),
            "variation": hole_total_variation(completed, mask),
        }
        loss = r.hole * log["hole"] + r.known * log["known"] + r.variation * log["variation"]
        share = risen(self, engine)
        if "trunk" in self.frozen and share > 0:
            *ours, real = shifted(engine, filled, completed, truth)
            with engine.autocast():
                log["features"], log["style"] = self.frozen["trunk"](tuple(ours), real)
            loss = loss + share * (r.features * log["features"] + r.style * log["style"])
        loss = loss + perceptual_term(self, engine, completed, truth, log)
        log["gradient"] = engine.update("generator", loss, r.clip)
        return {name: value.detach() for name, value in log.items()}


main = options.command(PartialConvTraining, Recipe)

if __name__ == "__main__":
    options.start(main)
