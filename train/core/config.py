"""The options that training scripts share, as dataclasses; the comment of a field is its help on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

Paths = tyro.conf.UseAppendAction[tuple[Path, ...]]
"""Paths of an option that is repeated: `--data photos/ --data 'shards/*.tar'`."""

Masks = tuple[tuple[str, float], ...]
"""Kinds of masks (keys of `inpaint_core.masks.GENERATORS`) and their weights: `--masks box 0.7 centre 0.3`."""

MIXED_MASKS: Masks = (
    ("free_form", 0.2),
    ("irregular", 0.2),
    ("deepfill", 0.15),
    ("narrow", 0.1),
    ("wide", 0.1),
    ("box", 0.1),
    ("centre", 0.15),
)
"""Thin and thick strokes, walks and boxes of several makes: the masks of users are not those of any one paper."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A run: where it is written, how long it lasts, how its networks are optimised."""

    out: Path  # folder of the run: checkpoints, logs, grids, exports
    resume: bool = False  # continue from the checkpoint in --out
    init: Path | None = None  # start from these weights: an export, its critics beside it, or a run's last.pt
    steps: int = 100_000  # length of the run
    minutes: float | None = None  # length of this session; --resume continues
    total_minutes: float | None = None  # length of the run, and of its learning rate schedule, all sessions together
    checkpoint_minutes: float = 5.0  # time between checkpoints
    log_every: int = 10  # steps between log entries
    batch: int = 8  # images a step, all processes together
    accumulate: int = 1  # steps whose gradients are summed before an optimizer step
    seed: int = 0
    precision: Literal["bf16", "no"] = "bf16"  # autocast; "no" is float32
    warmup: int = 100  # steps over which the learning rate grows from zero
    cosine: bool = True  # let the learning rate fall to zero as a cosine
    ema_decay: float = 0.998  # of the exponential moving average of the weights, which is what is exported


@dataclass(frozen=True, kw_only=True)
class ExportConfig(RunConfig):
    """A run whose network ends in a checkpoint file."""

    data: Paths  # folder, tar, zip or quoted pattern of photos; repeat for more groups
    val: Paths = ()  # validation photos of 256 px or more
    eval_every: int = 500  # steps between validations
    export: bool = False  # write the EMA weights (and the critics) at the end
    export_to: Path | None = None  # folder of the export; default OUT/export
    stored: Literal["auto", "float16", "int8", "float32"] = "auto"  # auto: int8 where float16 passes 10 MB

    @property
    def sources(self) -> tuple[Path, ...]:
        """Everything that is learned from, for the manifest."""
        return self.data

    @property
    def measured_on(self) -> str:
        """What the figures of the validation are of, for the manifest."""
        return ", ".join(source.name for source in self.val)


@dataclass(frozen=True, kw_only=True)
class PhotoConfig(ExportConfig):
    """A run that trains on photos: which ones, how large, how often it validates."""

    mix: tuple[float, ...] = ()  # weight of each --data; default: its number of photos
    val_small: Paths = ()  # validation photos of the training size
    size: int = 128  # side of the training crops in pixels
    grid_every: int = 250  # steps between pictures of validation fills
    cache: Path | None = None  # folder for decoded photos; default OUT/cache

    @property
    def measured_on(self) -> str:
        """The validation photos, and what is cut out of them."""
        photos = ", ".join(source.name for source in (*self.val_small, *self.val))
        return f"central squares of {photos}; see train/core/validation.py"


@dataclass(frozen=True, kw_only=True)
class HoleConfig(PhotoConfig):
    """A run that learns to fill holes in crops of the photos."""

    masks: Masks = MIXED_MASKS  # kinds of holes and their weights
    zoom: float = 1.0  # smallest crop as a share of --size; below 1 small crops are enlarged
