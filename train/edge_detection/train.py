"""Train the edge detector of sketches: holistically-nested edge detection (Xie and Tu, ICCV 2015).

One device:   python -m train.edge_detection.train --data 'photos-*.tar' --edges 'maps-*.tar' \\
                  --annotated bsds500-train.tar --val bsds500-val.tar --steps 20000 --out runs/edges --export
Many:         accelerate launch -m train.edge_detection.train (the same options)
Continue:     the same with --resume

As in the paper: a trunk pretrained on ImageNet, trained at a lower learning rate than what is new; class-balanced
cross-entropy on the side outputs and on their fusion; mirrored, turned and scaled photos with all annotators'
drawings. A pixel is an edge where at least half of them agree; lines that fewer drew are left out of the loss.

Where it departs from the paper:
- Beside the 200 annotated photos it learns the soft maps of a published detector on more of them (--data, --edges).
  Their classes are balanced in the same way, in proportion to the probability in the map.
- AdamW and a cosine in place of SGD. The exported detector evaluates a photo at three scales.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from torchvision.models import SqueezeNet1_1_Weights

from inpaint_core import sketch, weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.edge_detector import EdgeDetector, upsample
from train.core.cli import run_cli
from train.core.config import ExportConfig, Paths
from train.core.export import export
from train.core.run import Run
from train.core.sources import expand
from train.edge_detection.data import EdgeLoader, annotated, bank_of_drawings, bank_of_maps
from train.edge_detection.evaluate import TOLERANCE, Scores, detect, evaluate

SCALES = (0.5, 1.0, 1.5)  # of the photo, at which the exported detector evaluates it


# It inherits, from train/core:
# - the run: out, resume, init, steps, minutes, total_minutes, checkpoint_minutes, log_every, batch, accumulate,
#   seed, precision, warmup, cosine, ema_decay
# - data and export: data, val, eval_every, export, export_to, stored
@dataclass(frozen=True, kw_only=True)
class Config(ExportConfig):
    """What the detector learns from, and how its losses and learning rates are weighed."""

    data: Paths  # photos of the edge maps: folder, tar or quoted pattern; repeat
    edges: Paths  # soft edge maps, matched by name; repeat
    annotated: Paths = ()  # photos with NAME.annotators.png; repeat
    val: Paths = ()  # annotated photos for validation; repeat
    val_photos: int = 12  # of them measured during the run; at its end all
    steps: int = 20_000  # length of the run
    eval_every: int = 1000  # steps between validations
    size: int = 224  # side of the crops in pixels
    batch: int = 6  # crops a step, all processes together
    lr: float = 2e-3  # of the new layers
    trunk: float = 0.1  # learning rate of the trunk as a share of it
    pretrained: bool = True  # start from a trunk trained on ImageNet
    weight_decay: float = 1e-2
    drawn: float = 0.5  # share of the crops from annotated photos; the others are from --data
    side: float = 0.4  # weight of each side output's loss beside the fusion's 1
    clip: float = 5.0  # largest norm of the gradient

    @property
    def sources(self) -> tuple[Path, ...]:
        """Everything that is learned from, for the manifest."""
        return (*self.data, *self.edges, *self.annotated)

    @property
    def measured_on(self) -> str:
        """The validation photos, and how near an edge has to be found."""
        return f"{', '.join(source.name for source in self.val)}, tolerance {TOLERANCE} of the diagonal"


def main(config: Config) -> Run:
    """Train, validate, export; returns the run as it ended.

    Raises:
        InpaintError: the share of annotated photos is not below 1, or the trunk's weights are not to be had.
    """
    if not 0 <= config.drawn < 1:
        raise InpaintError(f"The share of annotated photos is at least 0 and below 1, not {config.drawn}.")
    run = Run(config)

    # ---- network
    detector = EdgeDetector(scales=SCALES)
    if config.pretrained and config.init is None:
        load_imagenet(detector.trunk)
    trunk = list(detector.trunk.parameters())
    new = [parameter for name, parameter in detector.named_parameters() if not name.startswith("trunk.")]
    groups = [{"params": new, "lr": config.lr}, {"params": trunk, "lr": config.trunk * config.lr}]
    optimizer = AdamW(groups, config.lr, weight_decay=config.weight_decay, fused=True)
    predict = run.add("detector", detector, optimizer, ema=True)
    run.load()

    # ---- data
    banks, shares = [bank_of_maps(expand(config.data), expand(config.edges))], [1 - config.drawn]
    if config.annotated and config.drawn > 0:
        banks.append(bank_of_drawings(expand(config.annotated)))
        shares.append(config.drawn)
    process = run.accelerator.process_index, run.accelerator.num_processes
    place = {"seed": config.seed, "process": process, "device": run.device}
    loader = EdgeLoader(banks, shares, config.size, config.batch, **place)
    held_out = annotated(expand(config.val)) if run.main and config.val else []

    def measure(count: int | None) -> Scores:
        chosen = held_out[:: max(1, len(held_out) // count)] if count else held_out
        maps = ((detect(run.ema["detector"], photo.photo), photo.drawings) for photo in chosen)
        return evaluate(maps, 9 if count else 33)  # of 99 thresholds the best is hardly better

    # ---- the loop
    for step, crops in run.steps(loader):
        fused, sides = predict(crops.image)
        losses = {"fused": balanced_cross_entropy(fused.float(), crops.edges, crops.edges_known)}
        for level, side in enumerate(sides, start=1):
            whole = upsample(side.float(), 2**level, *fused.shape[-2:])
            losses[f"side_{level}"] = balanced_cross_entropy(whole, crops.edges, crops.edges_known)
        loss = losses["fused"] + config.side * sum(losses[f"side_{level}"] for level in range(1, len(sides) + 1))
        run.log(gradient_norm=run.backward(loss, "detector", config.clip), **losses)
        if held_out and run.due(config.eval_every):
            scores = measure(config.val_photos)
            print(f"step {step + 1}: ODS {scores.ods:.3f}, OIS {scores.ois:.3f}", flush=True)
            run.log(**{"validation/ods": scores.ods, "validation/ois": scores.ois})

    def figures() -> dict[str, Any]:
        """For the manifest; an interrupted run is measured on few photos, so that it ends soon."""
        return measure(None if run.complete else config.val_photos).summary() if held_out else {}

    # ---- export
    if config.export:
        arguments = {"scales": list(SCALES)}
        export(run, sketch.DETECTOR, arguments, network=run.ema["detector"], measure=figures)
    return run


def balanced_cross_entropy(logits: Tensor, edges: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy in which the few edge pixels of a photo weigh as much as the many others (equation 2).

    Args:
        logits: N x 1 x H x W.
        edges: N x 1 x H x W in [0, 1]; soft ones count on both sides, in proportion.
        known: N x 1 x H x W, 0 = the pixel is left out.

    Returns:
        The mean over the photos, a scalar.
    """
    positive = (edges * known).sum((1, 2, 3), keepdim=True)
    count = known.sum((1, 2, 3), keepdim=True).clamp_min(1)
    share = (positive / count).clamp(0.02, 0.5)  # a photo without edges must not weigh one stray pixel above all others
    weight = known * (edges * (1 - share) + (1 - edges) * share)
    loss = F.binary_cross_entropy_with_logits(logits, edges, reduction="none") * weight
    return (loss.sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp_min(1e-6)).mean()


def load_imagenet(trunk: nn.Module) -> None:
    """Load torchvision's weights of SqueezeNet from torch hub's folder (`TORCH_HOME`), downloaded into it if need be.

    Raises:
        InpaintError: they are absent and cannot be downloaded.
    """
    kind = SqueezeNet1_1_Weights.IMAGENET1K_V1
    try:
        state = kind.get_state_dict(progress=False, check_hash=True)
    except OSError as error:
        raise InpaintError(
            f"The trunk's ImageNet weights could not be downloaded ({error}): go online once, put {kind.url} into "
            f"{Path(torch.hub.get_dir()) / 'checkpoints'}, or train with --no-pretrained."
        ) from error
    features = {
        name.removeprefix("features."): tensor for name, tensor in state.items() if name.startswith("features.")
    }
    weights.load_into(trunk, features, kind.url)


if __name__ == "__main__":
    run_cli(main, Config)
