"""LaMa, AOT-GAN and MI-GAN as OpenVINO graphs: layers with several inputs, Fourier transforms, reflected borders.

CPU time of torch over that of OpenVINO, measured in one run at 512 px, float32, two cores with AVX2: MI-GAN 6.7, Big
LaMa 1.05. LaMa's 3 x 3 convolutions, four fifths of its work, run at the machine's float32 rate in both
(see `winograd`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from openvino import opset13 as ops
from torch import Tensor, nn

from inpaint_core.methods.engines.graph import LAYERS, append, array, merged, reflected, with_bias
from inpaint_core.networks.aot_gan import AOTBlock, ReflectConv2d, UpConv
from inpaint_core.networks.lama import FFC, FourierUnit, LaMa, SpectralTransform, UpConv2d
from inpaint_core.networks.layers.padding import reflect_pad
from inpaint_core.networks.migan import LIMIT, MIGAN, SeparableConv2d

SPATIAL = np.array([2, 3], np.int64)


def _convolve(x: Any, weight: Tensor, bias: Tensor | None, stride: int = 1) -> Any:
    """A convolution of what is padded already."""
    return with_bias(ops.convolution(x, array(weight), [stride] * 2, [0, 0], [0, 0], [1, 1]), bias)


# ---- LaMa ------------------------------------------------------------------------------------------------------------


def _sides(x: Any) -> tuple[Any, Any]:
    """Height and width of a map (int64, 2 values), and their product's square root."""
    sides = ops.gather(ops.shape_of(x, "i64"), SPATIAL, np.int64(0))
    area = ops.reduce_prod(ops.convert(sides, "f32"), np.array([0], np.int64), keep_dims=False)
    return sides, ops.sqrt(area)


def _fourier(layer: FourierUnit, x: Any) -> Any:
    """`torch.fft` with norm="ortho": OpenVINO's transform is not divided, its inverse by the number of pixels."""
    sides, root = _sides(x)
    channels = layer.conv.out_channels // 2
    spectrum = ops.rdft(ops.divide(x, root), SPATIAL)  # (N, C, H, W // 2 + 1, 2)
    parts = ops.transpose(spectrum, np.array([0, 1, 4, 2, 3], np.int64))
    shape = ops.shape_of(parts, "i64")
    last = ops.gather(shape, np.array([3, 4], np.int64), np.int64(0))
    parts = ops.reshape(parts, ops.concat([np.array([-1, layer.conv.in_channels], np.int64), last], 0), False)
    parts = ops.relu(_convolve(parts, *merged(layer.conv, layer.norm)))
    parts = ops.reshape(parts, ops.concat([np.array([-1, channels, 2], np.int64), last], 0), False)
    spectrum = ops.transpose(parts, np.array([0, 1, 3, 4, 2], np.int64))
    return ops.multiply(ops.irdft(spectrum, SPATIAL, sides), root)


def _spectral(layer: SpectralTransform, x: Any) -> Any:
    reduced = ops.relu(_convolve(x, *merged(layer.reduce, layer.norm)))
    return ops.add(reduced, _fourier(layer.fourier, reduced))


def _ffc(layer: FFC, local: Any, global_: Any) -> tuple[Any, Any]:
    """Each path's normalisation is merged into its convolutions, so that their sum needs no work of its own."""

    def path(norm: nn.BatchNorm2d, parts: list[tuple[nn.Module | None, Any]]) -> Any:
        total: Any = None
        for conv, x in parts:
            if not isinstance(conv, nn.Conv2d) or x is None:
                continue
            weight, bias = merged(conv, norm)
            node = _convolve(x, weight, bias if total is None else None, conv.stride[0])
            total = node if total is None else ops.add(total, node)
        return ops.relu(total)

    padded = reflected(local, layer.reflection)
    padded_global = None if global_ is None else reflected(global_, layer.reflection)
    output = path(layer.norm_local, [(layer.local_to_local, padded), (layer.global_to_local, padded_global)])
    if layer.norm_global is None:
        return output, None
    spectral = layer.global_to_global
    if spectral is None or global_ is None:
        return output, path(layer.norm_global, [(layer.local_to_global, padded)])
    return output, path(
        layer.norm_global, [(layer.local_to_global, padded), (spectral.expand, _spectral(spectral, global_))]
    )


def _channels(x: Any, start: int, stop: int) -> Any:
    first, last, one = (np.array([value], np.int64) for value in (start, stop, 1))
    return ops.slice(x, first, last, one, one)


def _up_convolution(layer: UpConv2d, x: Any) -> Any:
    return _convolve(reflected(_bilinear(x, "half_pixel"), layer.reflection), layer.weight, layer.bias)


class LaMaBefore(nn.Module):
    """LaMa's layers before its blocks: planes -> features, the local ones and behind them the global ones."""

    def __init__(self, network: LaMa) -> None:
        super().__init__()
        self.stem, self.down = network.stem, network.down

    def forward(self, planes: Tensor) -> Tensor:
        """N x 4 x H x W -> N x C x H / 8 x W / 8."""
        local, global_ = self.stem(planes)
        for layer in self.down:
            local, global_ = layer(local, global_)
        return torch.cat((local, global_), dim=1)


class LaMaBehind(nn.Module):
    """LaMa's layers behind its blocks, of a network without noise."""

    def __init__(self, network: LaMa) -> None:
        super().__init__()
        self.up, self.head = network.up, network.head

    def forward(self, features: Tensor) -> Tensor:
        """N x C x H / 8 x W / 8 -> N x 3 x H x W, any range."""
        return self.head(reflect_pad(self.up(features), 3))


