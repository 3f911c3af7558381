"""Train DeepFill v2: L1, hinge SN-PatchGAN, free-form masks, and a sketch for half of the photos.

One device:  python -m train.deepfill_v2 --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/deepfill_v2

Many GPUs:   accelerate launch -m train.deepfill_v2 (the same options)

Many cores:  OMP_NUM_THREADS=1 torchrun --nproc_per_node CORES -m train.deepfill_v2 (the same options)

Go on after any interruption with --resume; --export writes the averaged weights at the end of a session.

Departs from the paper: L1 is taken per hole pixel, more of it near the hole's border; a small perceptual term (LPIPS
on SqueezeNet) may be added; the critic joins once colours are right; edges come from a teacher's maps where there are
some, else from a plain edge detector, not from HED. `--optimizer muon` needs fewer photos than the paper's Adam.
`--stages coarse` trains the first stage alone, at a third of the work, for what it does not know the second cannot
mend; `--stages fine` then trains the second alone. `--follow 0.05` also asks our edge detector whether it finds an edge
along the sketch's lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor
from torch.optim import Adam, Optimizer

from inpaint_core.errors import InpaintError
from inpaint_core.networks.deepfill_v2 import DeepFillV2, SNPatchDiscriminator
from train.core import options, session
from train.core.data import Photos
from train.core.engine import Engine
from train.core.lines import LineLoss
from train.core.losses import PerceptualLoss, border_weight, hinge_critic, hinge_generator, hole_and_known_l1
from train.core.perceptual import shifted
from train.core.sketches import sketch_batch


@dataclass
class Recipe(session.Recipe):
    """What makes this training what it is."""

    rate: float = 4e-4  # of the generator; the paper's 1e-4 is for millions of steps
    width: int = 24  # features of the first layer; the paper's 24
    critic_width: int = 64
    critic_rate: float = 4e-4
    optimizer: str = "adam"  # of the generator; or "muon", which needs fewer photos
    betas: tuple[float, float] = (0.5, 0.99)  # of both Adams; the paper's second is 0.999
    clip: float = 5.0  # largest norm of the generator's gradient
    coarse: float = 0.6  # weight of the first stage's L1 beside the second's 1
    border: float = 2.0  # extra weight of L1 at the hole's border
    perceptual: float = 0.2  # weight of LPIPS-SqueezeNet; 0 leaves it out
    perceptual_from: float = 0.05  # share of the run after which it joins ...
    perceptual_full: float = 0.3  # ... and at which it has its full weight
    adversarial: float = 0.02  # weight of the critic's opinion
    critic_from: float = 0.6  # share of the run after which the critic joins
    critic_alone: int = 100  # steps it then trains before the generator listens
    sketches: float = 0.5  # share of the photos that come with a sketch
    follow: float = 0.0  # weight of the edge detector's wish to find the sketch's lines in the fill; 0 leaves it out
    stages: str = "both"  # or "coarse" or "fine": one alone, the other as it is


class DeepFillV2Training(session.Training):
    """Generator and critic of DeepFill v2, and their step."""

    method = "deepfill_v2"
    sketches = True

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        if recipe.stages not in ("both", "coarse", "fine"):
            raise InpaintError(f"The stages are both, coarse or fine, not {recipe.stages!r}.")
        self.generator = DeepFillV2(**self.arguments())
        self.critic = SNPatchDiscriminator(in_channels=5, width=recipe.critic_width)
        self.networks = {"generator": self.generator, "critic": self.critic}
        fine = recipe.stages != "coarse"
        self.generator.first_stage_only = not fine
        self.generator.refinement.requires_grad_(fine)
        self.generator.coarse.requires_grad_(recipe.stages != "fine")
        self.perceptual = PerceptualLoss("squeeze") if recipe.perceptual > 0 and fine else None
        if self.perceptual is not None:
            self.frozen = {"perceptual": self.perceptual}
        if recipe.follow > 0 and fine:
            self.frozen["lines"] = LineLoss()

    def arguments(self) -> dict[str, Any]:
        return {"in_channels": 6, "width": self.recipe.width}

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        return {
            "generator": self.optimizer(self.generator.parameters(), r.betas),
            "critic": Adam(self.critic.parameters(), r.critic_rate, r.betas, fused=True),
        }

    def step(self, engine: Engine, photos: Photos, dice: Generator) -> dict[str, Tensor]:
        r, truth = self.recipe, photos.image
        mask = self.masks(len(truth), dice, truth.device)
        sketch = sketch_batch(truth, photos.edges, photos.has_edges, mask, dice, r.sketches)
        if r.stages == "coarse":
            coarse, _ = engine.wrapped["generator"](truth, mask, sketch)
            loss = hole_and_known_l1(coarse, truth, mask, border_weight(mask, extra=r.border))
            return {"coarse": loss.detach(), "gradient": engine.update("generator", loss, r.clip).detach()}
        critic_works = r.adversarial > 0 and (self.started or engine.progress >= r.critic_from)
        since = engine.memory.setdefault("critic_since", engine.step) if critic_works else 0
        alone = critic_works and engine.step < since + r.critic_alone
        frozen = self.started and alone  # a new critic would spoil a trained generator: it learns to judge first

        with torch.set_grad_enabled(not frozen):
            coarse, refined = engine.wrapped["generator"](truth, mask, sketch)
        completed = torch.where(mask > 0, refined, truth).contiguous(memory_format=torch.channels_last)
        log: dict[str, Tensor] = {}
        if not frozen:
            border = border_weight(mask, extra=r.border)
            log["coarse"] = hole_and_known_l1(coarse, truth, mask, border)
            log["refined"] = hole_and_known_l1(refined, truth, mask, border)
            loss = log["refined"] + r.coarse * log["coarse"]  # the latter without a gradient where only "fine" learns
            weight = self.perceptual_weight(engine.progress)
            if self.perceptual is not None and weight > 0:
                with engine.autocast():
                    log["perceptual"] = self.perceptual(*shifted(engine, completed, truth))
                loss = loss + weight * log["perceptual"]
            if "lines" in self.frozen:
                with engine.autocast():
                    log["lines"] = self.frozen["lines"](completed, sketch)
                loss = loss + r.follow * log["lines"]
            if critic_works and not alone:
                self.critic.requires_grad_(False)  # only the photo's gradient is wanted here
                with engine.autocast():
                    log["opinion"] = hinge_generator(self.critic(completed, mask, sketch))
                self.critic.requires_grad_(True)
                loss = loss + r.adversarial * log["opinion"]
            log["gradient"] = engine.update("generator", loss, r.clip)
        if critic_works:
            both = torch.cat((truth, completed.detach()))
            scores = engine.wrapped["critic"](both, torch.cat((mask, mask)), torch.cat((sketch, sketch)))
            real, fake = scores.chunk(2)
            log["critic"] = hinge_critic(real, fake)
            log["critic_gradient"] = engine.update("critic", log["critic"])
        return {name: value.detach() for name, value in log.items()}

    def perceptual_weight(self, progress: float) -> float:
        """Nothing at first, for colours come first; then rising to the recipe's weight."""
        r = self.recipe
        risen = (progress - r.perceptual_from) / (r.perceptual_full - r.perceptual_from)
        return r.perceptual * (1.0 if self.started else min(max(risen, 0.0), 1.0))


main = options.command(DeepFillV2Training, Recipe)

if __name__ == "__main__":
    options.start(main)
