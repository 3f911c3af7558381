"""Train the Context Encoder (Pathak et al., CVPR 2016): squared error and an adversarial loss on the missing patch.

One device:   python -m train.context_encoder --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/ce --export
Many:         accelerate launch -m train.context_encoder (the same options)
Continue:     the same with --resume
As published: --region centre --width 64 --batch 64
For features: --encoder alexnet --size 227 --optimizer sgd --l2 1

Where it departs from the paper:
- The network predicts the whole photo around a hole anywhere (the paper's random regions) unless --region is "centre";
  its critic then sees a square of about half the side around the hole.
- 48 features instead of 64 keep the checkpoint small.
- L1 in place of the squared error (--l1) and a small LPIPS term (--perceptual) are options.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import SGD, Adam

from inpaint_core.networks.context_encoder import ContextEncoder, ContextPatchCritic
from train.core.cli import run_cli
from train.core.config import HoleConfig
from train.core.data import CropOptions, load_photos, masked_photos
from train.core.export import export, refresh_statistics
from train.core.gan import InTwoBatches, cut_windows, entropy_critic, entropy_generator, frozen, hole_windows
from train.core.losses import weighted_mean
from train.core.masks import check_kinds
from train.core.optim import make_optimizer
from train.core.perceptual import PerceptualConfig, PerceptualTerm
from train.core.run import Run
from train.core.validation import Validation

LR = {"adam": 2e-3, "muon": 2e-3, "sgd": 0.01}  # Adam's is ten times the critic's, as in the public code


# It inherits, from train/core:
# - the run: out, resume, init, steps, minutes, total_minutes, checkpoint_minutes, log_every, batch, accumulate,
#   seed, precision, warmup, cosine, ema_decay
# - photos and export: data, val, eval_every, export, export_to, stored, mix, val_small, size, grid_every, cache
# - holes: masks, zoom
# - the LPIPS term: perceptual, perceptual_start, perceptual_full
@dataclass(frozen=True, kw_only=True)
class Config(PerceptualConfig, HoleConfig):
    """What the Context Encoder predicts, and how its two losses are weighed."""

    width: int = 48  # features of the first layer; the paper's: 64
    region: Literal["image", "centre"] = "image"  # what is predicted: all around a hole anywhere, or the centre
    encoder: Literal["strided", "alexnet"] = "strided"  # alexnet is made for --size 227
    bottleneck: Literal["channelwise", "full", "none"] = "channelwise"
    mask_channel: bool = False  # show the mask to the network
    critic_width: int = 64  # features of the critic's first layer
    optimizer: Literal["adam", "muon", "sgd"] = "adam"  # of the generator
    lr: float | None = None  # of the generator; default 2e-3, for SGD 0.01
    lr_gamma: float = 0.5  # SGD's learning rate is multiplied by this ...
    lr_step: float = 0.1  # ... after each such share of the run, in place of warmup and cosine
    critic_lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)  # of both Adams
    clip: float = 5.0  # largest norm of the generator's gradient
    l2: float = 0.999  # weight of the squared error; the adversarial loss has the rest to 1
    l1: float = 0.0  # weight of L1 where it takes the place of the squared error, such as 0.999
    overlap: int = 4  # known pixels around the hole that are predicted too ...
    overlap_weight: float = 10.0  # ... and how much their error counts
    critic_start: float = 0.0  # share of the run after which the critic joins; at once where --init is given


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    check_kinds(config.masks)
    run = Run(config)

    # ---- networks
    names = "width", "region", "bottleneck", "encoder", "mask_channel"
    arguments: dict[str, Any] = {name: getattr(config, name) for name in names} | {"image_size": config.size}
    network = ContextEncoder(**arguments)
    lr = LR[config.optimizer] if config.lr is None else config.lr
    if config.optimizer == "sgd":
        sgd = SGD(network.parameters(), lr, momentum=0.9)
        generator = run.add("generator", network, sgd, ema=True, schedule=lambda: lr_steps(config, run.progress))
    else:
        optimizer = make_optimizer(network, config.optimizer, lr, config.betas)
        generator = run.add("generator", network, optimizer, ema=True)
    reconstruction = config.l1 or config.l2
    side = window_side(config.size)
    critic_network = ContextPatchCritic(side, config.critic_width)
    adam = Adam(critic_network.parameters(), config.critic_lr, config.betas, fused=True)
    critic = run.add("critic", InTwoBatches(critic_network), adam)
    perceptual = PerceptualTerm(run, config)
    run.load()
    initialised = "generator" in run.initialised

    # ---- data
    loader = load_photos(config, run, CropOptions(zoom=config.zoom))
    batches = masked_photos(loader, config.masks)
    if config.region == "centre":

        def batches(step: int) -> tuple[Tensor, Tensor]:
            """Photos of a step, and the central square less the overlap as their hole."""
            image = loader(step).image
            return image, centre_mask(image, config.overlap)

    def fill(image: Tensor, mask: Tensor, sketch: Tensor | None) -> Tensor:
        """The network takes photos of one size: others are resized to it and back."""
        small = [F.interpolate(x, config.size, mode="area") for x in (image, mask)]
        filled = run.ema["generator"](small[0], small[1].ceil()).float()
        return F.interpolate(filled, image.shape[-2:], mode="bicubic").clamp(0, 1)

    statistics = partial(refresh_statistics, run, batches)
    validation = Validation.of(config, run, fill, statistics=statistics)

    # ---- the loop
    for _, (truth, mask) in run.steps(batches):
        patch = F.max_pool2d(mask, 2 * config.overlap + 1, 1, config.overlap)  # hole and overlap
        predicted = generator(truth, mask).float()
        completed = torch.where(patch > 0, predicted, truth)
        corner = hole_windows(mask, side)
        window = cut_windows(completed, corner, side)
        critic_active = reconstruction < 1 and (initialised or run.progress >= config.critic_start)

        # the generator; the paper's images span [-1, 1], twice the range of ours
        difference = 2 * (predicted - truth)
        error = difference.abs() if config.l1 > 0 else difference.square()
        weight = mask + config.overlap_weight * (patch - mask)
        error = weighted_mean(error, weight, patch)
        loss = reconstruction * error
        run.log(**{"l1" if config.l1 > 0 else "l2": error})
        if critic_active:
            with frozen(critic_network), run.autocast():
                adversarial = entropy_generator(critic_network(window))
            loss = loss + (1 - reconstruction) * adversarial
            run.log(adversarial=adversarial)
        loss = loss + perceptual(completed, truth)
        run.log(gradient_norm=run.backward(loss, "generator", config.clip))

        # the critic
        if critic_active:
            real, fake = critic((cut_windows(truth, corner, side),), (window.detach(),))
            loss = entropy_critic(real, fake)
            run.backward(loss, "critic")
            run.log(critic=loss)
        validation.after_step()

    # ---- export
    if config.export:
        critics = {"critic": run.networks["critic"]}
        measure = validation.measure
        export(run, "context_encoder", arguments, critics=critics, measure=measure, statistics=statistics)
    return run


def lr_steps(config: Config, progress: float) -> float:
    """Factor of SGD's learning rate: `lr_gamma` to the power of the number of steps taken by `progress`."""
    return config.lr_gamma ** int(progress / config.lr_step)


def window_side(size: int) -> int:
    """Side of the critic's square: the power of two that is at least half of the photo's, and at least 16."""
    return max(1 << (size // 2 - 1).bit_length(), 16)


def centre_mask(image: Tensor, overlap: int) -> Tensor:
    """The central square of half the side, without a border of `overlap` pixels: N x 1 x S x S for N x 3 x S x S."""
    size = image.shape[-1]
    start = (size - size // 2) // 2
    inside = slice(start + overlap, start + size // 2 - overlap)
    mask = torch.zeros_like(image[:, :1])
    mask[..., inside, inside] = 1
    return mask


if __name__ == "__main__":
    run_cli(main, Config)
