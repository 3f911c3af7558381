"""Fills the holes of a photo with one method: check, plan crops, fill each, paste, refine, blend.

Read from top to bottom: a photo (`fill`), all its holes (`_fill_holes`); one crop is filled in `crop_fill`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from PIL import Image

from inpaint_core import catalogue
from inpaint_core.arguments import as_colours, as_image, as_mask, choose_device
from inpaint_core.numeric import as_seed
from inpaint_core.predictor.blending import blend
from inpaint_core.predictor.crop_fill import Run, fill_crop
from inpaint_core.predictor.crops import Crop, plan_for
from inpaint_core.predictor.instances import instance
from inpaint_core.predictor.options import FillOptions, Result
from inpaint_core.predictor.planes import Planes
from inpaint_core.progress import Preview, Progress, part_of
from inpaint_core.sketch import as_sketch


def fill(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    method: str | None = None,
    options: FillOptions = FillOptions(),
    *,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Result:
    """Fill the hole of a photo with one method.

    Args:
        image: uint8 H x W x 3 RGB, or a PIL image.
        mask: H x W bool or numbers, > 0 = hole, or a PIL image.
        method: a name of the catalogue, also with public weights, as in `lama@big`; None is the default method.
        options: what else is wanted.
        progress: called now and then with the share done in [0, 1] and a short text.
        preview: called a few times a second with the photo as far as it is filled, uint8 H x W x 3, by methods that
            fill bit by bit.

    Returns:
        A `Result` whose image equals the input wherever the mask is 0. Its details are "notes" (sentences), "crops"
        (box and scale of each), of the largest crop its "box", its "scale" and the method's extras, and under "refine"
        the same of a refinement.

    Raises:
        InpaintError: what is wrong with the image, mask, sketch, method or device, in one sentence.
    """
    name = catalogue.default_method() if method is None else method
    record = catalogue.require_ready(name) if options.weights is None else catalogue.get(name)
    planes = _planes_of(image, mask, options)
    device = choose_device(options.device)
    if progress is not None:
        progress(0.0, f"{record.title} ...")

    start = time.perf_counter()
    blended = options.blend is not None
    refiner = None if options.refine in (None, record.name) else catalogue.get(options.refine)
    filled_at = 0.95 if blended else 1.0  # shares of the work, for the progress
    first_at = filled_at if refiner is None else filled_at / 2
    run = Run(
        instance(record.name, options.weights),
        device,
        as_seed(options.seed),
        options.explain,
        rim=blended and refiner is None,
        progress=part_of(progress, 0, first_at),
        preview=preview,
    )
    filled = _fill_holes(planes, run)
    completed, notes, details = filled.image, list(filled.notes), filled.details()
    if refiner is not None:
        report = part_of(progress, first_at, filled_at)
        run = replace(run, method=instance(refiner.name), rim=blended, progress=report, preview=None)
        refined = _fill_holes(replace(planes, initial=completed), run)
        completed, details["refine"] = refined.image, refined.details()
        notes.append(f"Texture refined by {refiner.title}.")
    if planes.colours is not None and not any(each.accepts_colours for each in (record, refiner) if each is not None):
        able = ", ".join(each.title for each in catalogue.methods() if each.accepts_colours)
        notes.append(f"{record.title} does not follow colours; {able} do.")
    if blended:
        completed = blend(planes.image, planes.mask, completed, mixed=options.blend == "mixed")
        notes.append(f"Blended into the photo ({options.blend} gradients).")
        if progress is not None:
            progress(1.0, "Blended into the photo")
    return Result(record.name, completed, time.perf_counter() - start, {**details, "notes": notes})


def _planes_of(image: np.ndarray | Image.Image, mask: np.ndarray | Image.Image, options: FillOptions) -> Planes:
    """What a caller has given, checked, as planes of the photo's size."""
    pixels = as_image(image)
    size = pixels.shape[:2]
    sketch = None if options.sketch is None else as_sketch(options.sketch, size)
    colours = None if options.colours is None else as_colours(options.colours, size)
    return Planes(pixels, as_mask(mask, size), sketch, colours=colours)


@dataclass(frozen=True)
class FilledPhoto:
    """A photo after the fill of all its holes."""

    image: np.ndarray  # uint8 H x W x 3
    notes: list[str]
    crops: list[dict[str, Any]]  # box and scale of each; the last one is the largest
    extras: dict[str, Any]  # of the largest crop, by the method

    def details(self) -> dict[str, Any]:
        """As `fill` returns them."""
        return {"notes": self.notes, "crops": self.crops, **self.extras, **self.crops[-1]}


def _fill_holes(planes: Planes, run: Run) -> FilledPhoto:
    """Cut out every hole with its surroundings, fill it and paste it back."""
    image, mask, method = planes.image, planes.mask, run.method
    crops = plan_for(mask, method)
    rim = int(run.rim)
    wanted = cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))) > 0 if rim else mask

    def paste(photo: np.ndarray, content: np.ndarray, crop: Crop) -> None:
        """Write what is wanted of a filled crop into `photo`."""
        for hole in (box.grown(rim, crop.box) for box in crop.holes):
            inside = wanted[hole.slices]
            photo[hole.slices][inside] = content[hole.moved(-crop.box.top, -crop.box.left).slices][inside]

    def show(content: np.ndarray, crop: Crop, preview: Preview) -> None:
        so_far = completed.copy()
        paste(so_far, content, crop)
        preview(np.where(mask[..., None], so_far, image))

    completed = image.copy()
    notes: list[str] = []
    sizes = []
    for index, crop in enumerate(crops):
        largest = index == len(crops) - 1  # its extras are the ones to show
        filled = fill_crop(
            planes.cut(crop.box),
            replace(
                run,
                seed=run.seed + index,
                explain=run.explain and largest,
                progress=part_of(run.progress, index / len(crops), (index + 1) / len(crops)),
                preview=run.preview and partial(show, crop=crop, preview=run.preview),
            ),
        )
        paste(completed, filled.image, crop)
        notes += filled.notes
        sizes.append({"box": filled.box.moved(crop.box.top, crop.box.left), "scale": filled.scale})
        if run.progress is not None:
            run.progress((index + 1) / len(crops), f"{index + 1} of {len(crops)} regions")
    return FilledPhoto(completed, list(dict.fromkeys(notes)), sizes, filled.extras)


def warm_up(device: str = "auto") -> None:
    """Do what the first fill would have to wait for: measure the device, start the engine, compile PatchMatch."""
    from inpaint_core.methods import feed_forward, patchmatch

    feed_forward.warm_up(choose_device(device))
    patchmatch.warm_up()


def load_networks(device: str) -> None:
    """Load every network that is ready, on a device: for a server whose GPU is lent for a call at a time."""
    from inpaint_core.methods.feed_forward import FeedForward

    for record in catalogue.methods():
        if record.needs_weights and record.ready:
            method = instance(record.name)
            if isinstance(method, FeedForward):
                method.network(device)
