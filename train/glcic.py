"""Train GLCIC (Iizuka et al., SIGGRAPH 2017): the completion network, then its critic, then both against each other.

One device:   python -m train.glcic --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/glcic --export
Many:         accelerate launch -m train.glcic (the same options)
Continue:     the same with --resume
The paper's:  --optimizer adadelta --no-cosine --size 256 --batch 96 --steps 500000
On a CPU:     --width 32 --critic-width 16: a quarter of the paper's work or less

Where it departs from the paper:
- Adam instead of Adadelta. With --init the first phase is left out, for the network completes already.
- Critics that learn from few photos may take the place of the paper's (--critics patch projected). They train beside
  the completion network and count once they recognise held-out fills, with a weight by gradients.
- A small LPIPS term on SqueezeNet's features is an option (--perceptual).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Generator, Tensor
from torch.optim import Adadelta, Adam, Optimizer

from inpaint_core.networks.glcic import CompletionNetwork, GlobalLocalCritic
from train.core.cli import run_cli
from train.core.config import Masks
from train.core.critics import CriticConfig, Phase, PhotoCritics, held_out_fills
from train.core.data import load_photos
from train.core.export import export, refresh_statistics
from train.core.gan import (
    InTwoBatches,
    cut_windows,
    entropy_critic,
    entropy_generator,
    frozen,
    hole_windows,
    random_windows,
)
from train.core.masks import check_kinds, draw_masks
from train.core.optim import make_optimizer
from train.core.perceptual import PerceptualConfig, PerceptualTerm
from train.core.run import Run
from train.core.validation import Validation


@dataclass(frozen=True, kw_only=True)
class Config(PerceptualConfig, CriticConfig):
    """GLCIC's training."""

    width: int = 64  # features of the first layer
    critic_width: int = 64  # features of the paper's critic's first layer
    optimizer: Literal["adam", "muon", "adadelta"] = "adam"  # of the completion network; Adadelta: of the critic too
    lr: float = 4e-4  # of the completion network; Adadelta's is 1 for both
    critic_lr: float = 4e-4
    betas: tuple[float, float] = (0.5, 0.999)  # of both Adams
    clip: float = 5.0  # largest norm of the completion network's gradient
    masks: Masks = (("box", 1.0),)  # kinds of holes and their weights; boxes are the paper's
    critic_start: float = 0.18  # share of the run of the completion network alone (the paper's 90,000 of 500,000)
    critic_phase: float = 0.02  # share of the run of the paper's critic alone, after it (10,000)
    adversarial: float = 4e-4  # weight of the paper's critic beside the squared error


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    check_kinds(config.masks)
    run = Run(config)

    # ---- data
    loader = load_photos(config, run)

    def masked_photos(step: int) -> tuple[Tensor, Tensor]:
        """Photos of a step and their masks."""
        image = loader(step).image
        return image, draw_masks(config.masks, len(image), config.size, loader.generator(step), run.device)

    # ---- networks
    arguments: dict[str, Any] = {"width": config.width, "mean_colour": loader.mean_colour()}
    network = CompletionNetwork(**arguments)
    global_local = GlobalLocalCritic(config.size, config.size // 2, config.critic_width)
    if config.optimizer == "adadelta":
        optimizer: Optimizer = Adadelta(network.parameters())
        critic_optimizer: Optimizer = Adadelta(global_local.parameters())
    else:
        optimizer = make_optimizer(network, config.optimizer, config.lr, config.betas)
        critic_optimizer = Adam(global_local.parameters(), config.critic_lr, config.betas, fused=True)
    generator = run.add("generator", network, optimizer, ema=True)
    critics = PhotoCritics(run, config)
    if not config.critics:
        critic = run.add("critic", InTwoBatches(global_local), critic_optimizer)
    perceptual = PerceptualTerm(run, config)
    last_kernel = network.layers[-1].get_parameter("weight")
    run.load()
    initialised = "generator" in run.initialised

    # ---- validation
    def fill(image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        filled = run.ema["generator"](image, mask)
        return filled, filled

    statistics = partial(refresh_statistics, run, masked_photos)
    validation = Validation.of(config, run, fill, statistics=statistics)
    held_out = held_out_fills(fill, loader, run, config)

    # ---- the loop
    for step, (truth, mask) in run.steps(masked_photos):
        if config.critics:
            completes, phase = True, critics.phase(held_out)
        else:
            completes, phase = phase_at(0.0 if initialised else config.critic_start, config.critic_phase, run.progress)

        with torch.set_grad_enabled(completes):
            filled = generator(truth, mask).float()
        completed = torch.where(mask > 0, filled, truth).contiguous(memory_format=torch.channels_last)
        side = config.size // 2
        around_hole = cut_windows(completed, hole_windows(mask, side), side)

        if completes:
            loss = l2 = ((filled - truth) * mask).square().mean()  # equation 2: the mean over all pixels
            run.log(l2=l2)
            if phase == "adversarial" and config.critics:
                adversarial = critics.adversarial(completed, mask)
                loss = loss + critics.weight(adversarial, l2, filled, last_kernel) * adversarial
                run.log(adversarial=adversarial)
            elif phase == "adversarial":
                with frozen(global_local), run.autocast():
                    adversarial = entropy_generator(global_local(completed, around_hole))
                loss = loss + config.adversarial * adversarial
                run.log(adversarial=adversarial)
            loss = loss + perceptual(completed, truth)
            run.log(gradient_norm=run.backward(loss, "generator", config.clip))

        if phase != "off" and config.critics:
            critics.update(truth, completed, mask)
        elif phase != "off":
            elsewhere = random_windows(mask, side, Generator().manual_seed(step))
            real = truth, cut_windows(truth, elsewhere, side)  # the real crop has a place of its own (section 3.3)
            loss = entropy_critic(*critic(real, (completed.detach(), around_hole.detach())))
            run.backward(loss, "critic")
            run.log(critic=loss)
        validation.after_step()

    # ---- export
    if config.export:
        kept = critics.networks or {"critic": run.networks["critic"]}
        export(run, "glcic", arguments, critics=kept, measure=validation.measure, statistics=statistics)
    return run


def phase_at(start: float, length: float, progress: float) -> tuple[bool, Phase]:
    """Whether the completion network is trained, and what its critic does (section 3.4, algorithm 1).

    The critic alone is trained from `start` for `length`, both before and after it; shares of the run.
    """
    if progress < start:
        return True, "off"
    return (False, "warm-up") if progress < start + length else (True, "adversarial")


if __name__ == "__main__":
    run_cli(main, Config)
