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

import sys
from dataclasses import asdict, dataclass
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
from train.core.config import Paths, RunConfig
from train.core.export import command_line
from train.core.run import Run
from train.core.sources import expand
from train.edge_detection.data import EdgeBank, EdgeSampler, annotated
from train.edge_detection.evaluate import Scores, detect, evaluate

SCALES = (0.5, 1.0, 1.5)  # of the photo, at which the exported detector evaluates it


@dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """The edge detector's training."""

    data: Paths  # photos of the edge maps: folder, tar or quoted pattern; repeat
    edges: Paths  # soft edge maps, matched by name; repeat
    annotated: Paths = ()  # photos with NAME.annotators.png; repeat
    val: Paths = ()  # annotated photos for validation; repeat
    val_photos: int = 12  # of them measured during the run; at its end all
    steps: int = 20_000  # length of the run
    eval_every: int = 1000  # steps between validations
    export: bool = False  # write the EMA weights at the end
    export_to: Path | None = None  # folder of the export; default OUT/export
    size: int = 224  # side of the crops in pixels
    batch: int = 6  # crops a step, all processes together
    lr: float = 2e-3  # of the new layers
    trunk: float = 0.1  # learning rate of the trunk as a share of it
    pretrained: bool = True  # start from a trunk trained on ImageNet
    weight_decay: float = 1e-2
    drawn: float = 0.5  # share of the crops from annotated photos; the others are from --data
    side: float = 0.4  # weight of each side output's loss beside the fusion's 1
    clip: float = 5.0  # largest norm of the gradient


def main(config: Config) -> None:
    if not 0 <= config.drawn < 1:
        raise InpaintError(f"The share of annotated photos is at least 0 and below 1, not {config.drawn}.")
    run = Run(config)

    # ---- network
    detector = EdgeDetector(scales=SCALES)
    if config.pretrained and config.init is None:
        load_imagenet(detector.trunk)
    trunk = list(detector.trunk.parameters())
    new = [each for name, each in detector.named_parameters() if not name.startswith("trunk.")]
    groups = [{"params": new, "lr": config.lr}, {"params": trunk, "lr": config.trunk * config.lr}]
    optimizer = AdamW(groups, config.lr, weight_decay=config.weight_decay, fused=True)
    predict = run.add("detector", detector, optimizer, ema=True)
    run.load()

    # ---- data
    banks, shares = [EdgeBank.of_maps(expand(config.data), expand(config.edges))], [1 - config.drawn]
    if config.annotated and config.drawn > 0:
        banks.append(EdgeBank.of_drawings(expand(config.annotated)))
        shares.append(config.drawn)
    rank, world = run.accelerator.process_index, run.accelerator.num_processes
    sampler = EdgeSampler(banks, shares, config.size, config.batch, config.seed, rank, world, run.device)
    held_out = annotated(expand(config.val)) if run.main and config.val else []

    def measure(count: int | None) -> Scores:
        chosen = held_out[:: max(1, len(held_out) // count)] if count else held_out
        maps = ((detect(run.ema["detector"], each.photo), each.drawings) for each in chosen)
        return evaluate(maps, 9 if count else 33)  # of 99 thresholds the best is hardly better

    # ---- the loop
    for step, crops in run.steps(sampler):
        fused, sides = predict(crops.image)
        losses = {"fused": balanced_cross_entropy(fused.float(), crops.edges, crops.known)}
        for level, side in enumerate(sides, start=1):
            whole = upsample(side.float(), 2**level, *fused.shape[-2:])
            losses[f"side_{level}"] = balanced_cross_entropy(whole, crops.edges, crops.known)
        loss = losses["fused"] + config.side * sum(losses[f"side_{level}"] for level in range(1, len(sides) + 1))
        run.log(gradient_norm=run.backward(loss, "detector", config.clip), **losses)
        if held_out and run.due(config.eval_every):
            scores = measure(config.val_photos)
            print(f"step {step + 1}: ODS {scores.ods:.3f}, OIS {scores.ois:.3f}", flush=True)
            run.log(**{"validation/ods": scores.ods, "validation/ois": scores.ois})

    # ---- export
    if config.export and run.main:
        # an interrupted run is measured on few photos, so that it ends soon
        figures = measure(None if run.complete else config.val_photos).summary() if held_out else {}
        write(config, run, figures)


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


def write(config: Config, run: Run, figures: dict[str, Any]) -> None:
    """Write the EMA detector as float16, and its manifest entry.

    Args:
        config: of the run.
        run: whose "detector" is written.
        figures: the entry's metrics; empty without validation photos.
    """
    validation = ", ".join(source.name for source in config.val)
    record = weights.save(
        sketch.DETECTOR,
        run.ema["detector"].state_dict(),
        {"scales": list(SCALES)},
        config.export_to or config.out / "export",
        command=command_line("train.edge_detection.train", sys.argv[1:]),
        data=", ".join(source.name for source in (*config.data, *config.edges, *config.annotated)),
        steps=run.step,
        images_seen=run.step * config.batch,
        metrics=figures and {**figures, "images": f"{validation}, tolerance 0.0075 of the diagonal"},
        licence="see MODEL_CARD.md",
        recipe={name: value for name, value in asdict(config).items() if not isinstance(value, Path | tuple)},
        minutes=round(run.elapsed / 60, 1),
        device=str(run.device),
        processes=run.accelerator.num_processes,
        complete=run.complete,
    )
    print(f"exported {record.file}, {record.bytes / 1e6:.1f} MB, after {run.step} steps")


if __name__ == "__main__":
    run_cli(main, Config)
