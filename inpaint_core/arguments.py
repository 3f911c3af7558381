"""What callers hand over, checked: image, mask, colours and device, with one sentence for each that is wrong."""

from __future__ import annotations

import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError


def as_image(image: np.ndarray | Image.Image) -> np.ndarray:
    """The image as uint8 H x W x 3 RGB; anything else is an `InpaintError`."""
    if isinstance(image, Image.Image):
        return np.asarray(image.convert("RGB"))
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3:
        shape = f" of shape {image.shape}" if isinstance(image, np.ndarray) else ""
        raise InpaintError(
            f"The image must be a height x width x 3 RGB array or a PIL image, not {type(image).__name__}{shape}."
        )
    if image.dtype != np.uint8:
        raise InpaintError(f"The image must hold uint8 values from 0 to 255, not {image.dtype}; convert it first.")
    if not image.size:
        raise InpaintError("The image has no pixels; give one of at least 1 x 2.")
    return image


def as_mask(mask: np.ndarray | Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The mask as bool H x W of the image's size, True = hole; wrong, empty and full ones are an `InpaintError`."""
    from inpaint_core import masks

    return masks.check(np.asarray(mask.convert("L")) if isinstance(mask, Image.Image) else mask, *size)


def as_colours(colours: np.ndarray | Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Dabs of colour as uint8 H x W x 4 of the image's size, alpha above 127 where painted; else an `InpaintError`."""
    if isinstance(colours, Image.Image):
        colours = np.asarray(colours.convert("RGBA"))
    if not isinstance(colours, np.ndarray) or colours.shape != (*size, 4) or colours.dtype != np.uint8:
        raise InpaintError(
            f"The colours must be an RGBA picture of the image's size, {size[1]} x {size[0]} pixels, transparent "
            "wherever nothing is painted; save them as PNG with transparency."
        )
    return colours


def choose_device(device: str = "auto") -> str:
    """The name of the torch device to compute on; one that is not here is an `InpaintError`."""
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.zeros(1, device=device).tolist()  # the device "meta" has no values
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InpaintError(f"The device {device!r} is not available here; use 'cpu' or 'auto'.") from error
    return device
