"""Train DeepFill v1: L1 discounted by the distance to what is known, and two WGAN-GP critics.

One device:    python -m train.deepfill_v1 --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/deepfill_v1
Restoration:   the same with --mosaic: the hole shows the photo in coarse blocks (deepfill_v1_mosaic)
Many:          accelerate launch -m train.deepfill_v1 --data ... --steps 100000 --out runs/deepfill_v1
Go on:         the same with --resume
Weights only:  the same with --resume --export
On a CPU:      --critic-from 0.6 --critic-steps 1: most of the hours then go into the generator

Departs from the paper: one hole a photo instead of one a batch; the discounted L1 is taken inside the hole, where the
public code has the box around it, and works for holes of any form; a step of a critic uses photos of its own, as in
the public code, so that most steps are the critics'. The mosaic's blocks have a random size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from inpaint_core.masks.pixelate import mosaic
from inpaint_core.networks.deepfill_v1 import DeepFillV1, WassersteinCritic
from train.core import options, session
from train.core.adversarial import hole_windows, masked_gradient_penalty, windows
from train.core.data import Photos
from train.core.engine import Engine
from train.core.losses import spatial_discount, weighted_mean
from train.core.perceptual import perceptual_network, perceptual_term


@dataclass
class Recipe(session.Recipe):
    """What makes this training what it is."""

    width: int = 32  # features of the first layer
    critic_width: int = 64
    rate: float = 1e-4  # of the generator
    critic_rate: float = 1e-4
    optimizer: str = "adam"  # of the generator; or "muon", which needs fewer photos
    betas: tuple[float, float] = (0.5, 0.9)
    hole: float = 1.2  # weight of the discounted L1 in the hole
    known: float = 1.2  # weight of the L1 outside of it
    coarse: float = 1.2  # weight of the first stage's L1 beside the second's 1
    discount: float = 0.9  # a hole pixel's weight is this to the power of its distance to the border; 1: all equal
    adversarial: float = 0.001  # weight of both critics' opinions
    penalty: float = 10.0  # of the critics' gradients
    perceptual: float = 0.0  # weight of LPIPS-SqueezeNet, which the paper has not; 0 leaves it out
    clip: float = 5.0  # largest norm of the generator's gradient
    critic_steps: int = 5  # of the critics to one of the generator
    critic_from: float = 0.0  # share of the run after which the critics join
    mosaic: bool = False  # the hole shows the photo in coarse blocks
    block_least: int = 6  # side of the mosaic's smallest ...
    block_most: int = 16  # ... and its largest blocks, in pixels
    masks: tuple[tuple[str, float], ...] = (("box", 1.0),)


class Critics(nn.Module):
    """Two critics independent of each other: of whole photos, and of the crops around the holes."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.whole = WassersteinCritic(size, width, last=4)
        self.local = WassersteinCritic(size // 2, width, last=8)

    def forward(self, image: Tensor, crop: Tensor) -> Tensor:
        """N photos and N crops -> (N, 2) scores."""
        return torch.stack((self.whole(image), self.local(crop)), 1)


class DeepFillV1Training(session.Training):
    """The two-stage generator and its two critics."""

    method = "deepfill_v1"
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.frozen = perceptual_network(recipe.perceptual)
        if recipe.mosaic:
            self.method = "deepfill_v1_mosaic"
        self.generator = DeepFillV1(**self.arguments())
        self.critic = Critics(recipe.size, recipe.critic_width)
        self.networks = {"generator": self.generator, "critic": self.critic}

    def arguments(self) -> dict[str, Any]:
        return {"width": self.recipe.width, "keep_hole": self.recipe.mosaic}

    def fill(self, generator: nn.Module, image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        """The mosaic's blocks are here a sixteenth of the photo: what is measured must not be random."""
        return generator(mosaic(image, mask, image.shape[-1] // 16) if self.recipe.mosaic else image, mask)

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        critics = {name: module for name, module in self.networks.items() if name != "generator"}
        return {
            "generator": self.optimizer(self.generator.parameters(), r.betas),
            **{name: Adam(critic.parameters(), r.critic_rate, r.betas, fused=True) for name, critic in critics.items()},
        }

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        r, truth = self.recipe, photos.image
        mask = self.masks(len(truth), dice, truth.device)
        shown = truth
        if r.mosaic:
            shown = mosaic(truth, mask, int(torch.randint(r.block_least, r.block_most + 1, (), generator=dice)))
        critics_work = r.adversarial > 0 and (self.started or engine.progress >= r.critic_from)
        if critics_work and engine.step % (r.critic_steps + 1) < r.critic_steps:
            return self.critics_step(engine, truth, mask, shown, dice)
        coarse, refined = engine.wrapped["generator"](shown, mask)
        completed = torch.where(mask > 0, refined, truth).contiguous(memory_format=torch.channels_last)
        log: dict[str, Tensor] = {}
        loss: Tensor | float = perceptual_term(self, engine, completed, truth, log)
        discounted = spatial_discount(mask, r.discount)
        for name, stage, weight in (("coarse", coarse, r.coarse), ("refined", refined, 1.0)):
            difference = 2 * (stage.float() - truth).abs()  # twice: the paper's images span [-1, 1]
            log[name] = weighted_mean(difference, discounted, mask)
            loss = loss + weight * (r.hole * log[name] + r.known * weighted_mean(difference, 1 - mask))
        if critics_work:
            crop = windows(completed, hole_windows(mask, r.size // 2), r.size // 2)
            self.critic.requires_grad_(False)  # only the photo's gradient is wanted here
            with engine.autocast():
                log["opinion"] = -self.critic(completed, crop).float().sum(1).mean()
            self.critic.requires_grad_(True)
            loss = loss + r.adversarial * log["opinion"]
        assert isinstance(loss, Tensor)
        log["gradient"] = engine.update("generator", loss, r.clip)
        return {name: value.detach() for name, value in log.items()}

    def critics_step(
        self, engine: Engine, truth: Tensor, mask: Tensor, shown: Tensor, dice: Generator
    ) -> dict[str, Tensor]:
        """WGAN-GP for both critics; real, completed and mixed photos go through them in one call."""
        with torch.no_grad():
            completed = torch.where(mask > 0, engine.wrapped["generator"](shown, mask)[1], truth)
            corner, side = hole_windows(mask, self.recipe.size // 2), self.recipe.size // 2
            share = torch.rand(len(truth), 1, 1, 1, generator=dice).to(truth.device)
            mixed = truth + share * (completed - truth)
            crops = [windows(image, corner, side) for image in (truth, completed, mixed)]
        mixed.requires_grad_()
        crops[2].requires_grad_()
        scores = engine.wrapped["critic"](torch.cat((truth, completed, mixed)), torch.cat(crops)).float()
        real, fake, between = scores.chunk(3)
        gradients = torch.autograd.grad(between.sum(), (mixed, crops[2]), create_graph=True)
        holes = mask, windows(mask, corner, side)
        # half of the gradients: the paper's images span [-1, 1]
        penalties = [masked_gradient_penalty(g / 2, hole) for g, hole in zip(gradients, holes, strict=True)]
        log = {"distance": (real - fake).mean(0).sum(), "penalty": torch.stack(penalties).sum()}
        engine.update("critic", self.recipe.penalty * log["penalty"] - log["distance"])
        return {name: value.detach() for name, value in log.items()}


main = options.command(DeepFillV1Training, Recipe)

if __name__ == "__main__":
    options.start(main)
