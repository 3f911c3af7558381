"""Train the edge detector of sketches: holistically-nested edge detection (Xie and Tu, 2015).

One device:    python -m train.edges --data 'photos-*.tar' --edges 'maps-*.tar' --annotated bsds500-train.tar \\
                   --val bsds500-val.tar --steps 20000 --out runs/hed --export
Many:          accelerate launch -m train.edges ...
Go on:         the same with --resume
Weights only:  the same with --resume --export

The paper's: class-balanced cross-entropy on the five side outputs and on their fusion; mirrored, turned and scaled
photos with all annotators' drawings, a pixel counts as an edge where at least half of them agree, and lines that fewer
drew count as nothing.

Departs from the paper: the annotated photos are 200, too few for a network that starts from nothing, so it also learns
the soft maps of a published detector on more photos; there the weights are balanced in the same way, in proportion to
the teacher's own probability. AdamW and a cosine in place of SGD.
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

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.hed import HED, enlarged

from . import options, session
from .edge_data import EdgeBank, EdgeBatch, EdgeSampler, annotated
from .engine import Engine
from .evaluate_edges import Scores, detect, evaluate
from .sources import expand


@dataclass
class Recipe:
    """What makes this training what it is."""

    size: int = 160  # side of the crops
    batch: int = 12  # crops a step, all processes together
    rate: float = 2e-3
    weight_decay: float = 1e-2
    average_decay: float = 0.998  # of the weights that are exported
    warmup: int = 100  # steps over which the rate rises
    drawn: float = 0.25  # share of the crops from annotated photos, the others are the teacher's
    side: float = 0.4  # weight of each side output's loss beside the fusion's 1
    clip: float = 5.0  # largest norm of the gradient
    seed: int = 0


@dataclass
class Session:
    """Where a run gets its photos, where it goes, and how long it lasts."""

    data: list[Path] = field(metadata={"help": "photos of the teacher's maps: folder, tar shard or pattern; repeat"})
    edges: list[Path] = field(metadata={"help": "the teacher's soft edge maps, matched by name; repeat"})
    out: Path = field(metadata={"help": "the run's folder"})
    annotated: list[Path] | None = field(default=None, metadata={"help": "photos with NAME.annotators.png; repeat"})
    val: list[Path] | None = field(default=None, metadata={"help": "annotated photos that are only measured on"})
    val_photos: int = field(default=12, metadata={"help": "of them measured during the run; at its end all"})
    steps: int = field(default=20_000, metadata={"help": "length of the run"})
    minutes: float | None = field(default=None, metadata={"help": "end this session gracefully after so long"})
    total_minutes: float | None = field(default=None, metadata={"help": "end the run, and the cosine, after so long"})
    checkpoint_minutes: float = field(default=5.0, metadata={"help": "time between checkpoints"})
    eval_every: int = field(default=1000, metadata={"help": "steps between validations"})
    init: Path | None = field(default=None, metadata={"help": "start from these exported weights or a run's last.pt"})
    resume: bool = field(default=False, metadata={"help": "go on from the run's checkpoint"})
    export: bool = field(default=False, metadata={"help": "write the averaged weights at the end"})
    export_to: Path | None = field(
        default=None, metadata={"help": "folder of weights and manifest; default OUT/export"}
    )
    precision: str = field(default="bf16", metadata={"help": "bf16 or no"})


class EdgeTraining(session.Training):
    """The detector alone. It is called "generator" here, for that is what the skeleton averages and starts from."""

    method = "hed"
    recipe: Recipe

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        torch.manual_seed(recipe.seed)
        self.detector = HED(**self.arguments())
        self.networks = {"generator": self.detector}

    def arguments(self) -> dict[str, Any]:
        return {}

    def optimizers(self) -> dict[str, Optimizer]:
        r = self.recipe
        return {"generator": AdamW(self.detector.parameters(), r.rate, weight_decay=r.weight_decay, fused=True)}

    def step(self, engine: Engine, photos: EdgeBatch, dice: Generator) -> dict[str, Tensor]:  # type: ignore[override]
        fused, sides = engine.wrapped["generator"](photos.image)
        size = fused.shape[-2:]
        log = {"fused": balanced_cross_entropy(fused.float(), photos.edges, photos.known)}
        wholes = [enlarged(side.float(), 2 ** (level + 1), *size) for level, side in enumerate(sides)]
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


def run(training: EdgeTraining, where: Session) -> Engine:
    """Train, measure, export; returns the engine at the end of the session.

    Raises:
        InpaintError: `init` is no checkpoint of this network.
        FileNotFoundError: data that is not there.
        NonFiniteLoss: see `Engine.fit`.
    """
    recipe = training.recipe
    if not 0 <= recipe.drawn < 1:
        raise InpaintError(f"The share of annotated photos is at least 0 and below 1, not {recipe.drawn}.")
    if where.init is not None:
        session.start_from(training, where.init)
    engine = Engine(
        where.out,
        training.networks,
        training.optimizers(),
        steps=where.steps,
        average_decay=recipe.average_decay,
        warmup=recipe.warmup,
        total_minutes=where.total_minutes,
        minutes=where.minutes,
        checkpoint_minutes=where.checkpoint_minutes,
        precision=where.precision,
    )
    engine.images_per_step = recipe.batch
    if where.resume:
        engine.resume()
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
