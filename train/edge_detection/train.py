"""Train the edge detector of sketches: holistically-nested edge detection (Xie and Tu, 2015).

One device:    python -m train.edge_detection.train --data 'photos-*.tar' --edges 'maps-*.tar' \\
                   --annotated bsds500-train.tar --val bsds500-val.tar --steps 20000 --out runs/edge_detector --export
Many:          accelerate launch -m train.edge_detection.train ...
Go on:         the same with --resume
Weights only:  the same with --resume --export

The paper's: a trunk pretrained on ImageNet, tuned at a lower rate than what is new; class-balanced cross-entropy on the
side outputs and on their fusion; mirrored, turned and scaled photos with all annotators' drawings, a pixel counts as an
edge where at least half of them agree, and lines that fewer drew count as nothing.

Departs from the paper: beside the 200 annotated photos it learns the soft maps of a published detector on more of them,
so that it knows other photos, too; there the weights are balanced in the same way, in proportion to the teacher's own
probability. AdamW and a cosine in place of SGD. The detector looks at a photo in three sizes.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer
from torchvision.models import SqueezeNet1_1_Weights

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.edge_detector import EdgeDetector, upsample
from train.core import options, session
from train.core.engine import Engine
from train.core.sources import expand
from train.edge_detection.data import EdgeBank, EdgeBatch, EdgeSampler, annotated
from train.edge_detection.evaluate import Scores, detect, evaluate

SCALES = (0.5, 1.0, 1.5)  # sizes of a photo that the exported detector looks at


@dataclass
class Recipe:
    """What makes this training what it is."""

    size: int = 224  # side of the crops
    batch: int = 6  # crops a step, all processes together
    rate: float = 2e-3  # of what is new
    trunk: float = 0.1  # the trunk's rate, as a share of it
    pretrained: bool = True  # the trunk begins with what it learned on ImageNet
    weight_decay: float = 1e-2
    average_decay: float = 0.998  # of the weights that are exported
    warmup: int = 100  # steps over which the rates rise
    cosine: bool = True  # let the rates fall as a cosine
    drawn: float = 0.5  # share of the crops from annotated photos, the others are the teacher's
    side: float = 0.4  # weight of each side output's loss beside the fusion's 1
    clip: float = 5.0  # largest norm of the gradient
    seed: int = 0


@dataclass(kw_only=True)
class Session(session.Course):
    """A course, the edges it learns and those it is measured on."""

    data: list[Path] = field(metadata={"help": "photos of the teacher's maps: folder, tar shard or pattern; repeat"})
    edges: list[Path] = field(metadata={"help": "the teacher's soft edge maps, matched by name; repeat"})
    annotated: list[Path] | None = field(default=None, metadata={"help": "photos with NAME.annotators.png; repeat"})
    val: list[Path] | None = field(default=None, metadata={"help": "annotated photos that are only measured on"})
    val_photos: int = field(default=12, metadata={"help": "of them measured during the run; at its end all"})
    steps: int = field(default=20_000, metadata={"help": "length of the run"})
    eval_every: int = field(default=1000, metadata={"help": "steps between validations"})


class EdgeTraining(session.Training):
    """The detector alone. It is called "generator" here, for that is what the skeleton averages and starts from."""

    method = "edge_detector"
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.detector = EdgeDetector(**self.arguments())
        self.networks = {"generator": self.detector}

    def arguments(self) -> dict[str, Any]:
        return {"scales": list(SCALES)}

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        new = [each for name, each in self.detector.named_parameters() if not name.startswith("trunk.")]
        trunk = list(self.detector.trunk.parameters())
        groups: list[dict[str, Any]] = [{"params": new}, {"params": trunk, "lr": r.trunk * r.rate}]
        return {"generator": AdamW(groups, r.rate, weight_decay=r.weight_decay, fused=True)}

    def step(self, engine: Engine, photos: EdgeBatch, dice: Generator) -> dict[str, Tensor]:  # type: ignore[override]
        fused, sides = engine.wrapped["generator"](photos.image)
        size = fused.shape[-2:]
        log = {"fused": balanced_cross_entropy(fused.float(), photos.edges, photos.known)}
        wholes = [upsample(side.float(), 2 ** (level + 1), *size) for level, side in enumerate(sides)]
        losses = [balanced_cross_entropy(each, photos.edges, photos.known) for each in wholes]
        log |= {f"side_{number + 1}": loss for number, loss in enumerate(losses)}
        loss = log["fused"] + self.recipe.side * torch.stack(losses).sum()
        log["gradient"] = engine.update("generator", loss, self.recipe.clip)
        return {name: value.detach() for name, value in log.items()}


def balanced_cross_entropy(logits: Tensor, edges: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy in which the few edge pixels of a photo weigh as much as the many others (the paper's equation 2).

    Args:
        logits: N x 1 x H x W.
        edges: N x 1 x H x W in [0, 1]; soft ones count on both sides, in proportion.
        known: N x 1 x H x W, 0 = the pixel counts as nothing.

    Returns:
        The mean over the photos, a scalar.
    """
    positive = (edges * known).sum((1, 2, 3), keepdim=True)
    count = known.sum((1, 2, 3), keepdim=True).clamp_min(1)
    share = (positive / count).clamp(0.02, 0.5)  # a photo without edges must not weigh its one stray pixel above all
    weight = known * (edges * (1 - share) + (1 - edges) * share)
    loss = F.binary_cross_entropy_with_logits(logits, edges, reduction="none") * weight
    return (loss.sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp_min(1e-6)).mean()


