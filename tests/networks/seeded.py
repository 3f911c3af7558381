"""Weights and inputs drawn with numpy's RandomState, whose stream never changes: the same numbers on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn


def draw_state(shapes: Mapping[str, Sequence[int]], seed: int = 0, gain: float = 1.2) -> dict[str, Tensor]:
    """A state dict of float32 numbers that keeps a signal's scale, drawn in the order of the sorted names.

    Kernels are gain * z / sqrt(fan in), variances exp(0.3 z), scales of normalisation exp(0.2 z), biases and means
    0.1 z, with z standard normal: the recipe of the published golden files. Counters (`num_batches_tracked`) are 0.
    """
    random = np.random.RandomState(seed)
    state = {}
    for name in sorted(shapes):
        shape = shapes[name]
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
            continue
        values = random.standard_normal(shape)
        if len(shape) >= 2:
            values = gain * values / np.sqrt(np.prod(shape[1:]))
        elif name.endswith("running_var"):
            values = np.exp(0.3 * values)
        elif name.endswith(".weight"):
            values = np.exp(0.2 * values)
        else:
            values = 0.1 * values
        state[name] = torch.from_numpy(values.astype(np.float32))
    return state


def seeded(network: nn.Module, gain: float = 1.2) -> nn.Module:
    """The network with `draw_state`'s weights, in evaluation mode and float64."""
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    network.load_state_dict(draw_state(shapes, gain=gain))
    return network.eval().double()


def photo(height: int, width: int, count: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """Noise as N x 3 x H x W in [0, 1], boxes of holes and a sketch of sparse points, N x 1 x H x W each; float64."""
    random = np.random.RandomState(1)
    image = torch.from_numpy(random.randint(0, 256, (count, 3, height, width)) / 255)
    mask = torch.zeros(count, 1, height, width, dtype=torch.float64)
    for sample in range(count):
        mask[sample, :, height // 4 + sample : height // 2, width // 4 : 2 * width // 3 - sample] = 1
    return image, mask, torch.from_numpy((random.random_sample((count, 1, height, width)) > 0.9).astype(float))
