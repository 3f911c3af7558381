"""Short runs of training scripts, and what they leave behind."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from train.core.checkpoint import CHECKPOINT

SIZE = 64
SHORT: dict[str, Any] = {"size": SIZE, "batch": 2, "precision": "no", "warmup": 1, "cosine": False, "log_every": 1}


def train(script: ModuleType, photos: Path, out: Path, **options: Any) -> None:
    """A whole session of `script` in this process."""
    script.main(script.Config(**{"data": (photos,), "out": out, "cache": out.parent / "cache", **SHORT, **options}))


def scalars(out: Path) -> dict[str, dict[int, float]]:
    """What a run has logged: values by step number, from 1, by name."""
    events = EventAccumulator(str(out / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    return {name: {each.step: each.value for each in events.Scalars(name)} for name in events.Tags()["scalars"]}


def checkpoint(out: Path) -> dict[str, Any]:
    """The state of a run as it was saved last."""
    return torch.load(out / CHECKPOINT, weights_only=True)