def load_imagenet(detector: EdgeDetector) -> None:
    """Give the trunk torchvision's weights, from torch hub's folder (`TORCH_HOME`), downloaded into it if need be.

    Raises:
        InpaintError: they are not there and cannot be downloaded.
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
    weights.load_into(detector.trunk, features, kind.url)


def run(training: EdgeTraining, where: Session) -> Engine:
    """Train, measure, export; returns the engine at the end of the session.

    Raises:
        InpaintError: `init` is no checkpoint of this network, or the pretrained trunk is not to be had.
        FileNotFoundError: data that is not there.
        NonFiniteLoss: see `Engine.fit`.
    """
    recipe = training.recipe
    if not 0 <= recipe.drawn < 1:
        raise InpaintError(f"The share of annotated photos is at least 0 and below 1, not {recipe.drawn}.")
    if recipe.pretrained and where.init is None:
        load_imagenet(training.detector)
    engine = session.begin(training, where)
    banks = [EdgeBank.of_teacher(expand(where.data), expand(where.edges))]
    shares = [1 - recipe.drawn]
    if where.annotated and recipe.drawn > 0:
        banks.append(EdgeBank.of_people(expand(where.annotated)))
        shares.append(recipe.drawn)
    accelerator = engine.accelerator
    place = accelerator.process_index, accelerator.num_processes
    sampler = EdgeSampler(banks, shares, recipe.size, recipe.batch, recipe.seed, *place, engine.device)
    held_back = annotated(expand(where.val)) if engine.main and where.val else []

    def measure(count: int | None) -> Scores:
        assert engine.average is not None
        chosen = held_back[:: max(1, len(held_back) // count)] if count else held_back
        maps = ((detect(engine.average, each.photo), each.drawings) for each in chosen)
        return evaluate(maps, 9 if count else 33)  # of 99 thresholds the best is hardly better

    def validate() -> None:
        scores = measure(where.val_photos)
        print(f"step {engine.step}: ODS {scores.ods:.3f}, OIS {scores.ois:.3f}", flush=True)
        if engine.writer is not None:
            engine.writer.add_scalar("validation/ods", scores.ods, engine.step)
            engine.writer.add_scalar("validation/ois", scores.ois, engine.step)

    every = [(where.eval_every, validate)] if held_back else []
    dice = Generator()  # everything random is in the batch
    complete = engine.fit(lambda number: training.step(engine, sampler(number), dice), every)
    if engine.main and where.export:
        # who stops a run does not want to wait for all photos
        scores = measure(None if complete else where.val_photos) if held_back else None
        export(training, where, engine, scores, complete)
    return engine


def export(training: EdgeTraining, where: Session, engine: Engine, scores: Scores | None, complete: bool) -> None:
    """Write the averaged detector as float16, and its manifest entry."""
    assert engine.average is not None
    sources = [*where.data, *where.edges, *(where.annotated or ())]
    metrics: dict[str, Any] = {}
    if scores is not None:
        photos = ", ".join(source.name for source in where.val or ())
        metrics = {**scores.summary(), "images": f"{photos}, tolerance 0.0075 of the diagonal"}
    record = weights.save(
        training.method,
        engine.average.state_dict(),
        training.arguments(),
        where.export_to or where.out / "export",
        command=session.told(training, sys.argv[1:]),
        data=", ".join(source.name for source in sources),
        steps=engine.step,
        images_seen=engine.step * training.recipe.batch,
        metrics=metrics,
        licence="see MODEL_CARD.md",
        recipe=asdict(training.recipe),
        minutes=round(engine.elapsed / 60, 1),
        device=str(engine.device),
        processes=engine.accelerator.num_processes,
        complete=complete,
    )
    print(f"exported {record.file}, {record.bytes / 1e6:.1f} MB, after {engine.step} steps")


main = options.command(EdgeTraining, Recipe, Session, run)

if __name__ == "__main__":
    options.start(main)
