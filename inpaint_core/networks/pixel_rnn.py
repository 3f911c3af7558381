"""PixelRNN with Diagonal BiLSTM layers: every value sees the whole past of the image (van den Oord et al. 2016).

Departures from the paper: the width is a multiple of 3; fewer layers by default; both directions run side by side; an
empty column at the right, without which the last blue value of a row is lost to the next one; `distribution` may be a
mixture of logistics, whose parameters get a linear function of the pixels before added.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core.networks.layers.masked import MaskedConv2d
from inpaint_core.networks.pixel_network import Conditionals, PixelNetwork


def skew(image: Tensor) -> Tensor:
    """Shift each row one place further right than the one above: D x N x H x W x C -> (W + H - 1) x D x H x N x C.

    The first index counts columns of the skewed image, which are diagonals of the image: left and upper neighbours of
    a pixel stand in the column before, in the same row and in the row above (section 3.2, figure 3). 0 elsewhere.
    """
    directions, count, height, width, channels = image.shape
    columns = image.new_zeros(width + height - 1, directions, height, count, channels)
    unskew(columns, width).copy_(image)
    return columns


def unskew(columns: Tensor, width: int) -> Tensor:
    """A skewed image's pixels in their own places, a view: (W + H - 1) x D x H x N x C -> D x N x H x W x C."""
    _, directions, height, count, channels = columns.shape
    over, direction, row, sample, channel = columns.stride()
    return columns.as_strided(
        (directions, count, height, width, channels), (direction, sample, row + over, over, channel)
    )


def diagonal_sweep(gates: Tensor, weight: Tensor) -> Tensor:
    """Let LSTMs sweep images from the left upper corner; each state depends on its upper and its left neighbour.

    Args:
        gates: D x N x H x W x 4h, what the input adds to the gates of each of D directions, in the paper's order
            o, f, i, g: output, forget, input, content.
        weight: D x 2h x 4h, from the hidden states of the upper (first h) and the left neighbour.

    Returns:
        D x N x H x W x h hidden states.
    """
    states: Tensor = _DiagonalSweep.apply(gates, weight.to(gates.dtype))
    return states


