"""Train PartialConv (Liu et al., ECCV 2018): per-pixel, perceptual, style and smoothing losses, in two phases.

One device:   python -m train.partial_conv --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/pc --export
Many:         accelerate launch -m train.partial_conv (the same options)
Continue:     the same with --resume
As published: --masks irregular 1 --width 64 --levels 8 --size 512 --no-cosine --batch 6

Where it departs from the paper:
- Perceptual and style loss use the trunk of LPIPS, SqueezeNet or AlexNet, in place of VGG-16. With their weights each
  counts about as much as L1 in the hole on Navier-Stokes' fills. They join after 5 % of the run, count in full from
  30 % on, and see crops that are shifted at random: else they print the grid of their strides into the fills.
- Masks are drawn at random instead of coming from a set; half of the paper's features keep the checkpoint small.
- Critics that learn from few photos (--critics patch projected) and a small LPIPS term (--perceptual) are options. The
  critics count once they recognise held-out fills, with a weight by gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from inpaint_core.networks.partial_conv import PartialConvUNet
from train.core.cli import run_cli
from train.core.critics import CriticConfig, PhotoCritics, fills_of
from train.core.data import CropOptions, held_out_photos, load_photos, masked_photos
from train.core.export import export, refresh_statistics
from train.core.losses import feature_and_style_l1, hole_total_variation, shift_together
from train.core.masks import check_kinds
from train.core.optim import make_optimizer
from train.core.perceptual import PerceptualConfig, PerceptualTerm
from train.core.run import Run
from train.core.trunk_features import TrunkFeatures
from train.core.validation import Validation

DEPTHS = 3
"""Feature maps of the trunk that are compared, as many as the paper's of VGG-16."""


# It inherits, from train/core:
# - the run: out, resume, init, steps, minutes, total_minutes, checkpoint_minutes, log_every, batch, accumulate,
#   seed, precision, warmup, cosine, ema_decay
# - photos and export: data, val, eval_every, export, export_to, stored, mix, val_small, size, grid_every, cache
# - holes: masks, zoom
# - critics that learn from few photos: critics, critic_start, critic_warmup, critic_auc, critic_check,
#   critic_photos, adversarial_share, adversarial_cap
# - the LPIPS term: perceptual, perceptual_start, perceptual_full; the other losses of features join with it
@dataclass(frozen=True, kw_only=True)
class Config(PerceptualConfig, CriticConfig):
    """The U-Net, its two phases, and the weights of its losses."""

    width: int = 32  # features of the first level; the paper's: 64
    levels: int = 6  # halvings; 6 at 128 px, 7 at 256 and 8 at 512 end at 2 x 2
    optimizer: Literal["adam", "muon"] = "adam"  # of the U-Net
    lr: float = 2e-4  # of the first phase
    second_lr: float = 5e-5  # of the second phase, constant
    second_start: float = 0.7  # share of the run after which it begins: the encoder's batch statistics stay as they are
    betas: tuple[float, float] = (0.9, 0.999)  # of Adam
    clip: float = 5.0  # largest norm of the gradient
    hole: float = 6.0  # weight of L1 in the hole
    known: float = 1.0  # weight of L1 on known pixels
    variation: float = 0.1  # weight of the total variation in the hole
    trunk: Literal["squeeze", "alex"] = "squeeze"  # whose features are compared; for alex --features 0.09 --style 20
    features: float = 0.025  # weight of the perceptual loss; 0.05 in the paper
    style: float = 1.0  # weight of the style loss; 120 in the paper


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    check_kinds(config.masks)
    run = Run(config)

    # ---- networks
    arguments: dict[str, Any] = {"width": config.width, "levels": config.levels}
    network = PartialConvUNet(**arguments)

    def second_phase() -> bool:
        return run.progress >= config.second_start

    def lr_factor() -> float:
        return config.second_lr / config.lr if second_phase() else run.lr_factor()

    optimizer = make_optimizer(network, config.optimizer, config.lr, config.betas)
    generator = run.add("generator", network, optimizer, ema=True, schedule=lr_factor)
    critics = PhotoCritics(run, config, network.last_kernel)
    trunk = run.frozen(TrunkFeatures(config.trunk)) if config.features > 0 or config.style > 0 else None
    perceptual = PerceptualTerm(run, config)
    run.load()
    if second_phase():
        freeze_encoder_norm(network, run.ema["generator"])

    # ---- data
    loader = load_photos(config, run, CropOptions(zoom=config.zoom))
    batches = masked_photos(loader, config.masks)
    statistics = partial(refresh_statistics, run, batches)
    validation = Validation.of(config, run, run.ema["generator"], statistics=statistics)
    held_out = held_out_photos(loader, config.masks, config.critic_photos)
    held_out_fills = fills_of(held_out, run, run.ema["generator"])

    # ---- the loop
    for step, (truth, mask) in run.steps(batches):
        if second_phase() and not network.freeze_encoder_norm:
            freeze_encoder_norm(network, run.ema["generator"])

        filled = generator(truth, mask).float()
        completed = torch.where(mask > 0, filled, truth).contiguous(memory_format=torch.channels_last)
        difference = (filled - truth).abs()
        hole, known = (difference * mask).mean(), (difference * (1 - mask)).mean()  # over all pixels, equation 1
        variation = hole_total_variation(completed, mask)
        loss = l1 = config.hole * hole + config.known * known
        loss = loss + config.variation * variation
        run.log(hole=hole, known=known, variation=variation)

        joined = perceptual.joined  # all losses of features join together
        crops = _, completed_crop, truth_crop = shift_together(filled, completed, truth, step=step)
        if trunk is not None and joined > 0:
            with run.autocast():
                ours, composite, target = (trunk(crop)[:DEPTHS] for crop in crops)
            features, style = feature_and_style_l1((ours, composite), target)
            loss = loss + joined * (config.features * features + config.style * style)
            run.log(features=features, style=style)
        loss = loss + perceptual(completed_crop, truth_crop, shift=False)
        phase = critics.phase(held_out_fills)
        if phase == "adversarial":
            loss = loss + critics.term(completed, mask, l1, filled)
        run.log(gradient_norm=run.backward(loss, "generator", config.clip))

        if phase != "off":
            critics.update(truth, completed, mask)
        validation.after_step()

    # ---- export
    if config.export:
        kept = critics.networks
        export(run, "partial_conv", arguments, critics=kept, measure=validation.measure, statistics=statistics)
    return run


def freeze_encoder_norm(network: nn.Module, average: nn.Module) -> None:
    """Let the encoder's batch normalisation keep its statistics from now on (section 4.1), also when exported.

    Args:
        network: in training mode.
        average: its EMA, in evaluation mode.
    """
    for unet in (network, average):
        assert isinstance(unet, PartialConvUNet)
        unet.freeze_encoder_norm = True
    network.train()


if __name__ == "__main__":
    run_cli(main, Config)
