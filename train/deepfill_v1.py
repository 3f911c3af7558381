"""Train DeepFill v1 (Yu et al., CVPR 2018): L1 discounted by the distance to known pixels, two WGAN-GP critics.

One device:   python -m train.deepfill_v1 --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/v1 --export
Many:         accelerate launch -m train.deepfill_v1 (the same options)
Continue:     the same with --resume
Restoration:  the same with --mosaic: the hole shows the photo in coarse blocks (deepfill_v1_mosaic)
As published: --size 256 --batch 16 --no-cosine --steps 1000000
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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Generator, Tensor
from torch.optim import Adam

from inpaint_core.masks.pixelate import mosaic
from inpaint_core.networks.deepfill_v1 import DeepFillV1, WassersteinCritic
from train.core.cli import run_cli
from train.core.config import Masks
from train.core.critics import CriticConfig, Fills, Phase, PhotoCritics, fills_of
from train.core.data import CropOptions, held_out_photos, load_photos
from train.core.export import export
from train.core.gan import cut_windows, frozen, hole_windows, masked_gradient_penalty
from train.core.losses import spatial_discount, weighted_mean
from train.core.masks import check_kinds, draw_masks
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
    """The generator, the weights of its losses, and the steps of the paper's critics between two of its own."""

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
    run = Run(config)

    # ---- networks
    arguments: dict[str, Any] = {"width": config.width, "keep_hole": config.mosaic}
    network = DeepFillV1(**arguments)
    optimizer = make_optimizer(network, config.optimizer, config.lr, config.betas)
    generator = run.add("generator", network, optimizer, ema=True)
    if config.adversarial > 0 and not config.critics:
        critics: PaperCritics | PhotoCritics = PaperCritics(run, config)
    else:
        critics = PhotoCritics(run, config, network.last_kernel)
    perceptual = PerceptualTerm(run, config)
    run.load()

    # ---- data
    loader = load_photos(config, run, CropOptions(zoom=config.zoom))

    def fill(image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        """The mosaic's blocks are a sixteenth of the photo: what is measured must not be random."""
        return run.ema["generator"](mosaic(image, mask, image.shape[-1] // 16) if config.mosaic else image, mask)

    validation = Validation.of(config, run, fill)
    held_out_fills = fills_of(held_out_photos(loader, config.masks, config.critic_photos), run, fill)

    # ---- the loop
    for step, photos in run.steps(loader):
        truth, random = photos.image, loader.generator(step)
        mask = draw_masks(config.masks, len(truth), config.size, random, run.device)
        shown = truth
        if config.mosaic:
            block = int(torch.randint(config.block_least, config.block_most + 1, (), generator=random))
            shown = mosaic(truth, mask, block)
        phase = critics.phase(held_out_fills)

        # a step of the paper's critics, which take turns with the generator
        if isinstance(critics, PaperCritics) and phase == "warm-up":
            with torch.no_grad():
                completed = torch.where(mask > 0, generator(shown, mask)[1], truth)
            critics.update(truth, completed, mask, random)
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

        if phase == "adversarial":
            loss = loss + critics.term(completed, mask, losses["refined"], refined)
        loss = loss + perceptual(completed, truth)
        run.log(gradient_norm=run.backward(loss, "generator", config.clip))

        # critics that learn from few photos train beside it, in every step
        if isinstance(critics, PhotoCritics) and phase != "off":
            critics.update(truth, completed, mask)
        validation.after_step()

    # ---- export
    if config.export:
        method = "deepfill_v1_mosaic" if config.mosaic else "deepfill_v1"
        export(run, method, arguments, critics=critics.networks, measure=validation.measure)
    return run


class PaperCritics:
    """The paper's two critics, of whole photos and of squares around the hole: WGAN-GP (section 3.2).

    They have steps of their own: `config.critic_steps` of them, then the generator has one.

    Args:
        run: receives the networks "critic_global" and "critic_local".
        config: their size, when they join, their weight.
    """

    def __init__(self, run: Run, config: Config) -> None:
        self.run, self.config, self.side = run, config, config.size // 2
        networks = {
            "critic_global": WassersteinCritic(config.size, config.critic_width, last=4),
            "critic_local": WassersteinCritic(self.side, config.critic_width, last=8),
        }
        self._wrapped = {
            name: run.add(name, critic, Adam(critic.parameters(), config.critic_lr, config.betas, fused=True))
            for name, critic in networks.items()
        }
        self.networks = {name: run.networks[name] for name in networks}

    def phase(self, held_out: Callable[[], Fills]) -> Phase:
        """Whose step this is: the critics' ("warm-up"), or the generator's ("adversarial", before they join "off").

        It follows from the config alone, so the fills held out are not looked at.
        """
        run, config = self.run, self.config
        if "generator" not in run.initialised and run.progress < config.critic_start:
            return "off"
        turn = run.step // config.accumulate % (config.critic_steps + 1)  # summed gradients are one update
        return "warm-up" if turn < config.critic_steps else "adversarial"

    def views(self, image: Tensor, mask: Tensor) -> Iterator[Tensor]:
        """What the critics see of N x C x H x W: all of it, then squares of half the side around the holes."""
        yield image
        yield cut_windows(image, hole_windows(mask, self.side), self.side)

    def term(self, completed: Tensor, mask: Tensor, reconstruction: Tensor, output: Tensor) -> Tensor:
        """The weighted adversarial loss, a scalar; the weight is fixed, so the last two do not matter."""
        critics = self.networks.values()
        with frozen(*critics), self.run.autocast():
            scores = [critic(view) for critic, view in zip(critics, self.views(completed, mask), strict=True)]
        adversarial = -torch.stack(scores).float().sum(0).mean()
        self.run.log(adversarial=adversarial)
        return self.config.adversarial * adversarial

    def update(self, truth: Tensor, completed: Tensor, mask: Tensor, random: Generator) -> None:
        """One step of both: images N x 3 x H x W in [0, 1], mask N x 1 x H x W, 1 = hole, `random` on the CPU."""
        share = torch.rand(len(truth), 1, 1, 1, generator=random).to(truth.device)
        images = truth, completed, truth + share * (completed - truth), mask
        views = zip(*(self.views(image, mask) for image in images), strict=True)
        for (name, critic), (real, fake, mixed, hole) in zip(self._wrapped.items(), views, strict=True):
            mixed = mixed.detach().requires_grad_()
            scores = critic(torch.cat((real, fake, mixed))).float().chunk(3)
            (gradient,) = torch.autograd.grad(scores[2].sum(), mixed, create_graph=True)
            distance = (scores[0] - scores[1]).mean()
            penalty = masked_gradient_penalty(gradient / 2, hole)  # half, for the paper's images span [-1, 1]
            self.run.backward(self.config.penalty * penalty - distance, name)
            self.run.log(**{f"{name}/distance": distance, f"{name}/penalty": penalty})


if __name__ == "__main__":
    run_cli(main, Config)
