"""LSTMs that sweep an image along its diagonals: skewing, and a recurrence that takes one step a column.

After Diagonal BiLSTM (van den Oord et al. 2016, section 3.2). The recurrence has its own backward pass: the steps of a
sweep share a single product for the gradient of the weights, and nothing but gates and states is kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


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


def sweep(gates: Tensor, weight: Tensor) -> Tensor:
    """Let LSTMs sweep images from the left upper corner; a pixel hears its upper and its left neighbour.

    Args:
        gates: D x N x H x W x 4h, what the input says to the LSTM of each of D directions, in the order out, forget,
            write, content.
        weight: D x 2h x 4h, from the hidden states of the upper (first h) and the left neighbour.

    Returns:
        D x N x H x W x h hidden states.
    """
    states: Tensor = _Sweep.apply(gates, weight.to(gates.dtype))
    return states


def step(gates: Tensor, above: Tensor, beside: Tensor, cell: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """One pixel of `sweep` for one direction: hidden state and memory, (N, h) each.

    Args:
        gates: (N, 4h).
        above, beside: (N, h), hidden states of the upper neighbour and the one passed before.
        cell: (N, h), memory of the one passed before.
        weight: 2h x 4h.
    """
    out, forget, write, content = (gates + torch.cat((above, beside), dim=-1) @ weight).chunk(4, dim=-1)
    cell = forget.sigmoid() * cell + write.sigmoid() * content.tanh()
    return out.sigmoid() * cell.tanh(), cell


def _rows(time: int, height: int, width: int) -> slice:
    """The rows of a skewed image that hold a pixel in column `time`."""
    return slice(max(0, time - width + 1), min(height, time + 1))


class _Sweep(torch.autograd.Function):
    """The recurrence over the columns of a skewed image; outside of the image all states are zero."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, weight: Tensor) -> Tensor:
        """D x N x H x W x 4h, D x 2h x 4h -> D x N x H x W x h."""
        width = gates.shape[3]
        gates = skew(gates)  # becomes the open gates
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
            out, forget, write, content = gates[time, :, rows].chunk(4, dim=-1)
            cell = torch.mul(forget, cells[time, :, rows]).addcmul_(write, content)
            cells[time + 1, :, rows] = cell
            states[time, :, rows] = cell.tanh_().mul_(out)
        ctx.save_for_backward(gates, weight, before, cells)
        ctx.width = width
        return unskew(states, width).contiguous()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the gates before they opened, and of the weight."""
        gates, weight, before, cells = ctx.saved_tensors
        length, directions, height, count, _ = gates.shape
        size = weight.shape[-1] // 4
        grad = skew(grads[0])
        across = weight.transpose(1, 2)
        slopes = torch.zeros_like(gates)
        hidden = gates.new_zeros(directions, height + 1, count, size)  # what later columns say; one row too many below
        cell = gates.new_zeros(directions, height, count, size)
        closed = torch.ops.aten.sigmoid_backward.grad_input
        for time in range(length - 1, -1, -1):
            rows = _rows(time, height, ctx.width)
            out, forget, write, content = gates[time, :, rows].chunk(4, dim=-1)
            said = grad[time, :, rows] + hidden[:, rows]
            opened = cells[time + 1, :, rows].tanh()
            slope = slopes[time, :, rows]
            closed(said * opened, out, grad_input=slope[..., :size])
            inner = torch.ops.aten.tanh_backward(said.mul_(out), opened).add_(cell[:, rows])
            closed(inner * cells[time, :, rows], forget, grad_input=slope[..., size : 2 * size])
            closed(inner * content, write, grad_input=slope[..., 2 * size : 3 * size])
            torch.ops.aten.tanh_backward.grad_input(inner * write, content, grad_input=slope[..., 3 * size :])
            cell[:, rows] = inner.mul_(forget)
            back = torch.bmm(slope.flatten(1, 2), across).view(directions, -1, count, 2 * size)
            hidden.zero_()
            hidden[:, rows] = back[..., size:]
            first = max(rows.start, 1)
            hidden[:, first - 1 : rows.stop - 1] += back[:, first - rows.start :, :, :size]
        by_direction = [tensor.transpose(0, 1).flatten(1, 3) for tensor in (before, slopes)]  # (D, T H N, C)
        weights = torch.bmm(by_direction[0].transpose(1, 2), by_direction[1])
        return unskew(slopes, ctx.width).contiguous(), weights
