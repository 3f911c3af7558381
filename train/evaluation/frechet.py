"""What is measured and shown of a network that draws pictures from nothing: Fréchet distance and a sheet of samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inpaint_core import metrics
from train.core.validation import Fill

Draw = Callable[[int], Tensor]
"""How many -> so many samples, N x 3 x S x S in [0, 1], on the CPU: at every call of the same latents."""

SHEET = (8, 16)  # rows and columns of samples


def features(images: Tensor, batch: int = 64) -> Tensor:
    """AlexNet features of N x 3 x S x S in [0, 1]: N x 256."""
    with torch.inference_mode():
        return torch.cat([metrics.alexnet_features(some) for some in images.split(batch)])


class SampleCheck:
    """A check (see `train.core.session.Check`) of samples against photos that were not trained on.

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

    def measure(self, fill: Fill, step: int, images_seen: int, sketch: bool = False) -> dict[str, Any]:
        """The Fréchet distance of the samples; fills are not looked at."""
        distance = float(metrics.frechet_distance(features(self.draw(self.count)), self.features))
        result = {f"samples_{self.size}": {"frechet": distance, "photos": self.count}}
        with (self.out / "validation.jsonl").open("a") as log:
            log.write(json.dumps({"step": step, "images_seen": images_seen, **result}) + "\n")
        return result

    def grid(self, fill: Fill, step: int, sketch: bool = False) -> Path:
        """A sheet of samples, the same latents in every sheet."""
        rows, columns = SHEET
        samples = self.draw(rows * columns)
        lines = [torch.cat(list(row), 2) for row in samples.split(columns)]
        pixels = torch.cat(lines, 1).mul(255).round().clamp(0, 255).to(torch.uint8)
        path = self.out / "grids" / f"{step:07d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())).save(path)
        return path
