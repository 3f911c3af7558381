"""Train the Context Encoder: squared error and an adversarial loss on the missing patch.

One device:    python -m train.context_encoder --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/encoder
The paper's:   the same with --region centre
Many:          accelerate launch -m train.context_encoder --data ... --steps 100000 --out runs/encoder
Go on:         the same with --resume
Weights only:  the same with --resume --export

Departs from the paper: the network predicts the whole photo around a hole anywhere (the paper's random regions) unless
told to predict the centre; its critic then looks at the square of half the side around the hole. 48 features instead
of 64 keep the checkpoint small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam, Optimizer

from inpaint_core.networks.context_encoder import ContextEncoder, ContextPatchCritic
from train.core import options, session
from train.core.adversarial import Pair, entropy_critic, entropy_generator, hole_windows, windows
from train.core.data import Photos
from train.core.engine import Engine
from train.core.losses import weighted_mean
from train.core.perceptual import perceptual_network, perceptual_term


@dataclass
class Recipe(session.Recipe):
    """What makes this training what it is."""

    width: int = 48  # the paper's 64
    critic_width: int = 64
    rate: float = 2e-3  # ten times the critic's, as in the public code
    critic_rate: float = 2e-4
    region: str = "image"  # what is predicted: "image" around a hole anywhere, or the "centre"
    encoder: str = "strided"  # or "alexnet"
    bottleneck: str = "channelwise"  # or "full", or "none"
    mask_channel: bool = False  # show the mask to the network
    optimizer: str = "adam"  # of the generator; or "muon", which needs fewer photos
    betas: tuple[float, float] = (0.5, 0.999)  # of both Adams
    squared: float = 0.999  # weight of the squared error; the critic's opinion has the rest
    overlap: int = 4  # known pixels around the hole that are predicted too ...
    overlap_weight: float = 10.0  # ... and how much their error counts
    perceptual: float = 0.0  # weight of LPIPS-SqueezeNet, which the paper has not; 0 leaves it out
    clip: float = 5.0  # largest norm of the generator's gradient
    critic_from: float = 0.0  # share of the run after which the critic joins
    masks: tuple[tuple[str, float], ...] = (("centre", 0.3), ("box", 0.4), ("free_form", 0.3))


class ContextEncoderTraining(session.Training):
    """Encoder and patch critic."""

    method = "context_encoder"
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.frozen = perceptual_network(recipe.perceptual)
        self.generator = ContextEncoder(**self.arguments())
        self.critic = Pair(ContextPatchCritic(recipe.size // 2, recipe.critic_width))
        self.networks = {"generator": self.generator, "critic": self.critic}

    def arguments(self) -> dict[str, Any]:
        names = "width", "region", "bottleneck", "encoder", "mask_channel"
        return {name: getattr(self.recipe, name) for name in names} | {"image_size": self.recipe.size}

    def fill(self, generator: nn.Module, image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        """The network takes photos of one size only: others are brought to it and back."""
        side = self.recipe.size
        small, hole = F.interpolate(image, side, mode="area"), F.interpolate(mask, side, mode="area").ceil()
        filled = F.interpolate(generator(small, hole).float(), image.shape[-2:], mode="bicubic").clamp(0, 1)
        return filled, filled

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        return {
            "generator": self.optimizer(self.generator.parameters(), r.betas),
            "critic": Adam(self.critic.parameters(), r.critic_rate, r.betas, fused=True),
        }

    def masks(self, count: int, generator: Generator, device: torch.device) -> Tensor:
        """Holes anywhere; for the region "centre" the middle square less the overlap, which stays visible."""
        r = self.recipe
        if r.region == "image":
            return super().masks(count, generator, device)
        mask = torch.zeros(count, 1, r.size, r.size, device=device)
        inside = slice(r.size // 4 + r.overlap, r.size - r.size // 4 - r.overlap)
        mask[:, :, inside, inside] = 1
        return mask

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        r, truth = self.recipe, photos.image
        mask = self.masks(len(truth), dice, truth.device)
        patch = F.max_pool2d(mask, 2 * r.overlap + 1, 1, r.overlap)  # hole and overlap
        predicted = engine.wrapped["generator"](truth, mask)
        completed = torch.where(patch > 0, predicted, truth)
        corner, side = hole_windows(mask, r.size // 2), r.size // 2
        seen = windows(completed, corner, side)
        critic_works = self.started or engine.progress >= r.critic_from

        # images in [0, 1] have a quarter of the squared error of the paper's in [-1, 1]
        difference = 4 * (predicted.float() - truth).square()
        weight = mask + r.overlap_weight * (patch - mask)
        log = {"squared": weighted_mean(difference, weight, patch)}
        loss = r.squared * log["squared"] + perceptual_term(self, engine, completed, truth, log)
        if critic_works and r.squared < 1:
            self.critic.requires_grad_(False)  # only the photo's gradient is wanted here
            with engine.autocast():
                log["opinion"] = entropy_generator(self.critic.critic(seen))
            self.critic.requires_grad_(True)
            loss = loss + (1 - r.squared) * log["opinion"]
        log["gradient"] = engine.update("generator", loss, r.clip)
        if critic_works and r.squared < 1:
            real, fake = engine.wrapped["critic"]((windows(truth, corner, side),), (seen.detach(),))
            log["critic"] = entropy_critic(real, fake)
            engine.update("critic", log["critic"])
        return {name: value.detach() for name, value in log.items()}


main = options.command(ContextEncoderTraining, Recipe)

if __name__ == "__main__":
    options.start(main)
