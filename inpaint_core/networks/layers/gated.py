"""Gated convolution: every pixel of every feature decides how much of itself passes (DeepFill v2, section 3.1)."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inpaint_core.networks.layers.padding import memory_format_of, same_conv2d


class GatedConv2d(nn.Module):
    """activation(features) * sigmoid(gate), both of them convolutions of the same input.

    `channels` counts what comes OUT. The papers' "width" counts convolution outputs and is twice that: half of them are
    features, half are gates. One parameter `weight` holds both halves (features first), as public weights do, but the
    halves are never left strided: on a CPU, element-wise kernels are several times faster on contiguous memory. A fill
    runs two convolutions, and a training step one convolution and two copies.

    Args:
        in_channels: channels of the input.
        channels: channels of the result.
        kernel_size: side of the square kernel.
        stride: step of the convolution; padding is TensorFlow's "SAME".
        dilation: distance between the kernel's taps.
        activation: applied to the features, not to the gate.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        dilation: int = 1,
        activation: Callable[[Tensor], Tensor] = F.elu,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.stride = stride
        self.dilation = dilation
        self.activation = activation
        self.weight = nn.Parameter(torch.empty(2 * channels, in_channels, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(2 * channels))
        self.sigmoid = nn.Sigmoid()  # a module, so that `gate_maps` can see its output
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Keep the features' scale from layer to layer, although a fresh gate halves them.

        PyTorch's default shrinks a signal threefold in each gated layer: nothing of the photo is left after seventeen.
        """
        fan_in = self.weight[0].numel()
        with torch.no_grad():
            self.weight[: self.channels].normal_(0, 2.3 / math.sqrt(fan_in))
            self.weight[self.channels :].normal_(0, 0.7 / math.sqrt(fan_in))
            self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """N x in_channels x H x W -> N x channels x ceil(H / stride) x ceil(W / stride)."""
        c = self.channels
        if self.training:  # one convolution, for its backward pass is one too: a tenth faster a step than two
            both = same_conv2d(x, self.weight, self.bias, self.stride, self.dilation)  # (N, 2 channels, H', W')
            layout = memory_format_of(both)
            features, gate = (half.contiguous(memory_format=layout) for half in both.chunk(2, 1))
        else:
            features = same_conv2d(x, self.weight[:c], self.bias[:c], self.stride, self.dilation)
            gate = same_conv2d(x, self.weight[c:], self.bias[c:], self.stride, self.dilation)
        return self.activation(features) * self.sigmoid(gate)

    def extra_repr(self) -> str:
        kernel = f"kernel_size={self.weight.shape[2]}, stride={self.stride}, dilation={self.dilation}"
        return f"{self.weight.shape[1]}, {self.channels}, {kernel}"


Upsampling = Literal["nearest", "bilinear"]


class GatedUpConv2d(GatedConv2d):
    """Doubles height and width, then a gated convolution of stride 1 (the papers' "deconv").

    Args:
        in_channels, channels, kernel_size: as for `GatedConv2d`.
        upsampling: how the size is doubled. "nearest", which repeats pixels, is the papers'. With it a critic teaches
            the convolutions to draw a lattice along the repeated pixels; "bilinear" leaves none to draw along.
    """

    def __init__(
        self, in_channels: int, channels: int, kernel_size: int = 3, upsampling: Upsampling = "nearest"
    ) -> None:
        super().__init__(in_channels, channels, kernel_size)
        self.upsampling = upsampling

    def forward(self, x: Tensor) -> Tensor:
        """N x in_channels x H x W -> N x channels x 2H x 2W."""
        return super().forward(F.interpolate(x, scale_factor=2, mode=self.upsampling))


@contextmanager
def gate_maps(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the gate maps of all gated convolutions that run inside the `with` block.

    Other threads may use the network at the same time: only the maps of the calling thread are collected.

    Yields:
        A list that grows in the order of execution; each map is N x channels x H' x W' in [0, 1].
    """
    thread = threading.get_ident()
    maps: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], gate: Tensor) -> None:
        if threading.get_ident() == thread:
            maps.append(gate)

    layers = [module for module in network.modules() if isinstance(module, GatedConv2d)]
    hooks = [layer.sigmoid.register_forward_hook(keep) for layer in layers]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()
