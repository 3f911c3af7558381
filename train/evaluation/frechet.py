"""Fréchet distance and sheets of samples: what is measured and shown of a network that draws pictures from nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torchvision.utils import save_image

from inpaint_core import metrics

Draw = Callable[[int], Tensor]
"""How many -> so many samples, N x 3 x S x S in [0, 1], on the CPU: at every call of the same latents."""

SHEET = (8, 16)  # rows and columns of samples


def features(images: Tensor, batch: int = 64) -> Tensor:
    """AlexNet features of N x 3 x S x S in [0, 1]: N x 256."""
    with torch.inference_mode():
        return torch.cat([metrics.alexnet_features(some) for some in images.split(batch)])


class SampleCheck:
    """What a run measures and shows now and then: samples against photos that were not trained on.

    The distance depends on the number of photos: compare figures of the same set only.

    Args:
        out: the run's folder; figures go to `validation.jsonl`, sheets of samples to `grids/`.
        photos: N x 3 x S x S in [0, 1], N of 2 or more; as many samples are drawn.
        draw: makes the samples.

    Raises:
        InpaintError: AlexNet's weights are absent.
    """

    def __init__(self, out: Path, photos: Tensor, draw: Draw) -> None:
        self.out, self.draw = out, draw
        self.count, self.size = len(photos), photos.shape[-1]
        self.features = features(photos)

    def measure(self, fill: object, step: int, images_seen: int, sketch: bool = False) -> dict[str, Any]:
        """The Fréchet distance of the samples, appended to the log; fills are not looked at."""
        distance = float(metrics.frechet_distance(features(self.draw(self.count)), self.features))
        result = {f"samples_{self.size}": {"frechet": distance, "photos": self.count}}
        with (self.out / "validation.jsonl").open("a") as log:
            log.write(json.dumps({"step": step, "images_seen": images_seen, **result}) + "\n")
        return result

    def grid(self, fill: object, step: int, sketch: bool = False) -> Path:
        """A sheet of samples, the same latents in every sheet."""
        rows, columns = SHEET
        path = self.out / "grids" / f"{step:07d}.png"
        path.parent.mkdir(exist_ok=True)
        save_image(self.draw(rows * columns), path, nrow=columns, padding=0)
        return path