def diagonal_step(gates: Tensor, above: Tensor, beside: Tensor, cell: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """One pixel of `diagonal_sweep` for one direction: hidden state and memory, (N, h) each.

    Args:
        gates: (N, 4h).
        above, beside: (N, h), hidden states of the upper neighbour and the one passed before.
        cell: (N, h), memory of the one passed before.
        weight: 2h x 4h.
    """
    o, f, i, g = (gates + torch.cat((above, beside), dim=-1) @ weight).chunk(4, dim=-1)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


def _rows(time: int, height: int, width: int) -> slice:
    """The rows of a skewed image that hold a pixel in column `time`."""
    return slice(max(0, time - width + 1), min(height, time + 1))


class _DiagonalSweep(torch.autograd.Function):
    """The recurrence over the columns of a skewed image; outside of the image all states are zero.

    It has its own backward pass: the steps of a sweep share a single product for the gradient of the weights, and
    nothing but gates and states is kept.
    """

    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor) -> Tensor:
        """D x N x H x W x 4h, D x 2h x 4h -> D x N x H x W x h."""
        width = gates.shape[3]
        gates = skew(gates)  # becomes the gates after their activations
        length, directions, height, count, _ = gates.shape
        size = weight.shape[-1] // 4
        before = gates.new_zeros(length, directions, height, count, 2 * size)  # hidden states above and beside
        cells = gates.new_zeros(length + 1, directions, height, count, size)  # one column later than the gates
        states = gates.new_zeros(length, directions, height, count, size)
        for time in range(length):
            rows = _rows(time, height, width)
            if time:
                first = max(rows.start, 1)
                before[time, :, first : rows.stop, :, :size] = states[time - 1, :, first - 1 : rows.stop - 1]
                before[time, :, rows, :, size:] = states[time - 1, :, rows]
            total = gates[time, :, rows].flatten(1, 2)  # (D, R N, 4h), a view
            total.baddbmm_(before[time, :, rows].flatten(1, 2), weight)
            total[..., : 3 * size].sigmoid_()
            total[..., 3 * size :].tanh_()
            o, f, i, g = gates[time, :, rows].chunk(4, dim=-1)
            cell = torch.mul(f, cells[time, :, rows]).addcmul_(i, g)
            cells[time + 1, :, rows] = cell
            states[time, :, rows] = cell.tanh_().mul_(o)
        ctx.save_for_backward(gates, weight, before, cells)
        ctx.width = width
        return unskew(states, width).contiguous()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the gates before their activations, and of the weight."""
        gates, weight, before, cells = ctx.saved_tensors
        length, directions, height, count, _ = gates.shape
        size = weight.shape[-1] // 4
        grad = skew(grads[0])
        across = weight.transpose(1, 2)
        slopes = torch.zeros_like(gates)
        hidden = gates.new_zeros(directions, height + 1, count, size)  # from later columns; one row too many below
        cell = gates.new_zeros(directions, height, count, size)
        sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
        tanh_backward = torch.ops.aten.tanh_backward
        for time in range(length - 1, -1, -1):
            rows = _rows(time, height, ctx.width)
            o, f, i, g = gates[time, :, rows].chunk(4, dim=-1)
            of_state = grad[time, :, rows] + hidden[:, rows]
            activated = cells[time + 1, :, rows].tanh()
            slope = slopes[time, :, rows]
            sigmoid_backward(of_state * activated, o, grad_input=slope[..., :size])
            of_cell = tanh_backward(of_state.mul_(o), activated).add_(cell[:, rows])
            sigmoid_backward(of_cell * cells[time, :, rows], f, grad_input=slope[..., size : 2 * size])
            sigmoid_backward(of_cell * g, i, grad_input=slope[..., 2 * size : 3 * size])
            tanh_backward.grad_input(of_cell * i, g, grad_input=slope[..., 3 * size :])
            cell[:, rows] = of_cell.mul_(f)
            back = torch.bmm(slope.flatten(1, 2), across).view(directions, -1, count, 2 * size)
            hidden.zero_()
            hidden[:, rows] = back[..., size:]
            first = max(rows.start, 1)
            hidden[:, first - 1 : rows.stop - 1] += back[:, first - rows.start :, :, :size]
        by_direction = [tensor.transpose(0, 1).flatten(1, 3) for tensor in (before, slopes)]  # (D, T H N, C)
        weights = torch.bmm(by_direction[0].transpose(1, 2), by_direction[1])
        return unskew(slopes, ctx.width).contiguous(), weights


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
        # Gates stand in the order o, f, i, g.
        bound = (2 * width) ** -0.5
        self.state = nn.Parameter(torch.empty(2, 2 * width, 4 * width).uniform_(-bound, bound))
        self.output = MaskedConv2d("B", width, features)

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H x W -> N x C x H x W: the input plus what the sweeps add to it."""
        left, right = self.sweep(features)
        # States of the sweep from the right depend on pixels to the right in their own row, which are the future: they
        # may only be used in the row below.
        right = F.pad(right, (0, 0, 1, 0))[:, :, :-1]
        return features + self.output(left + right)

    def sweep(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states of both LSTMs at each pixel: N x C x H x W -> two of N x h x H x W."""
        from_left, from_right = self.inputs[0](features), self.inputs[1](features).flip(-1)
        gates = torch.stack([side.permute(0, 2, 3, 1) for side in (from_left, from_right)])  # (2, N, H, W, 4h)
        left, right = diagonal_sweep(gates, self.state).permute(0, 1, 4, 2, 3).unbind(0)
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

    def conditionals(self, image: Tensor, row: int) -> Conditionals:
        """See `PixelNetwork.conditionals`."""
        return _CachedSweeps(self, image, row)


class _CachedSweeps(Conditionals):
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
            state = diagonal_step(layer.inputs[0](features)[:, :, 0, 0], above, hidden, cell, layer.state[0])
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
                state = diagonal_step(gates[:, column], above[:, column], *state, layer.state[1])
                above[:, column] = state[0]
            self.above[number, 0] = self.left[number, 0]
