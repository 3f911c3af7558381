"""Train PartialConv (Liu et al., ECCV 2018): per-pixel, perceptual, style and smoothing losses, in two phases.

One device:   python -m train.partial_conv --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/pc --export
Many:         accelerate launch -m train.partial_conv (the same options)
Continue:     the same with --resume
The paper's:  --masks irregular 1 --width 64 --levels 8 --size 512 --no-cosine --batch 6

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
from torch import Tensor, nn

from inpaint_core.networks.partial_conv import PartialConvUNet
from train.core.cli import run_cli
from train.core.critics import CriticConfig, PhotoCritics, held_out_fills
from train.core.data import load_photos
from train.core.export import export, refresh_statistics
from train.core.features import TrunkFeatures
from train.core.losses import PerceptualLoss, feature_and_style_l1, hole_total_variation, ramp, shift_together
from train.core.masks import check_kinds, draw_masks
from train.core.optim import make_optimizer
from train.core.run import Run
from train.core.validation import Validation

DEPTHS = 3
"""Feature maps of the trunk that are compared, as many as the paper's of VGG-16."""


@dataclass(frozen=True, kw_only=True)
class Config(CriticConfig):
    """PartialConv's training."""

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
    perceptual: float = 0.0  # weight of LPIPS on SqueezeNet
    perceptual_start: float = 0.05  # share of the run after which losses of features join; at once with --init ...
    perceptual_full: float = 0.3  # ... and at which they have their full weights


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
    critics = PhotoCritics(run, config)
    trunk = run.frozen(TrunkFeatures(config.trunk)) if config.features > 0 or config.style > 0 else None
    perceptual = run.frozen(PerceptualLoss("squeeze")) if config.perceptual > 0 else None
    last_kernel = network.head.conv.weight
    run.load()
    initialised = "generator" in run.initialised
    if second_phase():
        freeze_encoder_norm(network, run.ema["generator"])

    # ---- data
    loader = load_photos(config, run)

    def masked_photos(step: int) -> tuple[Tensor, Tensor]:
        """Photos of a step and their masks."""
        image = loader(step).image
        return image, draw_masks(config.masks, len(image), config.size, loader.generator(step), run.device)

    def fill(image: Tensor, mask: Tensor, sketch: Tensor | None) -> tuple[Tensor, Tensor]:
        filled = run.ema["generator"](image, mask)
        return filled, filled

    statistics = partial(refresh_statistics, run, masked_photos)
    validation = Validation.of(config, run, fill, statistics=statistics)
    held_out = held_out_fills(fill, loader, run, config)

    # ---- the loop
    for step, (truth, mask) in run.steps(masked_photos):
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

        joined = 1.0 if initialised else ramp(run.progress, config.perceptual_start, config.perceptual_full)
        shifted = shift_together(filled, completed, truth, step=step)
        if trunk is not None and joined > 0:
            with run.autocast():
                ours, composite, wanted = (trunk(image)[:DEPTHS] for image in shifted)
            features, style = feature_and_style_l1((ours, composite), wanted)
            loss = loss + joined * (config.features * features + config.style * style)
            run.log(features=features, style=style)
        if perceptual is not None and joined > 0:
            with run.autocast():
                distance = perceptual(*shifted[1:])
            loss = loss + joined * config.perceptual * distance
            run.log(perceptual=distance)
        phase = critics.phase(held_out)
        if phase == "adversarial":
            adversarial = critics.adversarial(completed, mask)
            loss = loss + critics.weight(adversarial, l1, filled, last_kernel) * adversarial
            run.log(adversarial=adversarial)
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
    for each in (network, average):
        assert isinstance(each, PartialConvUNet)
        each.freeze_encoder_norm = True
    network.train()


if __name__ == "__main__":
    run_cli(main, Config)
