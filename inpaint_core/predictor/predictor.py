"""Fills the holes of a photo with one method: check, plan crops, fill each, paste, refine, blend.

Read from top to bottom: a photo (`fill`), all its holes (`_fill_holes`); one crop is filled in `crop_fill`.
"""

from __future__ import annotations

import time
from dataclasses import replace
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
    options.check()
    pixels = as_image(image)
    hole = as_mask(mask, pixels.shape[:2])
    edges = None if options.sketch is None else as_sketch(options.sketch, pixels.shape[:2])
    colours = None if options.colours is None else as_colours(options.colours, pixels.shape[:2])
    device = choose_device(options.device)
    if progress is not None:
        progress(0.0, f"{record.title} ...")

    start = time.perf_counter()
    refiner = None if options.refine == record.name else options.refine
    filled_at = 1.0 if options.blend is None else 0.95  # shares of the work, for the progress
    first_at = filled_at if refiner is None else filled_at / 2
    blended = options.blend is not None
    run = Run(
        instance(record.name, options.weights),
        device,
        as_seed(options.seed),
        options.explain,
        rim=blended and refiner is None,
        progress=part_of(progress, 0, first_at),
        preview=preview,
    )
    completed, details = _fill_holes(Planes(pixels, hole, edges, colours=colours), run)
    if refiner is not None:
        report = part_of(progress, first_at, filled_at)
        run = replace(run, method=instance(refiner), rim=blended, progress=report, preview=None)
        completed, refined = _fill_holes(Planes(pixels, hole, edges, completed, colours), run)
        notes = [*details["notes"], f"Texture refined by {catalogue.get(refiner).title}."]
        details = {**details, "notes": notes, "refine": refined}
    followed = record.accepts_colours or (refiner is not None and catalogue.get(refiner).accepts_colours)
    if colours is not None and not followed:
        able = ", ".join(each.title for each in catalogue.methods() if each.accepts_colours)
        details = {**details, "notes": [*details["notes"], f"{record.title} does not follow colours; {able} do."]}
    if options.blend is not None:
        completed = blend(pixels, hole, completed, mixed=options.blend == "mixed")
        details = {**details, "notes": [*details["notes"], f"Blended into the photo ({options.blend} gradients)."]}
        if progress is not None:
            progress(1.0, "Blended into the photo")
    return Result(record.name, completed, time.perf_counter() - start, details)


def _fill_holes(planes: Planes, run: Run) -> tuple[np.ndarray, dict[str, Any]]:
    """Cut out every hole with its surroundings, fill it and paste it back.

    Returns:
        The completed photo, uint8 H x W x 3, and the details of `fill`.
    """
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
    return completed, {"notes": list(dict.fromkeys(notes)), "crops": sizes, **filled.extras, **sizes[-1]}


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
