"""What every metric requires of its arguments, and the mean over a hole."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from inpaint_core.errors import InpaintError


def checked(image: Tensor, reference: Tensor | None, mask: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """The arguments as float32, checked; a missing reference comes back as the image."""
    for name, each in (("image", image), ("reference", image if reference is None else reference)):
        if not torch.is_tensor(each) or each.ndim != 4 or each.shape[1] != 3 or not each.numel():
            raise InpaintError(f"The {name} must be a tensor of shape N x 3 x H x W, not {shape_of(each)}.")
        if not each.is_floating_point():
            raise InpaintError(f"The {name} must be float in [0, 1], not {each.dtype}: divide 0..255 values by 255.")
        low, high = (value.item() for value in each.detach().aminmax())
        if not (abs(low) < float("inf") and abs(high) < float("inf")):  # aminmax hands a NaN on
            raise InpaintError(f"The {name} contains values that are not finite: look for a NaN before this step.")
        if low < -0.001 or high > 1.001:
            raise InpaintError(f"The {name} must lie in [0, 1], not in [{low:.3g}, {high:.3g}]: rescale or clamp it.")
    reference = image if reference is None else reference
    if image.shape != reference.shape:
        raise InpaintError(
            f"Image and reference must have one size, not {shape_of(image)} and {shape_of(reference)}: "
            "resize one of them."
        )
    if mask is None:
        return image.float(), reference.float(), None
    expected = (len(image), 1, *image.shape[2:])
    if not torch.is_tensor(mask) or tuple(mask.shape) != expected:
        raise InpaintError(f"The mask must have the image's size, shape {expected}, not {shape_of(mask)}.")
    mask = mask.float()
    if not ((mask == 0) | (mask == 1)).all():
        raise InpaintError("The mask must be 1 in the hole and 0 elsewhere: round it first.")
    if not mask.amax(dim=(1, 2, 3)).all():
        raise InpaintError("The mask has no hole to measure: mark at least one pixel, or measure without a mask.")
    return image.float(), reference.float(), mask


def shape_of(value: object) -> str:
    return str(tuple(value.shape)) if isinstance(value, (Tensor, np.ndarray)) else type(value).__name__


def mean(values: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of N x C x H x W values of every sample, over the hole where there is a mask: (N,)."""
    if mask is None:
        return values.mean(dim=(1, 2, 3))
    return (values * mask).sum(dim=(1, 2, 3)) / (mask.sum(dim=(1, 2, 3)) * values.shape[1])
