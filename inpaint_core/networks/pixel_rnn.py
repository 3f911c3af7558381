"""PixelRNN with Diagonal BiLSTM layers: every value sees the whole past of the image (van den Oord et al. 2016).

Departures from the paper: the width is a multiple of 3; fewer layers by default; both directions run side by side; an
empty column at the right, without which the last blue value of a row is lost to the next one; `distribution` may be a
mixture of logistics, whose parameters get a linear function of the pixels before added.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers import diagonal
from inpaint_core.networks.layers.masked import MaskedConv2d
from inpaint_core.networks.pixel_distribution import PixelNetwork, Reader


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
        # State to state: 2 x 1 over the column before, i.e. the upper and the left neighbour, for each direction.
        # Gates stand in the order out, forget, write, content.
        bound = (2 * width) ** -0.5
        self.state = nn.Parameter(torch.empty(2, 2 * width, 4 * width).uniform_(-bound, bound))
        self.output = MaskedConv2d("B", width, features)

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C x H x W: the input plus what the sweeps add to it."""
        left, right = self.sweep(features)
        # The sweep from the right knows pixels to the right in its own row, which are the future: it may only speak
        # to the row below.
        right = F.pad(right, (0, 0, 1, 0))[:, :, :-1]
        return features + self.output(left + right)

    def sweep(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states of both LSTMs at each pixel: N x C x H x W -> two of N x h x H x W."""
        from_left, from_right = self.inputs[0](features), self.inputs[1](features).flip(-1)
        gates = torch.stack([side.permute(0, 2, 3, 1) for side in (from_left, from_right)])  # (2, N, H, W, 4h)
        left, right = diagonal.sweep(gates, self.state).permute(0, 1, 4, 2, 3).unbind(0)
        return left, right.flip(-1)


class PixelRNN(PixelNetwork):
    """7 x 7 masked convolution of kind A, Diagonal BiLSTM layers, two 1 x 1 layers, a distribution for each value.

    Args:
        width: h of the paper, units of an LSTM; the stream between layers has twice as many. A multiple of 3.
        layers: Diagonal BiLSTM layers, 12 in the paper for CIFAR-10.
        distribution: "softmax" over 256 values (the paper) or "logistic_mixture".
    """

    def __init__(self, width: int = 63, layers: int = 7, distribution: str = "softmax") -> None:
        super().__init__(2 * width, distribution)
        self.layers = nn.ModuleList(DiagonalBiLSTM(2 * width, width) for _ in range(layers))

    def stream(self, image: Tensor) -> Tensor:
        """See `PixelNetwork.stream`."""
        # One empty column more at the right: a pixel's blue is first seen by the next pixel of its row, which the last
        # pixel of a row would not have; so its blue would be hidden from the beginning of the next row.
        features = self.first(F.pad(image, (0, 1)))
        for layer in self.layers:
            features = layer(features)
        return features[..., :-1]

    def reader(self, image: Tensor, row: int) -> Reader:
        """See `PixelNetwork.reader`."""
        return _CachedSweeps(self, image, row)


class _CachedSweeps(Reader):
    """Keeps the LSTMs' states of the row above and of the row being drawn, so that a pixel costs one step a layer.

    Args:
        network: the network.
        image: N x 3 x H x W in [0, 1], to be drawn into by the caller from `row` on.
        row: the first row that changes.
    """

    def __init__(self, network: PixelRNN, image: Tensor, row: int) -> None:
        self.image, self.row, self.column = image, row, 0
        count, _, _, width = image.shape
        self.width = width + 1  # with the empty column
        self.layers = [layer for layer in network.layers if isinstance(layer, DiagonalBiLSTM)]
        layers, size = len(self.layers), self.layers[0].width
        # Both directions' hidden states of the row above, in the order of the image's columns.
        self.above = image.new_zeros(layers, 2, count, self.width, size)
        self.features = image.new_zeros(layers, count, network.first.out_channels, self.width)  # each layer's input
        self.left = image.new_zeros(layers, 2, count, self.width, size)  # hidden state and memory in this row
        self.first = network.first.past()
        self.ends = [layer.past() for layer in network.last if isinstance(layer, MaskedConv2d)]
        self.direct = network.direct.past() if network.direct is not None else None
        if row:
            features = network.first(F.pad(image[:, :, :row] * 2 - 1, (0, 1)))
            for number, layer in enumerate(self.layers):
                left, right = layer.sweep(features)
                self.above[number] = torch.stack((left[:, :, -1], right[:, :, -1])).transpose(2, 3)
                features = features + layer.output(left + F.pad(right, (0, 0, 1, 0))[:, :, :-1])

    def __call__(self, row: int, column: int, colour: int) -> Tensor:
        while self.row < row:
            while self.column < self.width:
                self._pixel(self.row, self.column)
                self.column += 1
            self._end_row()
            self.row, self.column = self.row + 1, 0
        while self.column < column:
            self._pixel(row, self.column)
            self.column += 1
        stream, around = self._pixel(row, column)
        parameters = self.ends[1](F.relu(self.ends[0](F.relu(stream))))
        if self.direct is not None:
            parameters = parameters + self.direct(around)
        return parameters[:, :, 0, 0].unflatten(1, (3, -1))[:, colour]

    def _around(self, row: int, column: int) -> Tensor:
        """The 4 x 7 colours that a pixel of the first layer sees, N x 3 x 4 x 7 in [-1, 1], 0 outside the image."""
        top, left, right = max(row - 3, 0), max(column - 3, 0), min(column + 4, self.width - 1)
        seen = self.image[:, :, top : row + 1, left:right] * 2 - 1
        return F.pad(seen, (left - (column - 3), column + 4 - right, top - (row - 3), 0))

    def _pixel(self, row: int, column: int) -> tuple[Tensor, Tensor]:
        """One step of every layer: the stream, N x C x 1 x 1, and the colours around; brings them into the cache."""
        around = self._around(row, column)
        features = self.first(around)  # (N, C, 1, 1)
        for number, layer in enumerate(self.layers):
            self.features[number, :, :, column] = features[:, :, 0, 0]
            above, right = self.above[number, :, :, column]
            hidden, cell = self.left[number, :, :, column - 1] if column else self.left.new_zeros(2, *above.shape)
            state = diagonal.step(layer.inputs[0](features)[:, :, 0, 0], above, hidden, cell, layer.state[0])
            self.left[number, 0, :, column], self.left[number, 1, :, column] = state
            features = features + layer.output((state[0] + right)[:, :, None, None])
        return features, around

    def _end_row(self) -> None:
        """The row is complete: let the LSTMs from the right pass it, and make it the row above."""
        for number, layer in enumerate(self.layers):
            gates = layer.inputs[1](self.features[number][:, :, None])[:, :, 0].transpose(1, 2)  # (N, W, 4h)
            above = self.above[number, 1]  # (N, W, h)
            state = torch.zeros_like(above[:, 0]), torch.zeros_like(above[:, 0])
            for column in range(self.width - 1, -1, -1):
                state = diagonal.step(gates[:, column], above[:, column], *state, layer.state[1])
                above[:, column] = state[0]
            self.above[number, 0] = self.left[number, 0]
