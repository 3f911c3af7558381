"""Train PixelRNN with Diagonal BiLSTM layers: the likelihood of whole small photos, value by value.

One device:    python -m train.pixel_rnn --data 'shards/*.tar' --steps 100000 --out runs/pixel_rnn
Many:          accelerate launch -m train.pixel_rnn --data ... --steps 100000 --out runs/pixel_rnn
Go on:         the same with --resume
Weights only:  the same with --resume --export
The paper's:   --width 126 --layers 12 --distribution softmax

Departs from the paper: a mixture of logistics in place of 256 free probabilities, which learns from fewer photos
and starts from the best linear prediction; Adam instead of RMSProp; a narrower network; scenes reduced to 32 px besides
or instead of CIFAR-10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inpaint_core.networks.pixel_network import PixelNetwork
from inpaint_core.networks.pixel_rnn import PixelRNN
from train.core import options, pixels


@dataclass
class Recipe(pixels.Recipe):
    """What makes this training what it is."""

    width: int = 48  # units of an LSTM, the paper's h; a multiple of 3
    layers: int = 3


class PixelRNNTraining(pixels.PixelTraining):
    """PixelRNN alone."""

    method = "pixel_rnn"
    recipe: Recipe

    def network(self) -> PixelNetwork:
        return PixelRNN(**self.arguments())

    def arguments(self) -> dict[str, Any]:
        r = self.recipe
        return {"width": r.width, "layers": r.layers, "distribution": r.distribution}


main = options.command(PixelRNNTraining, Recipe)

if __name__ == "__main__":
    options.start(main)
