"""State dicts in published layouts, their weights drawn by the recipe of the golden files."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tests.networks.seeded import draw_state

LAYOUTS_FILE = Path(__file__).parents[1] / "golden" / "public_layouts.json"
"""Layout -> name -> shape, as published."""
CONSTANTS = ("weight_mask_updater", "mask_conv.weight", "fuse_kernel", ".filter.weight", "insert_zeros.weight")
"""Endings of the names that the recipe does not draw: they are what the published constructor made them."""


def layout(name: str, share: int = 1) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a published layout.

    Args:
        name: of the golden file.
        share: 8 for an eighth of the channels; those beside them (RGB, mask) and the kernels stay.
    """
    shapes = json.loads(LAYOUTS_FILE.read_text())[name]
    return {key: tuple(side // share + side % share if side > 8 else side for side in shapes[key]) for key in shapes}


def published_state(shapes: Mapping[str, Sequence[int]], seed: int = 0, gain: float = 1.2) -> dict[str, Tensor]:
    """Weights for a published layout, drawn in the order of its sorted names; constants are ones, single numbers 0.1.

    The kernels of naoto0804's PartialConv (`input_conv`), which leaves out the size of the window, are larger by it.
    """
    fixed = {name for name, shape in shapes.items() if name.endswith((*CONSTANTS, "noise_strength"))}
    drawn = draw_state({name: shape for name, shape in shapes.items() if name not in fixed}, seed, gain)
    for name in drawn:
        if name.endswith("input_conv.weight"):
            drawn[name] *= drawn[name][0].numel()
    constants = {name: torch.ones(shapes[name]) if shapes[name] else torch.tensor(0.1) for name in fixed}
    return {name: (drawn | constants)[name] for name in shapes}


def hashed_state(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Weights each drawn from a seed that is its name's checksum, as for the golden photo of DeepFill v2."""
    state = {}
    for name, shape in shapes.items():
        values = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
        values *= np.sqrt(3 / np.prod(shape[1:])) if len(shape) == 4 else 0.1
        state[name] = torch.from_numpy(values.astype(np.float32))
    return state


def planes(golden: Mapping[str, np.ndarray]) -> tuple[Tensor, Tensor]:
    """The golden file's photo in [0, 1] and its mask (the centre less 4 px of overlap where it has none), float64."""
    image = torch.from_numpy(golden["image"])[None].double() / 255
    if "mask" in golden:
        return image, torch.from_numpy(golden["mask"])[None, None].double()
    mask = torch.zeros(1, 1, 128, 128).double()
    mask[..., 36:92, 36:92] = 1
    return image, mask
