"""Train LaMa (Suvorov et al., WACV 2022): Fourier convolutions that see the whole photo, wide masks.

One device:   python -m train.lama --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/lama --export
Many:         accelerate launch -m train.lama (the same options)
Continue:     the same with --resume
On a CPU:     --width 24 --blocks 5 --critic-width 32 --r1-every 4 --size 128 --batch 8 (4 images a second and core)
As published: --hole-l1 0 --size 256 --batch 10 --width 64 --blocks 9 --no-cosine --masks wide 1 --zoom 1
              --upsampling transposed --no-noise

Where it departs from the paper:
- The high receptive field perceptual loss uses a SqueezeNet trained on ImageNet, at seven depths, for want of the
  dilated ResNet-50 trained on ADE20K. Each depth counts relative to its own scale.
- L1 counts a little in the hole (--hole-l1): from few photos the discriminator alone learns colours slowly.
- The decoder enlarges bilinearly and sees noise: with the paper's transposed convolutions and little training, wide
  holes carry a lattice.
- Crops for the discriminator and the trunk are shifted at random, so that their strides leave no grid in the fills.
- The exponential moving average of the weights is exported, with batch statistics measured anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim import Adam

from inpaint_core.networks.lama import LaMa, PatchDiscriminator
from train.core.cli import run_cli
from train.core.config import HoleConfig, Masks
from train.core.data import CropOptions, held_out_photos, load_photos
from train.core.export import export, refresh_statistics
from train.core.gan import InTwoBatches, auc, entropy_generator, frozen, photo_scores, r1_penalty
from train.core.gradient_weights import gradients_at, last_layer_norms
from train.core.losses import shift_together
from train.core.masks import check_kinds, draw_masks
from train.core.optim import make_optimizer
from train.core.run import Run
from train.core.trunk_features import TrunkFeatures, relative_l2
from train.core.validation import Validation


# It inherits, from train/core:
# - the run: out, resume, init, steps, minutes, total_minutes, checkpoint_minutes, log_every, batch, accumulate,
#   seed, precision, warmup, cosine, ema_decay
# - photos and export: data, val, eval_every, export, export_to, stored, mix, val_small, size, grid_every, cache
# - holes: masks, zoom
@dataclass(frozen=True, kw_only=True)
class Config(HoleConfig):
    """LaMa's size, and the weights of its four losses."""

    batch: int = 10  # images a step, all processes together
    masks: Masks = (("wide", 0.6), ("box", 0.2), ("narrow", 0.2))  # kinds of holes and their weights
    width: int = 64  # features of the first layer
    blocks: int = 9  # residual blocks; 18 for Big LaMa
    global_share: float = 0.75  # share of the blocks' features on the Fourier path
    upsampling: Literal["transposed", "bilinear"] = "bilinear"  # of the decoder; the paper's is "transposed"
    noise: bool = True  # give the decoder noise to make texture of; the paper does not
    critic_width: int = 64  # features of the discriminator's first layer
    optimizer: Literal["adam", "muon"] = "adam"  # of the generator
    lr: float = 1e-3  # of the generator
    critic_lr: float = 1e-4  # of the discriminator
    clip: float | None = None  # largest norm of the generator's gradient
    known_l1: float = 10.0  # weight of L1 on known pixels
    hole_l1: float = 1.0  # weight of L1 in the hole; the paper's: 0
    adversarial: float = 10.0  # weight of the non-saturating adversarial loss
    matching: float = 100.0  # weight of the distance of the discriminator's features
    perceptual: float = 30.0  # weight of the distance of the trunk's features
    r1: float = 0.001  # weight of the discriminator's gradient penalty on true photos
    r1_every: int = 1  # steps between gradient penalties, whose weight is multiplied by it
    critic_check: int = 100  # steps between measurements of the discriminator's AUC ...
    critic_photos: int = 32  # ... on this many held-out crops


