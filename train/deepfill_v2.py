"""Train DeepFill v2 (Yu et al., ICCV 2019): gated convolutions, free-form holes, a sketch for half of the photos.

One device:   python -m train.deepfill_v2 --data photos/ --data 'shards/*.tar' --steps 100000 --out runs/v2 --export
Many GPUs:    accelerate launch -m train.deepfill_v2 (the same options)
Many cores:   OMP_NUM_THREADS=1 torchrun --nproc_per_node CORES -m train.deepfill_v2 (the same options)
Continue:     the same with --resume
The paper's:  --critics sn_patchgan --perceptual 0 --optimizer adam --lr 1e-4 --width 24 --size 256 --batch 16

Where it departs from the paper:
- L1 is taken per hole pixel, more of it near the hole's border; known pixels count little, for they are pasted over.
- A small LPIPS term on SqueezeNet's features; edges come from edge maps (--edges) or a gradient filter, not from HED.
- The critics that learn from few photos, a patch critic and one on pretrained features, in place of SN-PatchGAN.
- The adversarial weight follows the gradients: a share of the reconstruction's at the last layer. It counts once the
  critics tell held-out fills from photos.
- Muon for kernels. The stages can be trained one after the other: --stages coarse, then --stages fine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor
from torch.optim import Adam

from inpaint_core.networks.deepfill_v2 import DeepFillV2, SNPatchDiscriminator
from inpaint_core.networks.patch_critic import PatchCritic
from inpaint_core.networks.projected_critic import ProjectedCritic
from train.core.balance import adaptive_weight, combined, gradients_at, last_layer_norms
from train.core.cli import run_cli
from train.core.config import PhotoConfig
from train.core.data import Photos, load_photos
from train.core.export import export
from train.core.gan import auc, frozen, halves, hinge_critic, hinge_generator, photo_scores
from train.core.lines import LineLoss
from train.core.losses import PerceptualLoss, border_weight, hole_and_known_l1, ramp, shift_together
from train.core.masks import check_kinds, draw_masks
from train.core.optim import make_optimizer
from train.core.run import Run
from train.core.sketches import sketch_batch
from train.core.validation import Validation

CRITICS = {"sn_patchgan": SNPatchDiscriminator, "patch": PatchCritic, "projected": ProjectedCritic}
CRITIC_LR = {"sn_patchgan": 1e-4, "patch": 4e-4, "projected": 4e-4}


@dataclass(frozen=True, kw_only=True)
class Config(PhotoConfig):
    """DeepFill v2's training."""

    width: int = 24  # features of the first layer
    stages: Literal["both", "coarse", "fine"] = "both"  # one stage alone leaves the other as it is
    optimizer: Literal["muon", "adam"] = "muon"  # of the generator
    lr: float = 6e-4  # of the generator
    clip: float = 5.0  # largest norm of the generator's gradient
    border: float = 2.0  # extra weight of L1 at the hole's border
    known: float = 0.15  # weight of L1 on known pixels beside the hole's 1
    coarse: float = 0.6  # weight of the first stage's L1 beside the second's 1
    perceptual: float = 0.2  # weight of LPIPS on SqueezeNet
    perceptual_start: float = 0.05  # share of the run after which it joins; at once where --init is given ...
    perceptual_full: float = 0.3  # ... and at which it has its full weight
    critics: tuple[Literal["sn_patchgan", "patch", "projected"], ...] = ("patch", "projected")
    critic_start: float = 0.3  # share of the run after which the critics join; at once where --init is given
    critic_alone: int = 120  # least steps they train before the generator listens, and until their AUC suffices
    critic_auc: float = 0.65  # held-out AUC from which they count
    critic_check: int = 60  # steps between measurements of the AUC ...
    critic_photos: int = 32  # ... on so many held-out crops
    adversarial: float = 0.4  # gradient of the adversarial term as a share of the reconstruction's at the last layer
    adversarial_cap: float = 1.0  # largest weight of the adversarial term
    sketches: float = 0.5  # share of the photos that come with a sketch
    follow: float = 0.0  # gradient of the term that wants the sketch's lines in the fill, as a share of the same


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended."""
    check_kinds(config.masks)
    run = Run(config)

    # ---- networks
    network = DeepFillV2(in_channels=6, width=config.width)
    network.first_stage_only = config.stages == "coarse"
    network.coarse.requires_grad_(config.stages != "fine")
    network.refinement.requires_grad_(config.stages != "coarse")
    generator = run.add("generator", network, make_optimizer(network, config.optimizer, config.lr), ema=True)
    critics = {}
    for kind in config.critics if config.stages != "coarse" and config.adversarial > 0 else ():
        critic = CRITICS[kind](in_channels=5)
        critics[f"critic_{kind}"] = run.add(
            f"critic_{kind}",
            critic,
            Adam([p for p in critic.parameters() if p.requires_grad], CRITIC_LR[kind], (0.5, 0.999)),
        )
    perceptual = run.frozen(PerceptualLoss("squeeze")) if config.perceptual > 0 else None
    line_loss = run.frozen(LineLoss()) if config.follow > 0 else None
    last_kernel = network.refinement.decoder[-1].weight
    run.load()
    initialised = "generator" in run.initialised

    # ---- data
    loader = load_photos(config, run)
    held_out = loader.held_out(config.critic_photos)
    validation = Validation.of(config, run, run.ema["generator"], sketch=True)

    def holes_and_sketches(photos: Photos, random: Generator) -> tuple[Tensor, Tensor]:
        mask = draw_masks(config.masks, len(photos.image), config.size, random, run.device)
        return mask, sketch_batch(photos.image, photos.edges, photos.has_edges, mask, random, config.sketches)

    def critics_see() -> float:
        """The critics' mean AUC on fills of the held-out photos by the EMA generator."""
        mask, sketch = holes_and_sketches(held_out, Generator().manual_seed(config.seed))
        with torch.no_grad(), run.autocast():
            filled = run.ema["generator"](held_out.image, mask, sketch)[1].float()
            completed = torch.where(mask > 0, filled, held_out.image)
            values = []
            for name in critics:
                real, fake = (run.networks[name](image, mask, sketch) for image in (held_out.image, completed))
                values.append(auc(photo_scores(real, mask), photo_scores(fake, mask)))
        return sum(values) / len(values)

    # ---- the loop
    for step, photos in run.steps(loader):
        truth = photos.image
        mask, sketch = holes_and_sketches(photos, loader.generator(step))
        border = border_weight(mask, extra=config.border)

        if config.stages == "coarse":
            coarse, _ = generator(truth, mask, sketch)
            loss = hole_and_known_l1(coarse, truth, mask, border, config.known)
            run.log(coarse=loss, gradient_norm=run.backward(loss, "generator", config.clip))
            validation.after_step()
            continue

        judged = bool(critics) and (initialised or run.progress >= config.critic_start)
        if judged and (step == run.state.setdefault("critics_since", step) or step % config.critic_check == 0):
            run.state["auc"] = critics_see()
            run.log(auc=run.state["auc"])
        since = step - run.state.get("critics_since", step)
        if judged and since >= config.critic_alone and run.state["auc"] >= config.critic_auc:
            run.state["critics_count"] = True  # from now on; the AUC may fall again as the generator improves
        counted = run.state.get("critics_count", False)
        alone = judged and not counted and initialised  # a trained generator waits for its critics

        with torch.set_grad_enabled(not alone):
            coarse, refined = generator(truth, mask, sketch)
        completed = torch.where(mask > 0, refined, truth).contiguous(memory_format=torch.channels_last)

        if not alone:
            terms = {"l1": hole_and_known_l1(refined, truth, mask, border, config.known)}
            weight = {"l1": 1.0}
            with run.autocast():
                if perceptual is not None:
                    start, full = config.perceptual_start, config.perceptual_full
                    weight["perceptual"] = config.perceptual * (1 if initialised else ramp(run.progress, start, full))
                    terms["perceptual"] = perceptual(*shift_together(completed, truth, step=step))
                if line_loss is not None and sketch.any():
                    terms["lines"] = line_loss(completed, sketch)
                if counted:
                    shifted = shift_together(completed, mask, sketch, step=step, stride=16)
                    with frozen(*critics.values()):
                        scores = [hinge_generator(critic(*shifted), shifted[1]) for critic in critics.values()]
                    terms["adversarial"] = torch.stack(scores).mean()
            gradients = gradients_at(refined, terms)
            norms = last_layer_norms(refined, last_kernel, gradients)
            if "lines" in terms:
                weight["lines"] = adaptive_weight(norms, "lines", "l1", config.follow)
            if "adversarial" in terms:
                limit = config.adversarial_cap
                weight["adversarial"] = adaptive_weight(norms, "adversarial", "l1", config.adversarial, limit)
            loss = combined(refined, gradients, weight)
            if config.stages == "both":
                terms["coarse"] = hole_and_known_l1(coarse, truth, mask, border, config.known)
                loss = loss + config.coarse * terms["coarse"]
            run.log(gradient_norm=run.backward(loss, "generator", config.clip), **terms)
            run.log(**{f"gradients/{name}": weight[name] * norm for name, norm in norms.items()})

        if judged:
            both = torch.cat((truth, completed.detach()))
            shifted = shift_together(both, *(torch.cat((x, x)) for x in (mask, sketch)), step=step, stride=16)
            for name, critic in critics.items():
                real, fake = halves(critic(*shifted))
                loss = hinge_critic(real, fake, shifted[1][: len(truth)])
                run.backward(loss, name)
                run.log(**{name: loss})
        validation.after_step()

    # ---- export
    if config.export:
        arguments = {"in_channels": 6, "width": config.width}
        kept = {name: run.networks[name] for name in critics}
        export(run, "deepfill_v2", arguments, critics=kept, measure=validation.measure)
    return run


if __name__ == "__main__":
    run_cli(main, Config)
