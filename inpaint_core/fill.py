"""The predictor: photo + mask (+ sketch) -> completed photo, the known pixels bit for bit.

Owns all geometry together with `inpaint_core.geometry`: what is cropped, scaled, padded, tiled and pasted back.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from inpaint_core import blending, catalogue, geometry
from inpaint_core.arguments import as_image, as_mask, choose_device
from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    import torch

    from inpaint_core.methods.base import FillMethod

Progress = Callable[[float, str], None]
"""Called with the share done in [0, 1] and a short text."""

Preview = Callable[[np.ndarray], None]
"""Called with the photo as far as it is filled, uint8 H x W x 3."""

REFINERS = ("patchmatch",)
PREVIEW_SECONDS = 0.25  # between two previews, at least
LEAST_PIXELS_AFTER_OUT_OF_MEMORY = 128 * 128
MOSAIC_SHARE, MOSAIC_BLOCKS = 1 / 16, (6, 16)  # side of a mosaic's blocks: of the crop's longer side; least and most

_instances: dict[str, FillMethod] = {}
_instances_lock = threading.Lock()


@dataclass
class Result:
    """One completed photo, or the reason why there is none."""

    method: str
    image: np.ndarray | None  # uint8 H x W x 3, the size of the input
    seconds: float  # wall time of the fill
    details: dict[str, Any] = field(default_factory=dict)  # crops, notes, and what the method tells of itself
    metrics: dict[str, float] = field(default_factory=dict)  # only where a reference was given
    error: str | None = None  # only from `compare`, where one method's failure must not end the others


def inpaint(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    method: str | None = None,
    sketch: np.ndarray | Image.Image | None = None,
    device: str = "auto",
    seed: int = 0,
    *,
    refine: str | None = None,
    blend: str | None = None,
    weights: str | Path | None = None,
    explain: bool = False,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Result:
    """Fill the hole of a photo with one method.

    Args:
        image: uint8 H x W x 3 RGB, or a PIL image.
        mask: H x W bool or numbers, > 0 = hole, or a PIL image.
        method: a name of the catalogue; None is the default method.
        sketch: the edges wanted, any drawing of the image's size (see `inpaint_core.sketch.repair`); only inside the
            hole it matters.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        seed: of every random number drawn.
        refine: "patchmatch" replaces the texture of the fill by the photo's own patches and keeps its structure.
        blend: how the fill is fitted into the photo at last: "poisson" keeps its gradients and takes the colours from
            around the hole, "mixed" also lets lines of the photo run on for a bit; None leaves it as it is.
        weights: a file of public weights in place of the checkpoint (DeepFill v2's public PyTorch port).
        explain: also gather what costs time to gather: gate maps, attention flow (see the method's `fill`).
        progress: called now and then with the share done.
        preview: called a few times a second with the photo as far as it is filled, by methods that fill bit by bit.

    Returns:
        A `Result` whose image equals the input wherever the mask is 0.

    Raises:
        InpaintError: what is wrong with the image, mask, sketch, method or device, in one sentence.
    """
    name = catalogue.default_method() if method is None else method
    record = catalogue.require_ready(name) if weights is None else catalogue.get(name)
    if refine is not None and refine not in REFINERS:
        raise InpaintError(f"There is no refinement {refine!r}; choose one of {', '.join(REFINERS)}.")
    if blend is not None and blend not in blending.BLENDS:
        raise InpaintError(f"There is no blending {blend!r}; choose one of {', '.join(blending.BLENDS)}.")
    pixels = as_image(image)
    hole = as_mask(mask, pixels.shape[:2])
    edges = None if sketch is None else as_sketch(sketch, pixels.shape[:2])
    target = choose_device(device)
    if progress is not None:
        progress(0.0, f"{record.title} ...")
    start = time.perf_counter()
    passes = 1 if refine is None or refine == record.name else 2
    filled_at = 1.0 if blend is None else 0.95
    filled, details = _fill_pass(
        pixels,
        hole,
        edges,
        instance(record.name, weights),
        target,
        seed,
        None,
        _scaled(progress, 0, filled_at / passes),
        explain,
        rim=blend is not None and passes == 1,
        preview=preview,
    )
    if passes == 2 and refine is not None:
        filled, refined = _fill_pass(
            pixels,
            hole,
            None,
            instance(refine),
            target,
            seed,
            filled,
            _scaled(progress, filled_at / 2, filled_at),
            explain,
            rim=blend is not None,
        )
        details["notes"].append(f"Texture refined by {catalogue.get(refine).title}.")
        details["refine"] = refined
    if blend is not None:
        filled = blending.blend(pixels, hole, filled, mixed=blend == "mixed")
        details["notes"].append(f"Blended into the photo ({blend} gradients).")
        if progress is not None:
            progress(1.0, "Blended into the photo")
    return Result(record.name, filled, time.perf_counter() - start, details)


def as_sketch(sketch: np.ndarray | Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The sketch as bool H x W of the image's size, True = edge: any drawing, as `inpaint_core.sketch.repair` reads it.

    Raises:
        InpaintError: it is no picture, holds what is no number, or is of another size.
    """
    from inpaint_core.sketch import repair

    lines = repair(sketch)
    if lines.shape != size:
        raise InpaintError(
            f"The sketch has the shape {' x '.join(map(str, lines.shape))} and the image {size[0]} x {size[1]} "
            "(height x width); give a sketch of the image's size."
        )
    return lines


def warm_up(device: str = "auto") -> None:
    """Do what the first fill of a network would have to wait for: measure the device, start the engine."""
    from inpaint_core.methods import feed_forward

    feed_forward.warm_up(choose_device(device))


def instance(name: str, weights: str | Path | None = None) -> FillMethod:
    """The one instance of a method (with these weights) in this process, made at the first call."""
    key = name if weights is None else f"{name} {Path(weights).resolve()}"
    with _instances_lock:
        if key not in _instances:
            _instances[key] = catalogue.get(name).build(weights)
        return _instances[key]


def _scaled(progress: Progress | None, low: float, high: float) -> Progress | None:
    """The same callback for a part of the work that spans [low, high] of the whole."""
    return None if progress is None else lambda share, text: progress(low + share * (high - low), text)


def _fill_pass(
    image: np.ndarray,
    mask: np.ndarray,
    sketch: np.ndarray | None,
    method: FillMethod,
    device: str,
    seed: int,
    initial: np.ndarray | None,
    progress: Progress | None,
    explain: bool,
    rim: bool = False,
    preview: Preview | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Fill every crop of the photo with one method; returns the completed photo and the details.

    rim: for a blend: the known pixels beside the hole come back as the method would have filled them.
    """
    completed = image.copy()
    taken = mask
    if rim:
        taken = cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))) > 0
    details: dict[str, Any] = {"notes": [], "crops": []}
    crops = geometry.plan_crops(
        mask,
        context=method.context,
        min_context=method.min_context,
        native_size=method.native_size,
        square=method.fixed_size,
    )

    def paste(photo: np.ndarray, filled: np.ndarray, crop: geometry.Crop) -> None:
        for hole in (geometry.grown(box, 1, crop.box) if rim else box for box in crop.holes):
            inside = taken[hole.slices]
            rows = slice(hole.top - crop.box.top, hole.bottom - crop.box.top)
            columns = slice(hole.left - crop.box.left, hole.right - crop.box.left)
            photo[hole.slices][inside] = filled[rows, columns][inside]

    def show(filled: np.ndarray, crop: geometry.Crop) -> None:
        if preview is not None:
            so_far = completed.copy()
            paste(so_far, filled, crop)
            preview(np.where(mask[..., None], so_far, image))

    for index, crop in enumerate(crops):
        window = crop.box.slices
        last = index == len(crops) - 1  # the largest crop: its extras are the ones to show
        extras: dict[str, Any] = {
            "notes": [],
            "explain": explain and last,
            "progress": _scaled(progress, index / len(crops), (index + 1) / len(crops)),
            "show": None if preview is None else partial(show, crop=crop),
        }
        filled, scale = _fill_crop(
            image[window],
            mask[window],
            None if sketch is None else sketch[window],
            None if initial is None else initial[window],
            method,
            device,
            seed + index,
            extras,
            rim,
        )
        paste(completed, filled, crop)
        for word in ("explain", "progress", "show", "preview"):
            extras.pop(word, None)
        for note in extras.pop("notes"):
            if note not in details["notes"]:
                details["notes"].append(note)
        details["crops"].append({"box": crop.box, "scale": scale})
        if last:
            details.update(extras, box=crop.box, scale=scale)
        if progress is not None:
            progress((index + 1) / len(crops), f"{index + 1} of {len(crops)} regions")
    return completed, details


def _fill_crop(
    image: np.ndarray,
    mask: np.ndarray,
    sketch: np.ndarray | None,
    initial: np.ndarray | None,
    method: FillMethod,
    device: str,
    seed: int,
    extras: dict[str, Any],
    rim: bool = False,
) -> tuple[np.ndarray, float]:
    """Fill one crop at the largest scale the method and the device's memory can take.

    rim: the known pixels, too, are to be as the method makes them.

    Returns:
        The filled crop, uint8 H x W x 3, and the scale it was filled at.
    """
    import torch

    max_pixels = method.max_pixels
    while True:
        height, width = image.shape[:2]
        if method.fixed_size and method.native_size:
            scale = method.native_size / max(height, width)
        else:
            scale = min(1.0, math.sqrt(max_pixels / (height * width))) if max_pixels else 1.0
            if method.max_depth is not None:
                scale = min(scale, method.max_depth / geometry.depth(mask))
        try:
            filled = _fill_scaled(image, mask, sketch, initial, method, device, seed, scale, extras, rim)
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


def _fill_scaled(
    image: np.ndarray,
    mask: np.ndarray,
    sketch: np.ndarray | None,
    initial: np.ndarray | None,
    method: FillMethod,
    device: str,
    seed: int,
    scale: float,
    extras: dict[str, Any],
    rim: bool = False,
) -> np.ndarray:
    """Scale, pad, fill, and undo both; returns the crop, uint8 H x W x 3, of which (without `rim`) the hole counts."""
    import torch

    height, width = image.shape[:2]
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    if scale == 1:
        small, hole = image.astype(np.float32) / 255, mask.astype(np.float32)
    elif scale < 1:
        small, hole = geometry.shrink(image.astype(np.float32) / 255, mask.astype(np.float32), new_height, new_width)
        if not hole.any():  # every pixel of the smaller photo has a known part: their mean is the fill
            return _enlarge(small, height, width)
    else:
        size = (new_width, new_height)
        # the mean by weight of the known pixels only: the hole's content must not run into its surroundings
        known = 1 - mask.astype(np.float32)
        weight = cv2.resize(known, size, interpolation=cv2.INTER_LINEAR)
        total = cv2.resize(image * (known / 255)[..., None], size, interpolation=cv2.INTER_LINEAR)
        small = (total / np.maximum(weight, 1e-4)[..., None]).clip(0, 1)
        hole = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    if method.reads_hole:
        small = _mosaic(image, mask, small, hole, scale, extras)
    else:  # nothing of the hole's content may reach a method (OpenCV's Navier-Stokes, for one, would read it)
        small = np.where(hole[..., None] > 0, small[hole == 0].mean(axis=0), small).astype(np.float32)
    square_of = method.native_size if method.fixed_size else None

    def tensor(array: np.ndarray) -> torch.Tensor:
        """H x W (x C) float32 -> 1 x C x H' x W' on the device, padded as the method wants it."""
        padded = np.atleast_3d(geometry.pad_to_multiple(array, method.multiple_of, square_of))
        return torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1))[None]).to(target)

    target = device if method.uses_gpu else "cpu"
    arguments: dict[str, Any] = {}
    if sketch is not None:
        lines = cv2.resize(sketch.astype(np.float32), (new_width, new_height), interpolation=cv2.INTER_AREA)
        arguments["sketch"] = tensor((lines > 0.25 * min(1.0, scale)).astype(np.float32))
    if initial is not None:
        start = cv2.resize(initial, (new_width, new_height), interpolation=cv2.INTER_AREA)
        arguments["initial"] = tensor(start.astype(np.float32) / 255)

    def crop_of(output: torch.Tensor) -> np.ndarray:
        """The method's output at the size of the crop."""
        result = output[0, :, :new_height, :new_width].permute(1, 2, 0).float().cpu().numpy()
        if scale == 1:
            return np.rint(result.clip(0, 1) * 255).astype(np.uint8)
        return _enlarge(result if rim else np.where(hole[..., None] > 0, result, small), height, width)

    if extras.get("show") is not None:
        extras["preview"] = _seldom(lambda output: extras["show"](crop_of(output)))
    with torch.no_grad():
        output = method.fill(
            tensor(small),
            tensor(hole),
            generator=torch.Generator(target).manual_seed(seed),
            details=extras,
            **arguments,
        )
    return crop_of(output)


def _seldom(show: Callable[[torch.Tensor], None]) -> Callable[[torch.Tensor], None]:
    """The same function, but calls that follow one within `PREVIEW_SECONDS` do nothing."""
    due = 0.0

    def seldom(output: torch.Tensor) -> None:
        nonlocal due
        if time.perf_counter() >= due:
            show(output)
            due = time.perf_counter() + PREVIEW_SECONDS

    return seldom


def _mosaic(
    image: np.ndarray, mask: np.ndarray, small: np.ndarray, hole: np.ndarray, scale: float, extras: dict[str, Any]
) -> np.ndarray:
    """The scaled crop with its hole pixelated: all that a method which restores is told of it.

    A mosaic that the photo already carries stays as it is, unless its blocks are finer than what the method may see.

    Args:
        image, mask: uint8 H x W x 3 and bool H x W, the crop at its own size.
        small: float32 H' x W' x 3 in [0, 1], the crop at the method's scale; what it holds in the hole is not used.
        hole: float32 H' x W', 1 = hole.
        scale: H' / H.
        extras: receives a note on the size of the blocks.
    """
    import torch

    from inpaint_core.masks.pixelate import Grid, find_grid, mosaic

    def pixelated(array: np.ndarray, inside: np.ndarray, grid: Grid) -> np.ndarray:
        """float32 H x W x 3 and H x W -> the same with a mosaic inside."""
        planes = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))[None]
        shown = mosaic(planes, torch.from_numpy(inside)[None, None], grid.block, grid.top, grid.left)
        return np.ascontiguousarray(shown[0].permute(1, 2, 0).numpy())

    height, width = hole.shape
    content = image.astype(np.float32) / 255
    grid = find_grid(image, mask)
    if grid is not None and grid.block * scale >= MOSAIC_BLOCKS[0]:
        content, block = pixelated(content, mask.astype(np.float32), grid), grid.block
        told = f"keeps the photo's own mosaic, blocks of {block} pixels"
    else:
        grid, block = None, min(max(round(max(height, width) * MOSAIC_SHARE), MOSAIC_BLOCKS[0]), MOSAIC_BLOCKS[1])
        told = f"sees the hidden part pixelated, in blocks of {max(1, round(block / scale))} pixels"
    if scale != 1:
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        content = cv2.resize(content, (width, height), interpolation=way).clip(0, 1)
    content = np.where(hole[..., None] > 0, content, small)
    extras["notes"].append(f"Restoration: the network {told}.")
    return content if grid is not None else pixelated(content, hole, Grid(block))


def _enlarge(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """float32 in [0, 1] at any size -> uint8 height x width x 3."""
    shrinks = height < image.shape[0]
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.rint(resized.clip(0, 1) * 255).astype(np.uint8)
