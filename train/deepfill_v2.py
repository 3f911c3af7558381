"""Train DeepFill v2 (Yu et al., ICCV 2019): gated convolutions, free-form holes, a sketch for half of the photos.

One device:   python -m train.deepfill_v2 --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/v2 --export
Many GPUs:    accelerate launch -m train.deepfill_v2 (the same options)
Many cores:   OMP_NUM_THREADS=1 torchrun --nproc_per_node CORES -m train.deepfill_v2 (the same options)
Continue:     the same with --resume
As published: --critics sn_patchgan --perceptual 0 --optimizer adam --lr 1e-4 --size 256 --batch 16
              --upsampling nearest --no-smooth-attention --no-noise

Where it departs from the paper:
- L1 is taken per hole pixel, more of it near the hole's border; known pixels count little, for they are pasted over.
- A small LPIPS term on SqueezeNet's features; edges come from edge maps (--edges) or a gradient filter, not from HED.
- The critics that learn from few photos, a patch critic and one on pretrained features, in place of SN-PatchGAN.
- The adversarial weight follows the gradients: a share of the reconstruction's at the last layer. It counts once the
  critics tell held-out fills from photos.
- The decoders enlarge bilinearly, attention smooths what it pastes, and noise gives texture something to begin with:
  without them the critics teach patterns that repeat every 4 to 8 px.
- Muon for kernels. The stages can be trained one after the other: --stages coarse, then --stages fine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Generator, Tensor

from inpaint_core.networks.deepfill_v2 import DeepFillV2
from inpaint_core.networks.layers.gated import Upsampling
from train.core.cli import run_cli
from train.core.config import Paths
from train.core.critics import Critic, CriticConfig, PhotoCritics, fills_of
from train.core.data import CropOptions, Photos, load_photos
from train.core.export import export
from train.core.gradient_weights import adaptive_weight, combined, gradients_at, last_layer_norms
from train.core.line_loss import LineLoss
from train.core.losses import border_weight, hole_and_known_l1
from train.core.masks import check_kinds, draw_masks
from train.core.optim import make_optimizer
from train.core.perceptual import PerceptualConfig, PerceptualTerm
from train.core.run import Run
from train.core.sketches import sketch_batch
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
    """The generator, the weights of its losses, and how many photos come with a sketch."""

    width: int = 24  # features of the first layer
    upsampling: Upsampling = "bilinear"  # of the decoders; "nearest" is the paper's
    smooth_attention: bool = True  # blur the features that attention pastes; the paper does not
    noise: bool = True  # give the second stage noise to make texture of; the paper does not
    stages: Literal["both", "coarse", "fine"] = "both"  # one stage alone leaves the other as it is
    optimizer: Literal["muon", "adam"] = "muon"  # of the generator
    lr: float = 6e-4  # of the generator
    clip: float = 5.0  # largest norm of the generator's gradient
    border: float = 2.0  # extra weight of L1 at the hole's border
    known: float = 0.15  # weight of L1 on known pixels beside the hole's 1
    coarse: float = 0.6  # weight of the first stage's L1 beside the second's 1
    perceptual: float = 0.2  # weight of LPIPS on SqueezeNet
    critics: tuple[Critic, ...] = ("patch", "projected")  # "sn_patchgan" is the paper's
    edges: Paths = ()  # edge maps of the photos, matched by name, for the sketches
    sketches: float = 0.5  # share of the photos that come with a sketch
    follow: float = 0.0  # gradient of the term that wants the sketch's lines in the fill, as a share of the same


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    check_kinds(config.masks)
    run = Run(config)

    # ---- networks
    chosen = "width", "upsampling", "smooth_attention", "noise"
    arguments: dict[str, Any] = {"in_channels": 6, **{name: getattr(config, name) for name in chosen}}
    network = DeepFillV2(**arguments)
    network.first_stage_only = config.stages == "coarse"
    network.coarse.requires_grad_(config.stages != "fine")
    network.refinement.requires_grad_(config.stages != "coarse")
    generator = run.add("generator", network, make_optimizer(network, config.optimizer, config.lr), ema=True)
    with_critics = config if config.stages != "coarse" else replace(config, critics=())
    critics = PhotoCritics(run, with_critics, network.last_kernel, in_channels=5)
    perceptual = PerceptualTerm(run, config)
    line_loss = run.frozen(LineLoss()) if config.follow > 0 else None
    run.load()
    initialised = "generator" in run.initialised

    # ---- data
    loader = load_photos(config, run, CropOptions(zoom=config.zoom), edges=config.edges)
    validation = Validation.of(config, run, run.ema["generator"], sketch=True)

    def holes_and_sketches(photos: Photos, random: Generator) -> tuple[Tensor, Tensor]:
        mask = draw_masks(config.masks, len(photos.image), config.size, random, run.device)
        return mask, sketch_batch(photos.image, photos.edges, photos.edges_known, mask, random, config.sketches)

    held_out = loader.held_out(config.critic_photos)
    with_holes = held_out.image, *holes_and_sketches(held_out, Generator().manual_seed(config.seed))
    held_out_fills = fills_of(with_holes, run, run.ema["generator"])

    # ---- the loop
    for step, photos in run.steps(loader):
        truth = photos.image
        random = loader.generator(step)
        mask, sketch = holes_and_sketches(photos, random)
        border = border_weight(mask, extra=config.border)

        if config.stages == "coarse":
            coarse, _ = generator(truth, mask, sketch)
            loss = hole_and_known_l1(coarse, truth, mask, border, config.known)
            run.log(coarse=loss, gradient_norm=run.backward(loss, "generator", config.clip))
            validation.after_step()
            continue

        phase = critics.phase(held_out_fills)
        waits = phase == "warm-up" and initialised  # a trained generator waits for its critics

        noise = torch.randn(mask.shape, generator=random).to(run.device)
        with torch.set_grad_enabled(not waits):
            coarse, refined = generator(truth, mask, sketch, noise)
        completed = torch.where(mask > 0, refined, truth).contiguous(memory_format=torch.channels_last)

        if not waits:
            terms = {"l1": hole_and_known_l1(refined, truth, mask, border, config.known)}
            weight: dict[str, float | Tensor] = {"l1": 1.0}
            if config.perceptual > 0:
                terms["perceptual"] = perceptual.distance(completed, truth)
                weight["perceptual"] = perceptual.joined * config.perceptual
            if line_loss is not None and sketch.any():
                with run.autocast():
                    terms["lines"] = line_loss(completed, sketch)
            if phase == "adversarial":
                terms["adversarial"] = critics.adversarial(completed, mask, sketch)
            gradients = gradients_at(refined, terms)
            norms = last_layer_norms(refined, network.last_kernel, gradients)
            if "lines" in terms:
                weight["lines"] = adaptive_weight(norms, "lines", "l1", config.follow)
            if "adversarial" in terms:
                weight["adversarial"] = critics.adversarial_weight(norms, "l1")
            loss = combined(refined, gradients, weight)
            if config.stages == "both":
                terms["coarse"] = hole_and_known_l1(coarse, truth, mask, border, config.known)
                loss = loss + config.coarse * terms["coarse"]
            run.log(gradient_norm=run.backward(loss, "generator", config.clip), **terms)
            run.log(**{f"gradients/{name}": weight[name] * norm for name, norm in norms.items()})

        if phase != "off":
            critics.update(truth, completed, mask, sketch)
        validation.after_step()

    # ---- export
    if config.export:
        export(run, "deepfill_v2", arguments, critics=critics.networks, measure=validation.measure)
    return run


if __name__ == "__main__":
    run_cli(main, Config)