ARCHITECTURE = "width", "blocks", "global_share", "upsampling", "noise"  # what of the config the network takes


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    check_kinds(config.masks)
    run = Run(config)

    # ---- networks
    arguments: dict[str, Any] = {name: getattr(config, name) for name in ARCHITECTURE}
    network = LaMa(**arguments)
    discriminator = PatchDiscriminator(width=config.critic_width)
    optimizer = make_optimizer(network, config.optimizer, config.lr, betas=(0.9, 0.999))
    generator = run.add("generator", network, optimizer, ema=True)
    critic_optimizer = Adam(discriminator.parameters(), config.critic_lr)
    critic = run.add("critic", InTwoBatches(discriminator), critic_optimizer)
    trunk = run.frozen(TrunkFeatures("squeeze")) if config.perceptual > 0 else None
    run.load()

    # ---- data
    loader = load_photos(config, run, CropOptions(zoom=config.zoom))
    held_out = held_out_photos(loader, config.masks, config.critic_photos)

    def masked_photos(step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Photos of a step, their masks, and noise for the generator."""
        image, random = loader(step).image, loader.generator(step)
        mask = draw_masks(config.masks, len(image), config.size, random, run.device)
        return image, mask, torch.randn(mask.shape, generator=random).to(run.device)

    statistics = partial(refresh_statistics, run, lambda step: masked_photos(step)[:2])
    validation = Validation.of(config, run, run.ema["generator"], statistics=statistics)

    def critic_auc() -> float:
        """The discriminator's AUC on fills of the held-out photos by the EMA generator."""
        truth, mask = held_out
        with torch.no_grad(), run.autocast():
            filled = run.ema["generator"](truth, mask).float()
            real, fake = (photo_scores(discriminator(image)[0], mask) for image in (truth, filled))
        return auc(real, fake)

    # ---- the loop
    for step, (truth, mask, noise) in run.steps(masked_photos):
        filled = generator(truth, mask, noise=noise)  # the discriminator sees the whole prediction, nothing is pasted
        fake, real, hole = shift_together(filled, truth, mask, step=step, stride=16)

        # the generator
        terms = {"l1": weighted_l1(filled, truth, mask, config.known_l1, config.hole_l1)}
        with frozen(discriminator), run.autocast():
            with torch.no_grad():
                true_features = discriminator(real)[1]
            scores, features = discriminator(fake)
            terms["adversarial"] = config.adversarial * entropy_generator(scores)
            terms["matching"] = config.matching * feature_matching(features, true_features)
            if trunk is not None:
                terms["perceptual"] = config.perceptual * relative_l2(trunk(fake), trunk(real))
        if run.due(config.log_every):
            norms = last_layer_norms(filled, network.head.weight, gradients_at(filled, terms))
            run.log(**{f"gradients/{name}": norm for name, norm in norms.items()})
        loss = torch.stack(list(terms.values())).sum()
        run.log(gradient_norm=run.backward(loss, "generator", config.clip), **terms)

        # the discriminator
        real = real.detach().requires_grad_()
        (real_scores, _), (fake_scores, _) = critic((real,), (fake.detach(),))
        loss = masked_critic_loss(real_scores, fake_scores, hole)
        run.log(critic=loss)
        if step % config.r1_every == 0:
            penalty = r1_penalty(real_scores, real)
            loss = loss + config.r1 * config.r1_every * penalty
            run.log(r1=penalty)
        run.backward(loss, "critic")

        if run.due(config.critic_check):
            run.log(auc=critic_auc())
        validation.after_step()

    # ---- export
    if config.export:
        critics = {"critic": run.networks["critic"]}
        export(run, "lama", arguments, critics=critics, measure=validation.measure, statistics=statistics)
    return run


def weighted_l1(image: Tensor, truth: Tensor, mask: Tensor, known: float, hole: float) -> Tensor:
    """Mean L1 over all pixels, weighted by `known` outside and `hole` inside of the hole (section 2.3 of the paper).

    Args:
        image, truth: N x 3 x H x W.
        mask: N x 1 x H x W, 1 = hole.
        known, hole: the weights.
    """
    return ((image.float() - truth).abs() * (known * (1 - mask) + hole * mask)).mean()


def masked_critic_loss(real: Tensor, fake: Tensor, mask: Tensor) -> Tensor:
    """The discriminator's non-saturating loss; outside of the hole its target is "real" for fills, too (equation 3).

    Args:
        real, fake: logits of true photos and of fills, N x 1 x h x w.
        mask: N x 1 x H x W, 1 = hole.
    """
    hole = F.interpolate(mask, fake.shape[-2:], mode="nearest")
    real, fake = real.float(), fake.float()
    return (F.softplus(-real) + hole * F.softplus(fake) + (1 - hole) * F.softplus(-fake)).mean()


def feature_matching(features: list[Tensor], truth: list[Tensor]) -> Tensor:
    """Mean squared difference of the discriminator's features of a fill and of its true photo, mean over its layers."""
    return torch.stack([F.mse_loss(a.float(), b.float()) for a, b in zip(features, truth, strict=True)]).mean()


if __name__ == "__main__":
    run_cli(main, Config)
