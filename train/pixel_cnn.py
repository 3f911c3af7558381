"""Train PixelCNN: the likelihood of whole small photos, value by value.

One device:    python -m train.pixel_cnn --data 'shards/*.tar' --steps 100000 --out runs/pixel_cnn
Many:          accelerate launch -m train.pixel_cnn --data ... --steps 100000 --out runs/pixel_cnn
Go on:         the same with --resume
Weights only:  the same with --resume --export
The paper's:   --width 126 --blocks 15 --distribution softmax

Departs from the paper: a mixture of logistics in place of 256 free probabilities, which learns from fewer photos
and starts from the best linear prediction; Adam instead of RMSProp; a narrower network; scenes reduced to 32 px besides
or instead of CIFAR-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inpaint_core.networks.pixel_cnn import PixelCNN
from inpaint_core.networks.pixel_network import PixelNetwork
from train.core import options, pixels


@dataclass
class Recipe(pixels.Recipe):
    """What makes this training what it is."""

    width: int = 48  # features inside a block, the paper's h; a multiple of 3
    blocks: int = 8


class PixelCNNTraining(pixels.PixelTraining):
    """PixelCNN alone."""

    method = "pixel_cnn"
    recipe: Recipe

    def network(self) -> PixelNetwork:
        return PixelCNN(**self.arguments())

    def arguments(self) -> dict[str, Any]:
        r = self.recipe
        return {"width": r.width, "blocks": r.blocks, "distribution": r.distribution}


main = options.command(PixelCNNTraining, Recipe)

if __name__ == "__main__":
    options.start(main)
