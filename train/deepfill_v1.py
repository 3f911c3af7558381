"""Train DeepFill v1 (Yu et al., CVPR 2018): L1 discounted by the distance to known pixels, two WGAN-GP critics.

One device:   python -m train.deepfill_v1 --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/v1 --export
Many:         accelerate launch -m train.deepfill_v1 (the same options)
Continue:     the same with --resume
Restoration:  the same with --mosaic: the hole shows the photo in coarse blocks (deepfill_v1_mosaic)
The paper's:  --size 256 --batch 16 --no-cosine --steps 1000000
On a CPU:     --critic-start 0.6 --critic-steps 1: most of the time then goes into the generator

Where it departs from the paper:
- One hole a photo instead of one a batch. The discounted L1 is taken inside the hole, where the public code has the
  box around it, and works for holes of any form.
- A step of the critics uses photos of its own, as in the public code, so that most steps are the critics'.
- Critics that learn from few photos may take the place of the paper's (--critics patch projected). They train in every
  step and count once they recognise held-out fills, with a weight by gradients.
- A small LPIPS term on SqueezeNet's features is an option (--perceptual). The mosaic's blocks have a random size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import Adam

from inpaint_core.masks.pixelate import mosaic
from inpaint_core.networks.deepfill_v1 import DeepFillV1, WassersteinCritic
from train.core.cli import run_cli
from train.core.config import Masks
from train.core.critics import CriticConfig, PhotoCritics, held_out_fills
from train.core.data import load_photos
from train.core.export import export
from train.core.gan import cut_windows, frozen, hole_windows, masked_gradient_penalty
from train.core.losses import spatial_discount, weighted_mean
from train.core.masks import check_kinds, draw_masks
from train.core.optim import make_optimizer
from train.core.perceptual import PerceptualConfig, PerceptualTerm
from train.core.run import Run
from train.core.validation import Validation


@dataclass(frozen=True, kw_only=True)
class Config(PerceptualConfig, CriticConfig):
    """DeepFill v1's training."""

    width: int = 32  # features of the first layer
    critic_width: int = 64  # features of the first layer of the paper's critics
    optimizer: Literal["adam", "muon"] = "adam"  # of the generator
    lr: float = 1e-4  # of the generator
    critic_lr: float = 1e-4
    betas: tuple[float, float] = (0.5, 0.9)  # of both Adams
    clip: float = 5.0  # largest norm of the generator's gradient
    masks: Masks = (("box", 1.0),)  # kinds of holes and their weights; boxes are the paper's
    hole: float = 1.2  # weight of the discounted L1 in the hole
    known: float = 1.2  # weight of L1 on known pixels
    coarse: float = 1.2  # weight of the first stage's L1 beside the second's 1
    discount: float = 0.9  # a hole pixel counts this to the power of its distance to known ones; 1: all alike
    adversarial: float = 0.001  # weight of the paper's critics; 0: none
    penalty: float = 10.0  # weight of the gradient penalty of the paper's critics
    critic_steps: int = 5  # of the paper's critics to one of the generator
    critic_start: float = 0.0  # share of the run after which the critics join; at once where --init is given
    mosaic: bool = False  # the hole shows the photo in coarse blocks
    block_least: int = 6  # side of the mosaic's smallest ...
    block_most: int = 16  # ... and its largest blocks, in pixels


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    check_kinds(config.masks)
    paper_critics = config.adversarial > 0 and not config.critics
    run = Run(config)
    side = config.size // 2  # of the local critic's crops

    # ---- networks
    arguments: dict[str, Any] = {"width": config.width, "keep_hole": config.mosaic}
    network = DeepFillV1(**arguments)
    optimizer = make_optimizer(network, config.optimizer, config.lr, config.betas)
    generator = run.add("generator", network, optimizer, ema=True)
    critics = PhotoCritics(run, config)
    wasserstein = {}
    if paper_critics:
        for name, critic in (
            ("critic_global", WassersteinCritic(config.size, config.critic_width, last=4)),
            ("critic_local", WassersteinCritic(side, config.critic_width, last=8)),
        ):
            adam = Adam(critic.parameters(), config.critic_lr, config.betas, fused=True)
            wasserstein[name] = run.add(name, critic, adam)
    perceptual = PerceptualTerm(run, config)
    last_kernel = network.refinement.decoder[-1].get_parameter("weight")
    run.load()
    initialised = "generator" in run.initialised

    # ---- data
    loader = load_photos(config, run)

    def fill(image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        """The mosaic's blocks are a sixteenth of the photo: what is measured must not be random."""
        return run.ema["generator"](mosaic(image, mask, image.shape[-1] // 16) if config.mosaic else image, mask)

    validation = Validation.of(config, run, fill)
    held_out = held_out_fills(fill, loader, run, config)

    # ---- the loop
    for step, photos in run.steps(loader):
        truth, random = photos.image, loader.generator(step)
        mask = draw_masks(config.masks, len(truth), config.size, random, run.device)
        shown = truth
        if config.mosaic:
            block = int(torch.randint(config.block_least, config.block_most + 1, (), generator=random))
            shown = mosaic(truth, mask, block)
        views = {"critic_global": None, "critic_local": hole_windows(mask, side)}  # what each critic sees of a photo
        critic_active = paper_critics and (initialised or run.progress >= config.critic_start)

        # a step of the paper's critics: WGAN-GP
        turn = step // config.accumulate % (config.critic_steps + 1)  # summed gradients are one update
        if critic_active and turn < config.critic_steps:
            with torch.no_grad():
                completed = torch.where(mask > 0, generator(shown, mask)[1], truth)
            share = torch.rand(len(truth), 1, 1, 1, generator=random).to(run.device)
            images = truth, completed, truth + share * (completed - truth), mask
            for name, corner in views.items():
                real, fake, mixed, hole = (view(image, corner, side) for image in images)
                mixed = mixed.detach().requires_grad_()
                scores = wasserstein[name](torch.cat((real, fake, mixed))).float().chunk(3)
                (gradient,) = torch.autograd.grad(scores[2].sum(), mixed, create_graph=True)
                distance = (scores[0] - scores[1]).mean()
                penalty = masked_gradient_penalty(gradient / 2, hole)  # half, for the paper's images span [-1, 1]
                run.backward(config.penalty * penalty - distance, name)
                run.log(**{f"{name}/distance": distance, f"{name}/penalty": penalty})
            validation.after_step()
            continue

        # a step of the generator
        coarse, refined = (stage.float() for stage in generator(shown, mask))
        completed = torch.where(mask > 0, refined, truth).contiguous(memory_format=torch.channels_last)
        discounted = spatial_discount(mask, config.discount)
        losses = {}
        for name, stage in (("coarse", coarse), ("refined", refined)):
            difference = 2 * (stage - truth).abs()  # twice, for the paper's images span [-1, 1]
            in_hole, known = weighted_mean(difference, discounted, mask), weighted_mean(difference, 1 - mask)
            losses[name] = config.hole * in_hole + config.known * known
            run.log(**{name: in_hole})
        loss = config.coarse * losses["coarse"] + losses["refined"]

        if critic_active:
            with frozen(*(run.networks[name] for name in wasserstein)), run.autocast():
                scores = [run.networks[name](view(completed, corner, side)) for name, corner in views.items()]
            adversarial = -torch.stack(scores).float().sum(0).mean()
            loss = loss + config.adversarial * adversarial
            run.log(adversarial=adversarial)
        phase = critics.phase(held_out)
        if phase == "adversarial":
            adversarial = critics.adversarial(completed, mask)
            loss = loss + critics.weight(adversarial, losses["refined"], refined, last_kernel) * adversarial
            run.log(adversarial=adversarial)
        loss = loss + perceptual(completed, truth)
        run.log(gradient_norm=run.backward(loss, "generator", config.clip))

        if phase != "off":
            critics.update(truth, completed, mask)
        validation.after_step()

    # ---- export
    if config.export:
        method = "deepfill_v1_mosaic" if config.mosaic else "deepfill_v1"
        kept = {name: run.networks[name] for name in (*wasserstein, *critics.networks)}
        export(run, method, arguments, critics=kept, measure=validation.measure)
    return run


def view(image: Tensor, corner: Tensor | None, side: int) -> Tensor:
    """The photos themselves, or their squares of `side` pixels at the corners (N, 2)."""
    return image if corner is None else cut_windows(image, corner, side)


if __name__ == "__main__":
    run_cli(main, Config)
