"""Fills the holes of a photo with one method: check, plan crops, fill each, paste, refine, blend.

Read from top to bottom: a photo (`fill`), all its holes (`_fill_holes`), one crop (`_fill_crop`), one crop at one scale
(`_fill_at`).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from inpaint_core import catalogue
from inpaint_core.arguments import as_colours, as_image, as_mask, choose_device
from inpaint_core.numeric import as_seed
from inpaint_core.predictor.blending import blend
from inpaint_core.predictor.crops import Crop, depth, plan_for
from inpaint_core.predictor.instances import instance
from inpaint_core.predictor.known_edges import known_edges
from inpaint_core.predictor.mosaic import pixelated
from inpaint_core.predictor.options import FillOptions, Result
from inpaint_core.predictor.planes import Planes
from inpaint_core.predictor.resize import as_photo, pad_to_multiple, resize_known
from inpaint_core.progress import Preview, Progress, part_of, throttled
from inpaint_core.sketch import as_sketch

if TYPE_CHECKING:
    from torch import Tensor

    from inpaint_core.methods.base import Filled, FillMethod

MIN_PIXELS_AFTER_OUT_OF_MEMORY = 128 * 128


@dataclass(frozen=True)
class Run:
    """How a method fills a photo, or a crop of it."""

    method: FillMethod
    device: str
    seed: int = 0
    explain: bool = False
    rim: bool = False  # for a blend: known pixels beside the hole, too, come back as the method makes them
    progress: Progress | None = None
    preview: Preview | None = None


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
        filled = _fill_crop(
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
        sizes.append({"box": crop.box, "scale": filled.scale})
        if run.progress is not None:
            run.progress((index + 1) / len(crops), f"{index + 1} of {len(crops)} regions")
    return completed, {"notes": list(dict.fromkeys(notes)), "crops": sizes, **filled.extras, **sizes[-1]}


@dataclass(frozen=True)
class FilledCrop:
    """A crop after its fill."""

    image: np.ndarray  # uint8 H x W x 3, of which (without a rim) the hole counts
    scale: float  # at which it was filled
    notes: list[str]
    extras: dict[str, Any]


def _fill_crop(planes: Planes, run: Run) -> FilledCrop:
    """Fill a crop at the largest scale that the method and the device's memory can take."""
    import torch

    height, width = planes.mask.shape
    max_pixels = run.method.max_pixels
    first_notes: list[str] = []
    while True:
        scale = _scale(planes.mask, run.method, max_pixels)
        try:
            filled = _fill_at(scale, planes, run)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            used = round(height * scale) * round(width * scale)
            too_big = isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)
            can_shrink = not run.method.fixed_size and used > MIN_PIXELS_AFTER_OUT_OF_MEMORY
            if run.device == "cpu" or not too_big or not can_shrink:
                raise
            max_pixels = used // 2
            if run.device.startswith("cuda"):
                torch.cuda.empty_cache()
            first_notes = ["The GPU's memory did not suffice, so a smaller scale was used."]
            continue
        last_notes = [f"Filled at {scale:.0%} of the photo's size and enlarged."] if scale < 1 else []
        return replace(filled, notes=[*first_notes, *filled.notes, *last_notes])


def _scale(mask: np.ndarray, method: FillMethod, max_pixels: int | None) -> float:
    """The scale at which a method takes a crop with this hole, of no more than so many pixels."""
    height, width = mask.shape
    if method.fixed_size and method.native_size:
        return method.native_size / max(height, width)
    scale = min(1.0, math.sqrt(max_pixels / (height * width))) if max_pixels else 1.0
    if method.max_depth is not None:
        scale = min(scale, method.max_depth / depth(mask))
    return scale


def _fill_at(scale: float, planes: Planes, run: Run) -> FilledCrop:
    """Scale a crop, pad it, run the method, and undo both."""
    import torch

    from inpaint_core.methods.base import FillContext

    method = run.method
    height, width = planes.mask.shape
    size = new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    small, hole = resize_known(planes.image, planes.mask, new_height, new_width)
    if not hole.any():  # every pixel of the smaller photo has a known part: their mean is the fill
        return FilledCrop(as_photo(small, height, width), scale, [], {})
    notes = []
    if method.reads_hole:
        small, note = pixelated(planes.image, planes.mask, small, hole, scale)
        notes.append(note)
    else:  # nothing of the hole's content may reach a method (OpenCV's Navier-Stokes, for one, would read it)
        small = np.where(hole[..., None] > 0, small[hole == 0].mean(axis=0), small).astype(np.float32)
    target = run.device if method.uses_gpu else "cpu"

    def tensor(array: np.ndarray) -> Tensor:
        """H x W (x C) float32 -> 1 x C x H' x W' on the device, padded to the method's multiples."""
        padded = pad_to_multiple(array, method.multiple_of, method.native_size if method.fixed_size else None)
        return torch.from_numpy(np.ascontiguousarray(np.atleast_3d(padded).transpose(2, 0, 1))[None]).to(target)

    def crop_of(output: Tensor) -> np.ndarray:
        """The method's output at the size of the crop, uint8 H x W x 3."""
        result = output[0, :, :new_height, :new_width].permute(1, 2, 0).float().cpu().numpy()
        if scale != 1 and not run.rim:  # what is enlarged runs into its surroundings: let them be the photo
            result = np.where(hole[..., None] > 0, result, small)
        return as_photo(result, height, width)

    sketch = initial = colours = None
    if planes.sketch is not None:
        lines = cv2.resize(planes.sketch.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
        sketch = tensor((lines > 0.25 * min(1.0, scale)).astype(np.float32))
    if planes.initial is not None:
        start = cv2.resize(planes.initial, size[::-1], interpolation=cv2.INTER_AREA)
        initial = tensor(start.astype(np.float32) / 255)
    if planes.colours is not None:
        painted = (planes.colours[..., 3] > 127) & planes.mask
        dabs, unpainted = resize_known(planes.colours[..., :3], ~painted, new_height, new_width)
        colours = tensor(np.dstack((dabs, (1 - unpainted) * hole)).astype(np.float32))
    show: Preview | None = run.preview
    context = FillContext(
        sketch=sketch,
        colours=colours,
        edges=None if sketch is None or not method.reads_edges else tensor(known_edges(small, hole, run.device)),
        initial=initial,
        generator=torch.Generator(target).manual_seed(run.seed),
        explain=run.explain,
        progress=run.progress,
        preview=None if show is None else throttled(lambda output: show(crop_of(output))),
    )
    with torch.no_grad():
        filled: Filled = method.fill(tensor(small), tensor(hole), context)
    return FilledCrop(crop_of(filled.image), scale, [*notes, *filled.notes], dict(filled.extras))


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
