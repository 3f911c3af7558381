"""Every metric of one photo at once, for the page, the command line and the tables."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from inpaint_core.errors import InpaintError
from inpaint_core.metrics import perceptual
from inpaint_core.metrics.arguments import checked, shape_of
from inpaint_core.metrics.lpips_network import LpipsUnavailable
from inpaint_core.metrics.perceptual import lpips_of
from inpaint_core.metrics.pixelwise import l1, l2
from inpaint_core.metrics.structural import ssim_map, ssim_of
from inpaint_core.metrics.variation import total_variation


def measure(
    image: np.ndarray, reference: np.ndarray, mask: np.ndarray | None = None, lpips: bool = True
) -> dict[str, float]:
    """Every metric of one photo, for the page and the command line.

    `image` and `reference` are uint8 H x W x 3; `mask` is H x W, bool or numbers, above 0 = hole. Returns `l1, l2,
    psnr, ssim, lpips, tv` over the whole photo and with a mask the same with `hole_` before the name; L1, L2 and TV
    of pixel values in [0, 1], PSNR in dB (inf where equal). The lpips keys are missing where LPIPS was not asked for
    or cannot be had: `lpips_unavailable_reason()` says why. Every value is that of the full-size photo, 12
    megapixels too: SSIM goes by bands and LPIPS by tiles, skipping those where both photos are equal.
    """
    ours, theirs = _photo(image, "photo"), _photo(reference, "reference")
    hole = None if mask is None else _hole(mask)
    masks = {"": None} if hole is None else {"": None, "hole_": hole}
    values: dict[str, Tensor] = {}
    checked(ours, theirs, hole)
    with torch.inference_mode():
        quality = ssim_map(ours, theirs)
        try:
            maps = perceptual.distance_maps(ours, theirs) if lpips else None
        except LpipsUnavailable:
            maps = None  # see lpips_unavailable_reason()
        for prefix, where in masks.items():
            values[prefix + "l1"] = l1(ours, theirs, where)
            values[prefix + "l2"] = l2(ours, theirs, where)
            values[prefix + "psnr"] = -10 * torch.log10(values[prefix + "l2"])
            values[prefix + "ssim"] = ssim_of(quality, where)
            if maps is not None:
                values[prefix + "lpips"] = lpips_of(maps, where, ours.shape[2:])
            values[prefix + "tv"] = total_variation(ours, where)
    return {name: value.item() for name, value in values.items()}


def _photo(pixels: np.ndarray, name: str) -> Tensor:
    """uint8 H x W x 3 as float 1 x 3 x H x W in [0, 1]."""
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InpaintError(f"The {name} must be uint8 pixels of shape H x W x 3, not {shape_of(pixels)}.")
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]).float() / 255


def _hole(mask: np.ndarray) -> Tensor:
    """H x W, above 0 = hole, as float 1 x 1 x H x W."""
    if not isinstance(mask, np.ndarray) or mask.ndim != 2:
        raise InpaintError(f"The mask must be an array of shape H x W, not {shape_of(mask)}.")
    return torch.from_numpy((mask > 0)[None, None].astype(np.float32))
