"""Train GLCIC (Iizuka et al., SIGGRAPH 2017): the completion network, then its critic, then both against each other.

One device:   python -m train.glcic --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/glcic --export
Many:         accelerate launch -m train.glcic (the same options)
Continue:     the same with --resume
As published: --optimizer adadelta --no-cosine --size 256 --batch 96 --steps 500000
On a CPU:     --width 32 --critic-width 16: a quarter of the paper's work or less

Where it departs from the paper:
- Adam instead of Adadelta. With --init the first phase is left out, for the network completes already.
- Critics that learn from few photos may take the place of the paper's (--critics patch projected). They train beside
  the completion network and count once they recognise held-out fills, with a weight by gradients.
- A small LPIPS term on SqueezeNet's features is an option (--perceptual).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Generator, Tensor
from torch.optim import Adadelta, Adam, Optimizer

from inpaint_core.networks.glcic import CompletionNetwork, GlobalLocalCritic
from train.core.cli import run_cli
from train.core.config import Masks
from train.core.critics import CriticConfig, Fills, Phase, PhotoCritics, fills_of
from train.core.data import CropOptions, held_out_photos, load_photos, masked_photos
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
# - critics that learn from few photos: critics, critic_start, critic_warmup, critic_auc, critic_check,
#   critic_photos, adversarial_share, adversarial_cap
# - the LPIPS term: perceptual, perceptual_start, perceptual_full
@dataclass(frozen=True, kw_only=True)
class Config(PerceptualConfig, CriticConfig):
    """Both networks, and the phases in which they are trained."""

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
    loader = load_photos(config, run, CropOptions(zoom=config.zoom))
    batches = masked_photos(loader, config.masks)

    # ---- networks
    arguments: dict[str, Any] = {"width": config.width, "mean_colour": loader.mean_colour()}
    network = CompletionNetwork(**arguments)
    if config.optimizer == "adadelta":
        optimizer: Optimizer = Adadelta(network.parameters())
    else:
        optimizer = make_optimizer(network, config.optimizer, config.lr, config.betas)
    generator = run.add("generator", network, optimizer, ema=True)
    critics = PhotoCritics(run, config, network.last_kernel) if config.critics else PaperCritic(run, config)
    perceptual = PerceptualTerm(run, config)
    run.load()

    # ---- validation
    statistics = partial(refresh_statistics, run, batches)
    validation = Validation.of(config, run, run.ema["generator"], statistics=statistics)
    held_out = held_out_photos(loader, config.masks, config.critic_photos)
    held_out_fills = fills_of(held_out, run, run.ema["generator"])

    # ---- the loop
    for _, (truth, mask) in run.steps(batches):
        phase = critics.phase(held_out_fills)
        critic_alone = phase == "warm-up" and not config.critics  # the paper's second phase

        with torch.set_grad_enabled(not critic_alone):
            filled = generator(truth, mask).float()
        completed = torch.where(mask > 0, filled, truth).contiguous(memory_format=torch.channels_last)

        if not critic_alone:
            loss = l2 = ((filled - truth) * mask).square().mean()  # equation 2: the mean over all pixels
            run.log(l2=l2)
            if phase == "adversarial":
                loss = loss + critics.term(completed, mask, l2, filled)
            loss = loss + perceptual(completed, truth)
            run.log(gradient_norm=run.backward(loss, "generator", config.clip))

        if phase != "off":
            critics.update(truth, completed, mask)
        validation.after_step()

    # ---- export
    if config.export:
        kept = critics.networks
        export(run, "glcic", arguments, critics=kept, measure=validation.measure, statistics=statistics)
    return run


class PaperCritic:
    """The paper's critic of whole photos and of squares around the hole, to be used like `PhotoCritics`.

    Args:
        run: receives the network "critic".
        config: its size, its phases, its weight.
    """

    def __init__(self, run: Run, config: Config) -> None:
        self.run, self.config, self.side = run, config, config.size // 2
        self.critic = GlobalLocalCritic(config.size, self.side, config.critic_width)
        if config.optimizer == "adadelta":
            optimizer: Optimizer = Adadelta(self.critic.parameters())
        else:
            optimizer = Adam(self.critic.parameters(), config.critic_lr, config.betas, fused=True)
        self._in_two_batches = run.add("critic", InTwoBatches(self.critic), optimizer)
        self.networks = {"critic": run.networks["critic"]}

    def phase(self, held_out: Callable[[], Fills]) -> Phase:
        """What it does in this step; by the config alone, so that the fills held out are not looked at."""
        start = 0.0 if "generator" in self.run.initialised else self.config.critic_start
        return phase_at(start, self.config.critic_phase, self.run.progress)

    def term(self, completed: Tensor, mask: Tensor, reconstruction: Tensor, output: Tensor) -> Tensor:
        """The weighted adversarial loss, a scalar (equation 4); the weight is fixed, so the last two do not matter."""
        around_hole = cut_windows(completed, hole_windows(mask, self.side), self.side)
        with frozen(self.critic), self.run.autocast():
            adversarial = entropy_generator(self.critic(completed, around_hole))
        self.run.log(adversarial=adversarial)
        return self.config.adversarial * adversarial

    def update(self, truth: Tensor, completed: Tensor, mask: Tensor) -> None:
        """One optimizer step (equation 3); images N x 3 x H x W in [0, 1], mask N x 1 x H x W, 1 = hole."""
        completed = completed.detach()
        around_hole = cut_windows(completed, hole_windows(mask, self.side), self.side)
        elsewhere = random_windows(mask, self.side, Generator().manual_seed(self.run.step))
        real = truth, cut_windows(truth, elsewhere, self.side)  # the real crop has a place of its own (section 3.3)
        loss = entropy_critic(*self._in_two_batches(real, (completed, around_hole)))
        self.run.backward(loss, "critic")
        self.run.log(critic=loss)


def phase_at(start: float, length: float, progress: float) -> Phase:
    """What the critic does (section 3.4, algorithm 1): from `start` on it is trained alone for `length`, then both are.

    `start`, `length` and `progress` are shares of the run.
    """
    if progress < start:
        return "off"
    return "warm-up" if progress < start + length else "adversarial"


if __name__ == "__main__":
    run_cli(main, Config)
