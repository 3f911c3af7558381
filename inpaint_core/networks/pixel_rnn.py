"""PixelRNN with Diagonal BiLSTM layers: every value sees the whole past of the image (van den Oord et al. 2016).

Departures from the paper: the width is a multiple of 3; fewer layers by default; both directions run as one grouped
convolution; an empty column at the right, without which the last blue value of a row is lost to the next one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.masked import MaskedConv2d
from inpaint_core.networks.pixel_distribution import PixelNetwork


def skew(features: Tensor) -> Tensor:
    """Shift each row one place further right than the one above: N x C x H x W -> N x C x H x (W + H - 1).

    A column of the result is a diagonal of the image: left and upper neighbours of its pixels stand in the column
    before, in the same row and in the row above (section 3.2, figure 3).
    """
    height, width = features.shape[-2:]
    flat = F.pad(features, (0, height)).flatten(2)[..., :-height]  # each row now starts one place later
    return flat.unflatten(2, (height, width + height - 1))


def unskew(features: Tensor, width: int) -> Tensor:
    """Undo `skew`: N x C x H x (W + H - 1) -> N x C x H x W."""
    height = features.shape[-2]
    return F.pad(features.flatten(2), (0, height)).unflatten(2, (height, width + height))[..., :width]


class DiagonalBiLSTM(nn.Module):
    """Two LSTMs that sweep the image along its diagonals, from the left and from the right upper corner.

    Args:
        features: channels in and out, a multiple of 3.
        width: h, units of each LSTM, a multiple of 3.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.inputs = nn.ModuleList(MaskedConv2d("B", features, 4 * width, out_tiles=4) for _ in range(2))
        # State to state: 2 x 1 over the column before, i.e. the left and the upper neighbour; one group a direction.
        self.state = nn.Conv1d(2 * width, 8 * width, 2, groups=2)
        self.output = MaskedConv2d("B", width, features)

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C x H x W: the input plus what the sweeps add to it."""
        count, _, height, width = features.shape
        from_left = self.inputs[0](features)
        from_right = self.inputs[1](features.flip(-1))
        gates = skew(torch.cat((from_left, from_right), dim=1))  # (N, 8h, H, W + H - 1)
        hidden = features.new_zeros(count, 2 * self.width, height)
        cell = torch.zeros_like(hidden)
        states = []
        for column in gates.unbind(-1):
            total = column + self.state(F.pad(hidden, (1, 0)))  # (N, 8h, H)
            parts = total.unflatten(1, (2, 4, self.width))
            out, forget, write, content = parts.unbind(2)  # (N, 2, h, H) each
            cell = (forget.sigmoid() * cell.view_as(out) + write.sigmoid() * content.tanh()).flatten(1, 2)
            hidden = (out.sigmoid() * cell.view_as(out).tanh()).flatten(1, 2)
            states.append(hidden)
        left, right = unskew(torch.stack(states, dim=-1), width).chunk(2, dim=1)
        # The sweep from the right knows pixels to the right in its own row, which are the future: it may only speak
        # to the row below.
        right = F.pad(right.flip(-1), (0, 0, 1, 0))[:, :, :-1]
        return features + self.output(left + right)


class PixelRNN(PixelNetwork):
    """7 x 7 masked convolution of kind A, Diagonal BiLSTM layers, two 1 x 1 layers, a distribution for each value.

    Args:
        width: h of the paper, units of an LSTM; the stream between layers has twice as many. A multiple of 3.
        layers: Diagonal BiLSTM layers, 12 in the paper for CIFAR-10.
        distribution: "softmax" over 256 values (the paper) or "logistic_mixture".
    """

    def __init__(self, width: int = 63, layers: int = 7, distribution: str = "softmax") -> None:
        super().__init__(distribution)
        features = 2 * width
        self.first = MaskedConv2d("A", 3, features, 7)
        self.layers = nn.Sequential(*(DiagonalBiLSTM(features, width) for _ in range(layers)))
        self.last = nn.Sequential(
            nn.ReLU(),
            MaskedConv2d("B", features, features),
            nn.ReLU(),
            MaskedConv2d("B", features, 3 * self.distribution.parameters),
        )

    def forward(self, image: Tensor) -> Tensor:
        """N x 3 x H x W in [0, 1] -> N x P x 3 x H x W parameters of each value's distribution."""
        # One empty column more at the right: a pixel's blue is first seen by the next pixel of its row, which the last
        # pixel of a row would not have; so its blue would be hidden from the beginning of the next row.
        padded = F.pad((image * 2 - 1).to(self.first.weight.dtype), (0, 1))
        features = self.layers(self.first(padded))[..., :-1]
        return torch.unflatten(self.last(features), 1, (3, -1)).transpose(1, 2)
