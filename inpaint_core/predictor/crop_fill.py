"""Fills one crop of a photo with a method: in one step or several, each scaled, padded, run and undone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from inpaint_core.masks.boxes import Box
from inpaint_core.predictor.known_edges import known_edges
from inpaint_core.predictor.mosaic import pixelated
from inpaint_core.predictor.planes import Planes
from inpaint_core.predictor.resize import as_photo, pad_to_multiple, resize_known
from inpaint_core.predictor.steps import Step, plan_steps, with_structure_of
from inpaint_core.progress import Preview, Progress, part_of, throttled

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


@dataclass(frozen=True)
class FilledCrop:
    """A crop after its fill."""

    image: np.ndarray  # uint8 H x W x 3, of which (without a rim) the hole counts
    box: Box  # within the crop, that the last step filled
    scale: float  # at which it did so
    notes: list[str]
    extras: dict[str, Any]


def fill_crop(planes: Planes, run: Run) -> FilledCrop:
    """Fill a crop at the largest scale that the method and the device's memory can take."""
    import torch

    max_pixels = run.method.max_pixels
    first_notes: list[str] = []
    while True:
        steps = plan_steps(planes.mask, run.method, max_pixels)
        try:
            filled = _fill_in_steps(steps, planes, run)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            used = max(step.pixels for step in steps)
            too_big = isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)
            can_shrink = not run.method.fixed_size and used > MIN_PIXELS_AFTER_OUT_OF_MEMORY
            if run.device == "cpu" or not too_big or not can_shrink:
                raise
            max_pixels = used // 2
            if run.device.startswith("cuda"):
                torch.cuda.empty_cache()
            first_notes = ["The GPU's memory did not suffice, so a smaller scale was used."]
            continue
        last_notes = [f"Filled at {filled.scale:.0%} of the photo's size and enlarged."] if filled.scale < 1 else []
        if len(steps) > 1:
            *smaller, largest = (f"{step.scale:.0%}" for step in steps)
            last_notes = [
                f"Filled in {len(steps)} steps, at {', '.join(smaller)} and {largest} of the photo's size: each adds "
                "detail to the one before."
            ]
        return replace(filled, notes=[*first_notes, *filled.notes, *last_notes])


def _fill_in_steps(steps: list[Step], planes: Planes, run: Run) -> FilledCrop:
    """Fill a crop in each step, with the structure of the one before."""
    total = sum(step.pixels for step in steps)
    filled: FilledCrop | None = None
    done = 0
    for number, step in enumerate(steps, start=1):
        part = planes.cut(step.box)
        report = part_of(run.progress, done / total, (done + step.pixels) / total)
        last = number == len(steps)  # its extras are the ones to show
        finer = _fill_at(step.scale, part, replace(run, explain=run.explain and last, progress=report))
        if filled is not None:
            image = filled.image.copy()
            there = step.box.slices
            image[there] = with_structure_of(image[there], finer.image, part.mask, step.scale)
            notes = list(dict.fromkeys([*filled.notes, *finer.notes]))
            finer = replace(finer, image=image, box=step.box, notes=notes)
        filled = finer
        done += step.pixels
        if not last:
            if run.progress is not None:
                run.progress(done / total, f"Step {number} of {len(steps)}, at {step.scale:.0%} of the photo's size")
            if run.preview is not None:
                run.preview(filled.image)
    assert filled is not None
    return filled


def _fill_at(scale: float, planes: Planes, run: Run) -> FilledCrop:
    """Scale a crop, pad it, run the method, and undo both."""
    import torch

    from inpaint_core.methods.base import FillContext

    method = run.method
    height, width = planes.mask.shape
    whole = Box(0, 0, height, width)
    size = new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    small, hole = resize_known(planes.image, planes.mask, new_height, new_width)
    if not hole.any():  # every pixel of the smaller photo has a known part: their mean is the fill
        return FilledCrop(as_photo(small, height, width), whole, scale, [], {})
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
    return FilledCrop(crop_of(filled.image), whole, scale, [*notes, *filled.notes], dict(filled.extras))
