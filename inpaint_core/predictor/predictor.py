"""The predictor: photo + mask (+ sketch) -> completed photo, the known pixels bit for bit.

The story of a fill from top to bottom; the geometry is below: `inpaint_core.predictor.one_pass` cuts and pastes,
`inpaint_core.predictor.one_crop` scales and pads, `inpaint_core.predictor.crops` says which rectangles and how.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from inpaint_core import catalogue
from inpaint_core.arguments import as_image, as_mask, choose_device
from inpaint_core.predictor import blending
from inpaint_core.predictor import options as finish
from inpaint_core.predictor.one_crop import Given
from inpaint_core.predictor.one_pass import fill_photo
from inpaint_core.progress import Preview, Progress, part_of
from inpaint_core.sketch import as_sketch

if TYPE_CHECKING:
    from inpaint_core.methods.base import FillMethod

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
        weights: in place of the checkpoint, a file that training has exported (beside its manifest), or DeepFill v2's
            public PyTorch port's.
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
    finish.check(refine, blend)
    pixels = as_image(image)
    hole = as_mask(mask, pixels.shape[:2])
    edges = None if sketch is None else as_sketch(sketch, pixels.shape[:2])
    target = choose_device(device)
    if progress is not None:
        progress(0.0, f"{record.title} ...")

    start = time.perf_counter()
    refiner = None if refine == record.name else refine
    filled_at = 1.0 if blend is None else 0.95  # shares of the work, for the progress
    first_at = filled_at if refiner is None else filled_at / 2
    filled, details = fill_photo(
        Given(pixels, hole, edges),
        instance(record.name, weights),
        target,
        seed,
        rim=blend is not None and refiner is None,
        explain=explain,
        progress=part_of(progress, 0, first_at),
        preview=preview,
    )
    if refiner is not None:
        filled, refined = fill_photo(
            Given(pixels, hole, initial=filled),
            instance(refiner),
            target,
            seed,
            rim=blend is not None,
            explain=explain,
            progress=part_of(progress, first_at, filled_at),
        )
        details["notes"].append(f"Texture refined by {catalogue.get(refiner).title}.")
        details["refine"] = refined
    if blend is not None:
        filled = blending.blend(pixels, hole, filled, mixed=blend == "mixed")
        details["notes"].append(f"Blended into the photo ({blend} gradients).")
        if progress is not None:
            progress(1.0, "Blended into the photo")
    return Result(record.name, filled, time.perf_counter() - start, details)


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
