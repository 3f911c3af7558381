"""Train GLCIC in three phases: the completion network alone, the critic alone, then both against each other.

One device:    python -m train.glcic --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/glcic
Many:          accelerate launch -m train.glcic --data ... --steps 100000 --out runs/glcic
Go on:         the same with --resume
Weights only:  the same with --resume --export
On a CPU:      --width 32 --critic-width 16: a quarter of the paper's work or less

Departs from the paper: Adam instead of Adadelta (`--optimizer adadelta` is the paper's); with `--init` the first phase
is left out, because the network already completes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.optim import Adadelta, Adam, Optimizer

from inpaint_core.networks.glcic import CompletionNetwork, GlobalLocalCritic
from train.core import options, session
from train.core.adversarial import Pair, entropy_critic, entropy_generator, hole_windows, windows
from train.core.data import Photos
from train.core.engine import Engine
from train.core.perceptual import perceptual_network, perceptual_term


@dataclass
class Recipe(session.Recipe):
    """What makes this training what it is."""

    width: int = 64  # features of the first layer
    critic_width: int = 64
    optimizer: str = "adam"  # or "muon" for the generator, or the paper's "adadelta" for both networks
    rate: float = 4e-4  # of the generator; Adadelta's is 1, for both networks
    critic_rate: float = 4e-4
    betas: tuple[float, float] = (0.5, 0.999)  # of both Adams
    perceptual: float = 0.0  # weight of LPIPS-SqueezeNet, which the paper has not; 0 leaves it out
    clip: float = 5.0  # largest norm of the generator's gradient
    completion: float = 0.18  # share of the run of the completion network alone (the paper's 90,000 of 500,000)
    critic_alone: float = 0.02  # share of the run of the critic alone, after it (10,000)
    adversarial: float = 4e-4  # weight of the critic's opinion beside the squared error
    masks: tuple[tuple[str, float], ...] = (("box", 1.0),)  # 96 to 128 px of 256


class GLCICTraining(session.Training):
    """Completion network and the critic of whole photos and crops."""

    method = "glcic"
    optimizer_words = ("adam", "muon", "adadelta")
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.frozen = perceptual_network(recipe.perceptual)
        self.generator = CompletionNetwork(**self.arguments())
        self.critic = Pair(GlobalLocalCritic(recipe.size, recipe.size // 2, recipe.critic_width))
        self.networks = {"generator": self.generator, "critic": self.critic}

    def arguments(self) -> dict[str, Any]:
        return {"width": self.recipe.width}

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        if r.optimizer == "adadelta":
            return {name: Adadelta(module.parameters()) for name, module in self.networks.items()}
        return {
            "generator": self.optimizer(self.generator.parameters(), r.betas),
            "critic": Adam(self.critic.parameters(), r.critic_rate, r.betas, fused=True),
        }

    def phase(self, progress: float) -> str:
        """ "completion", "critic" or "joint"."""
        completion = 0.0 if self.started else self.recipe.completion
        if progress < completion:
            return "completion"
        return "critic" if progress < completion + self.recipe.critic_alone else "joint"

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        r, truth = self.recipe, photos.image
        mask = self.masks(len(truth), dice, truth.device)
        phase = self.phase(engine.progress)
        with torch.set_grad_enabled(phase != "critic"):
            filled = engine.wrapped["generator"](truth, mask)
        completed = torch.where(mask > 0, filled, truth).contiguous(memory_format=torch.channels_last)
        corner, side = hole_windows(mask, r.size // 2), r.size // 2
        seen = completed, windows(completed, corner, side)
        log: dict[str, Tensor] = {}
        if phase != "critic":
            log["squared"] = ((filled.float() - truth) * mask).square().mean()  # equation 2, over all pixels
            loss = log["squared"] + perceptual_term(self, engine, completed, truth, log)
            if phase == "joint":
                self.critic.requires_grad_(False)  # only the photo's gradient is wanted here
                with engine.autocast():
                    log["opinion"] = entropy_generator(self.critic.critic(*seen))
                self.critic.requires_grad_(True)
                loss = loss + r.adversarial * log["opinion"]
            log["gradient"] = engine.update("generator", loss, r.clip)
        if phase != "completion":
            real = truth, windows(truth, corner, side)
            scores = engine.wrapped["critic"](real, tuple(x.detach() for x in seen))
            log["critic"] = entropy_critic(*scores)
            engine.update("critic", log["critic"])
        return {name: value.detach() for name, value in log.items()}


main = options.command(GLCICTraining, Recipe)

if __name__ == "__main__":
    options.start(main)
