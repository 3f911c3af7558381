"""A stack of layers written out as an OpenVINO graph, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino
import torch
import torch.nn.functional as F
from openvino import opset13 as ops
from torch import Tensor, nn

from inpaint_core.networks.autoencoder import ConvUp, ResidualBlock
from inpaint_core.networks.deepfill_v1 import ConvBlock
from inpaint_core.networks.layers.gated import GatedConv2d, GatedUpConv2d
from inpaint_core.networks.layers.padding import Conv2dSame


def graph_of(stack: nn.Module) -> Any:
    """The OpenVINO model of a stack."""
    first = next(module for module in stack.modules() if isinstance(getattr(module, "weight", None), Tensor))
    weight: Tensor = first.weight  # type: ignore[assignment]
    channels = weight.shape[0 if isinstance(first, nn.ConvTranspose2d) else 1]
    channels += getattr(stack, "takes_noise", False)  # one plane more, which the first layer does not see
    inputs = ops.parameter(openvino.PartialShape([-1, channels, -1, -1]), np.float32)
    return openvino.Model([append(stack, inputs)], [inputs])


def append(module: nn.Module, x: Any) -> Any:
    """Append a layer to the graph at node `x`."""
    if isinstance(module, nn.Sequential) and type(module) not in LAYERS:
        for layer in module:
            x = append(layer, x)
        return x
    return LAYERS[type(module)](module, x)


def array(tensor: Tensor) -> np.ndarray:
    """The tensor as a constant of the graph."""
    return tensor.detach().float().cpu().contiguous().numpy()


def with_bias(node: Any, bias: Tensor | None) -> Any:
    """The node plus a bias of each channel, if there is one."""
    return node if bias is None else ops.add(node, array(bias).reshape(1, -1, 1, 1))


def merged(layer: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Kernel and bias of a convolution without a bias and the normalisation behind it."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return layer.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


def _same_convolution(x: Any, weight: Tensor, bias: Tensor | None, stride: int, dilation: int) -> Any:
    """Convolution with TensorFlow "SAME" padding at any size; OpenVINO calls it same_upper."""
    node = ops.convolution(x, array(weight), [stride] * 2, [0, 0], [0, 0], [dilation] * 2, auto_pad="same_upper")
    return with_bias(node, bias)


def _activate(x: Any, activation: Callable[[Tensor], Tensor] | None) -> Any:
    if activation is None:
        return x
    if activation is F.relu:
        return ops.relu(x)
    if activation is F.elu:
        return ops.elu(x, 1.0)
    raise ValueError(f"the engine does not support the activation {activation}")


def _twice(x: Any, upsampling: str = "nearest") -> Any:
    """Twice the size, by repeating pixels or bilinearly."""
    scales = np.array([2.0, 2.0], np.float32)
    return ops.interpolate(
        x,
        scales,
        mode="nearest" if upsampling == "nearest" else "linear_onnx",
        shape_calculation_mode="scales",
        axes=np.array([2, 3], np.int64),
        coordinate_transformation_mode="asymmetric" if upsampling == "nearest" else "half_pixel",
        nearest_mode="floor",
    )


def _twice_then_convolution(x: Any, weight: Tensor, bias: Tensor | None) -> list[Any]:
    """What a 3 x 3 convolution gives on `_twice(x)`, in four parts, which `_interleave` puts together.

    Of nine taps on repeated pixels several read the same pixel. With those added up beforehand, the results at even
    and at odd rows and columns are four 2 x 2 convolutions of x itself: 4/9 of the work.
    """
    sums = torch.tensor([[[1, 0, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]]], dtype=torch.float32)  # (parity, to, from)
    parts = []
    for row in (0, 1):
        for column in (0, 1):
            kernel = torch.einsum("ty,oiyx,sx->oits", sums[row], weight.detach().float().cpu(), sums[column])
            before, after = [1 - row, 1 - column], [row, column]
            parts.append(with_bias(ops.convolution(x, array(kernel), [1, 1], before, after, [1, 1]), bias))
    return parts


def _interleave(parts: list[Any]) -> Any:
    """Four maps, of even and odd rows and columns, as one of twice their size."""
    return ops.depth_to_space(ops.concat(parts, 1), "blocks_first", 2)


def _gated(layer: GatedConv2d, x: Any) -> Any:
    c = layer.channels  # two convolutions: the activation of each is computed while its result is in the registers
    weights, biases = layer.weight.split(c), layer.bias.split(c)
    pairs: list[tuple[Any, ...]]
    if isinstance(layer, GatedUpConv2d) and layer.upsampling == "nearest" and layer.weight.shape[2] == 3:
        pairs = list(zip(*map(_twice_then_convolution, (x, x), weights, biases), strict=True))
    else:
        x = _twice(x, layer.upsampling) if isinstance(layer, GatedUpConv2d) else x
        halves = zip(weights, biases, strict=True)
        pairs = [tuple(_same_convolution(x, weight, bias, layer.stride, layer.dilation) for weight, bias in halves)]
    results = [ops.multiply(_activate(features, layer.activation), ops.sigmoid(gate)) for features, gate in pairs]
    return results[0] if len(results) == 1 else _interleave(results)


def reflected(x: Any, amount: int) -> Any:
    """`reflect_pad` for maps that are large enough for it."""
    sides = np.array([0, 0, amount, amount], np.int64)
    return ops.pad(x, sides, sides, "reflect")


def _conv_block(layer: ConvBlock, x: Any) -> Any:
    if layer.border != "same":
        x = _twice(x) if layer.upsample else x
        amount = layer.dilation[0] * (layer.weight.shape[2] - 1) // 2
        zeros = [0, 0] if layer.border == "reflect" else [amount, amount]
        x = reflected(x, amount) if layer.border == "reflect" else x
        node = ops.convolution(x, array(layer.weight), list(layer.stride), zeros, zeros, list(layer.dilation))
        return _activate(with_bias(node, layer.bias), layer.activation)
    if layer.upsample and layer.weight.shape[2] == 3:
        parts = _twice_then_convolution(x, layer.weight, layer.bias)
        return _interleave([_activate(part, layer.activation) for part in parts])
    x = _twice(x) if layer.upsample else x
    return _activate(
        _same_convolution(x, layer.weight, layer.bias, layer.stride[0], layer.dilation[0]), layer.activation
    )


def _convolution(layer: nn.Conv2d, x: Any) -> Any:
    padding: list[int] = [int(side) for side in layer.padding]
    node = ops.convolution(x, array(layer.weight), list(layer.stride), padding, padding, list(layer.dilation))
    return with_bias(node, layer.bias)


def _transposed(layer: nn.ConvTranspose2d, x: Any) -> Any:
    begin: list[int] = [int(side) for side in layer.padding]
    end = [side - extra for side, extra in zip(begin, layer.output_padding, strict=True)]
    node = ops.convolution_backprop_data(
        x, array(layer.weight), list(layer.stride), pads_begin=begin, pads_end=end, dilations=list(layer.dilation)
    )
    return with_bias(node, layer.bias)


def _normalisation(layer: nn.BatchNorm2d, x: Any) -> Any:
    assert layer.running_mean is not None
    assert layer.running_var is not None
    scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)
    shift = layer.bias - layer.running_mean * scale
    return ops.add(ops.multiply(x, array(scale).reshape(1, -1, 1, 1)), array(shift).reshape(1, -1, 1, 1))


def _leaky(layer: nn.LeakyReLU, x: Any) -> Any:
    return ops.prelu(x, np.array([layer.negative_slope], np.float32))


def _relu(layer: nn.ReLU, x: Any) -> Any:
    return _activate(x, F.relu)


def _residual(layer: ResidualBlock, x: Any) -> Any:
    shortcut = x
    if isinstance(layer.shortcut, nn.Conv2d):  # of every other pixel, where the block halves the size
        kernel = array(layer.shortcut.weight)
        node = ops.convolution(x, kernel, [layer.stride] * 2, [0, 0], [0, 0], [1, 1])
        shortcut = with_bias(node, layer.shortcut.bias)
    return ops.relu(ops.add(append(layer.second, append(layer.first, x)), shortcut))


def _conv_same(layer: Conv2dSame, x: Any) -> Any:
    return _same_convolution(x, layer.weight, layer.bias, layer.stride[0], layer.dilation[0])


def _up(layer: ConvUp, x: Any) -> Any:
    return append(layer.layers, _twice(x))


LAYERS: dict[type[nn.Module], Callable[[Any, Any], Any]] = {
    GatedConv2d: _gated,
    GatedUpConv2d: _gated,
    Conv2dSame: _conv_same,
    ConvBlock: _conv_block,
    ConvUp: _up,
    ResidualBlock: _residual,
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _transposed,
    nn.BatchNorm2d: _normalisation,
    nn.LeakyReLU: _leaky,
    nn.ReLU: _relu,
}
"""The layers the engine supports: layer -> function that appends it to a graph."""
