"""One crop of a photo, filled at the largest scale that the method and the device's memory can take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from inpaint_core.predictor import crops as geometry
from inpaint_core.predictor import mosaic as restoration
from inpaint_core.progress import seldom

if TYPE_CHECKING:
    from torch import Tensor

    from inpaint_core.methods.base import FillMethod

LEAST_PIXELS_AFTER_OUT_OF_MEMORY = 128 * 128


@dataclass(frozen=True)
class Given:
    """What a method is given of a photo, or of a crop of it: arrays of one size."""

    image: np.ndarray  # uint8 H x W x 3
    mask: np.ndarray  # bool H x W, True = hole
    sketch: np.ndarray | None = None  # bool H x W, True = edge
    initial: np.ndarray | None = None  # uint8 H x W x 3, an earlier fill to be refined

    def cut(self, box: geometry.Box) -> Given:
        """The same of a rectangle."""
        planes = (self.image, self.mask, self.sketch, self.initial)
        return Given(*(None if plane is None else plane[box.slices] for plane in planes))  # type: ignore[arg-type]


def fill_crop(
    given: Given, method: FillMethod, device: str, seed: int, extras: dict[str, Any], rim: bool = False
) -> tuple[np.ndarray, float]:
    """Fill one crop.

    Args:
        given: the crop.
        method: fills it.
        device: name of a torch device; methods that do not use it stay on the CPU.
        seed: of every random number drawn.
        extras: the method's `details`: receives what it tells of itself, and under "notes" sentences for the user. May
            hold "explain", "progress" and "show", the latter to be called with the crop as far as it is filled.
        rim: the known pixels, too, are to be as the method makes them.

    Returns:
        The filled crop, uint8 H x W x 3, of which (without `rim`) the hole counts, and the scale it was filled at.
    """
    import torch

    height, width = given.mask.shape
    max_pixels = method.max_pixels
    while True:
        scale = _scale(given.mask, method, max_pixels)
        try:
            filled = _fill_at(scale, given, method, device, seed, extras, rim)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            used = round(height * scale) * round(width * scale)
            too_big = isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)
            if device == "cpu" or not too_big or method.fixed_size or used <= LEAST_PIXELS_AFTER_OUT_OF_MEMORY:
                raise
            max_pixels = used // 2
            if device.startswith("cuda"):
                torch.cuda.empty_cache()
            extras["notes"] = ["The GPU's memory did not suffice, so a smaller scale was used."]
            continue
        if scale < 1:
            extras["notes"].append(f"Filled at {scale:.0%} of the photo's size and enlarged.")
        return filled, scale


def _scale(mask: np.ndarray, method: FillMethod, max_pixels: int | None) -> float:
    """The scale at which a method takes a crop with this hole, of no more than so many pixels."""
    height, width = mask.shape
    if method.fixed_size and method.native_size:
        return method.native_size / max(height, width)
    scale = min(1.0, math.sqrt(max_pixels / (height * width))) if max_pixels else 1.0
    if method.max_depth is not None:
        scale = min(scale, method.max_depth / geometry.depth(mask))
    return scale


def _fill_at(
    scale: float, given: Given, method: FillMethod, device: str, seed: int, extras: dict[str, Any], rim: bool
) -> np.ndarray:
    """Scale, pad, fill, and undo both; returns the crop, uint8 H x W x 3."""
    import torch

    height, width = given.mask.shape
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    small, hole = geometry.of_known(given.image, given.mask, new_height, new_width)
    if not hole.any():  # every pixel of the smaller photo has a known part: their mean is the fill
        return geometry.as_photo(small, height, width)
    if method.reads_hole:
        small, note = restoration.pixelated(given.image, given.mask, small, hole, scale)
        extras["notes"].append(note)
    else:  # nothing of the hole's content may reach a method (OpenCV's Navier-Stokes, for one, would read it)
        small = np.where(hole[..., None] > 0, small[hole == 0].mean(axis=0), small).astype(np.float32)
    square_of = method.native_size if method.fixed_size else None
    target = device if method.uses_gpu else "cpu"

    def tensor(array: np.ndarray) -> Tensor:
        """H x W (x C) float32 -> 1 x C x H' x W' on the device, padded as the method wants it."""
        padded = np.atleast_3d(geometry.pad_to_multiple(array, method.multiple_of, square_of))
        return torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1))[None]).to(target)

    def crop_of(output: Tensor) -> np.ndarray:
        """The method's output at the size of the crop."""
        result = output[0, :, :new_height, :new_width].permute(1, 2, 0).float().cpu().numpy()
        if scale != 1 and not rim:  # what is enlarged runs into its surroundings: let them be the photo
            result = np.where(hole[..., None] > 0, result, small)
        return geometry.as_photo(result, height, width)

    arguments: dict[str, Any] = {}
    if given.sketch is not None:
        lines = cv2.resize(given.sketch.astype(np.float32), (new_width, new_height), interpolation=cv2.INTER_AREA)
        arguments["sketch"] = tensor((lines > 0.25 * min(1.0, scale)).astype(np.float32))
    if given.initial is not None:
        start = cv2.resize(given.initial, (new_width, new_height), interpolation=cv2.INTER_AREA)
        arguments["initial"] = tensor(start.astype(np.float32) / 255)
    if extras.get("show") is not None:
        extras["preview"] = seldom(lambda output: extras["show"](crop_of(output)))
    with torch.no_grad():
        output = method.fill(
            tensor(small),
            tensor(hole),
            generator=torch.Generator(target).manual_seed(seed),
            details=extras,
            **arguments,
        )
    return crop_of(output)