def _lama_before(network: LaMaBefore | LaMa, planes: Any) -> tuple[Any, Any]:
    local, global_ = _ffc(network.stem, planes, None)
    for layer in network.down:
        local, global_ = _ffc(layer, local, global_)  # type: ignore[arg-type]
    return local, global_


def _lama_behind(network: LaMaBehind, features: Any) -> Any:
    return _convolve(reflected(append(network.up, features), 3), network.head.weight, network.head.bias)


def _lama(network: LaMa, planes: Any) -> Any:
    local, global_ = _lama_before(network, _channels(planes, 0, 4))
    for block in network.blocks:
        inner = _ffc(block.second, *_ffc(block.first, local, global_))  # type: ignore[arg-type]
        local, global_ = ops.add(local, inner[0]), ops.add(global_, inner[1])
    features = ops.concat([local, global_], 1)
    for level in range(3):
        if network.takes_noise:
            noise = ops.space_to_depth(_channels(planes, 4, 5), "depth_first", 8 >> level)
            features = ops.add(features, append(network.noise[level], noise))
        features = append(network.up[3 * level : 3 * level + 3], features)
    return _convolve(reflected(features, 3), network.head.weight, network.head.bias)


# ---- AOT-GAN ---------------------------------------------------------------------------------------------------------


def _reflect_convolution(layer: ReflectConv2d, x: Any) -> Any:
    padded = reflected(x, layer.reflection)
    node = ops.convolution(padded, array(layer.weight), [1, 1], [0, 0], [0, 0], list(layer.dilation))
    return with_bias(node, layer.bias)


def _aot_block(layer: AOTBlock, x: Any) -> Any:
    transformed = append(layer.fuse, ops.concat([ops.relu(append(branch, x)) for branch in layer.branches], 1))
    gate = append(layer.gate, x)
    centred = ops.subtract(gate, ops.reduce_mean(gate, SPATIAL, keep_dims=True))
    sides, _ = _sides(gate)
    freedom = ops.subtract(ops.convert(ops.reduce_prod(sides, np.array([0], np.int64)), "f32"), np.float32(1))
    variance = ops.divide(ops.reduce_sum(ops.multiply(centred, centred), SPATIAL, keep_dims=True), freedom)
    deviation = ops.add(ops.sqrt(variance), np.float32(1e-9))
    scaled = ops.subtract(ops.multiply(ops.divide(centred, deviation), np.float32(10)), np.float32(5))
    return ops.add(x, ops.multiply(ops.sigmoid(scaled), ops.subtract(transformed, x)))


def _bilinear(x: Any, corners: str) -> Any:
    """Twice the size, bilinearly."""
    scales = np.array([2.0, 2.0], np.float32)
    return ops.interpolate(
        x,
        scales,
        mode="linear_onnx",
        shape_calculation_mode="scales",
        axes=SPATIAL,
        coordinate_transformation_mode=corners,
    )


def _up(layer: UpConv, x: Any) -> Any:
    return append(layer.conv, _bilinear(x, "align_corners"))


# ---- MI-GAN ----------------------------------------------------------------------------------------------------------


def _activate(x: Any) -> Any:
    leaky = ops.prelu(x, np.array([0.2], np.float32))
    return ops.clamp(ops.multiply(leaky, np.float32(math.sqrt(2))), -LIMIT, LIMIT)


def _double(x: Any) -> Any:
    ones, twos = np.array([0, 0, 1, 1], np.int64), np.array([2, 2], np.int64)
    enlarged = _bilinear(ops.pad(x, ones, ones, "constant", np.float32(0)), "half_pixel")
    return ops.slice(enlarged, twos, -twos, np.array([1, 1], np.int64), SPATIAL)


def _depthwise(x: Any, kernel: np.ndarray, stride: int = 1) -> Any:
    """C x 1 x k x k, one pixel of zeros around the map."""
    return ops.group_convolution(x, kernel[:, None], [stride] * 2, [1, 1], [1, 1], [1, 1])


def _separable(layer: SeparableConv2d, x: Any) -> Any:
    x = _activate(with_bias(_depthwise(x, array(layer.depthwise.weight)), layer.depthwise.bias))
    if layer.down:
        line = np.array([1, 3, 3, 1], np.float32) / 8
        kernel = np.ascontiguousarray(np.broadcast_to(np.outer(line, line), (layer.depthwise.in_channels, 1, 4, 4)))
        x = _depthwise(x, kernel, stride=2)
    x = _convolve(x, layer.pointwise.weight, None)
    x = _double(x) if layer.up else x
    return _activate(ops.add(x, array(layer.noise * layer.noise_strength)[None, None]) if layer.has_noise else x)


def _migan(network: MIGAN, x: Any) -> Any:
    features = _activate(append(network.from_rgb, x))
    skips = []
    for level in network.encoder:
        skips.append(append(level.first, features))  # type: ignore[arg-type, union-attr]
        features = append(level.second, skips[-1])  # type: ignore[arg-type, union-attr]
    output: Any = None
    for level in network.decoder:
        joined = ops.add(append(level.first, features), skips.pop())  # type: ignore[arg-type, union-attr]
        features = append(level.second, joined)  # type: ignore[arg-type, union-attr]
        colours = append(level.to_rgb, features)  # type: ignore[arg-type, union-attr]
        output = colours if output is None else ops.add(_double(output), colours)
    return output


LAYERS |= {ReflectConv2d: _reflect_convolution, AOTBlock: _aot_block, UpConv: _up}
LAYERS |= {LaMaBefore: lambda part, x: ops.concat(list(_lama_before(part, x)), 1), LaMaBehind: _lama_behind}
LAYERS |= {SeparableConv2d: _separable, UpConv2d: _up_convolution, LaMa: _lama, MIGAN: _migan}
