"""A fill for the Edit tab: what it needs, what is shown while it runs, what is kept of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np

import inpaint_core
from inpaint_core import InpaintError, Result, catalogue, photo
from inpaint_core.masks.boxes import Box
from inpaint_core.predictor import FillOptions
from webui import controls, disk, runner, why
from webui.drawing import Drawing
from webui.files import read_mask, save_png
from webui.pictures import around, fitted, resized
from webui.runner import FillRequest, PreviewEvent, ProgressEvent
from webui.session import Session, Step

PREVIEW_SIDE = 480  # pixels, the longer side of the picture of an unfinished fill
VARIATIONS = 4  # of one hole, side by side
REPORT_SECONDS = 0.25  # between two reports of progress, at least


@dataclass(frozen=True)
class FillJob:
    """A fill of a visitor's photo."""

    session: Session
    picture: photo.Photo  # the session's file
    request: FillRequest


@dataclass(frozen=True)
class Running:
    """How far a fill is."""

    share: float | None  # in [0, 1]; None before the method's first report
    text: str
    preview: tuple[np.ndarray, Box] | None = None  # filled so far, uint8 H x W x 3, and its place on the canvas


@dataclass(frozen=True)
class Finished:
    """What a fill leaves to show and to keep."""

    steps: list[Step]  # the last one is shown
    notes: str
    explanations: list[tuple[str, str]]  # path and caption of each picture of the "why" panel


def prepare(drawing: Drawing, method: str, options: FillOptions) -> FillJob:
    """Read the photo, the mask and the sketch.

    Raises:
        InpaintError: nothing is painted, or the photo is gone.
    """
    target = drawing.target()
    disk.check_visitor(target.session.folder)
    picture = target.session.photo()
    options = replace(options, sketch=target.sketch, colours=target.colours)
    pixels = target.session.pixels(picture)
    return FillJob(target.session, picture, FillRequest(pixels, target.mask, method, options))


def fill(job: FillJob) -> Iterator[Running | Finished]:
    """Fill the hole.

    Raises:
        InpaintError: as `inpaint_core.inpaint`.
    """
    request = job.request
    result = yield from run(job)
    notes = []
    drawn = request.options.sketch is not None or request.options.colours is not None
    if request.options.sketch is not None and not catalogue.get(request.method).accepts_sketch:
        notes.append("This method does not follow a sketch.")
    elif drawn and not _reaches_hole(request):
        notes.append("Your sketch lies outside of the mask, so it was ignored.")
    yield _finished(job, [keep(job, result)], result, notes)


def fill_both(job: FillJob) -> Iterator[Running | Finished]:
    """Fill the hole without and with the sketch, as two steps; the one with it is shown.

    Raises:
        InpaintError: the method follows no sketch, or there is no line inside of the hole.
    """
    request = job.request
    record = catalogue.get(request.method)
    if not record.accepts_sketch:
        able = [each.title for each in controls.sketching_methods()]
        raise InpaintError(
            f"{record.title} does not follow a sketch; choose {' or '.join(able)}."
            if able
            else "No method that follows a sketch has its weights here; the Methods tab says how to make them."
        )
    if not _reaches_hole(request):
        raise InpaintError("There is no line inside of the mask; choose Sketch above the photo and draw one.")
    plain = replace(job, request=replace(request, options=replace(request.options, sketch=None, colours=None)))
    without = yield from run(plain)
    result = yield from run(job)
    steps = [keep(plain, without, "without the sketch"), keep(job, result, "with the sketch")]
    yield _finished(job, steps, result, ["The hole was filled without and with the lines you drew, as two steps."])


def fill_variations(job: FillJob, count: int = VARIATIONS) -> Iterator[Running | Finished]:
    """Fill the hole by several seeds, from the chosen one upwards, each a step.

    Raises:
        InpaintError: the method draws no numbers, so all fills would be alike.
    """
    request = job.request
    record = catalogue.get(request.method)
    if not record.uses_seed:
        able = [each.title for each in inpaint_core.methods() if each.uses_seed and each.ready]
        raise InpaintError(f"{record.title} draws no numbers, so every fill is the same; choose {' or '.join(able)}.")
    steps: list[Step] = []
    for seed in range(request.options.seed, request.options.seed + count):
        one = replace(job, request=replace(request, options=replace(request.options, seed=seed)))
        running = run(one)
        try:
            while True:
                state = next(running)
                share = (len(steps) + (state.share or 0)) / count
                yield replace(state, share=share, text=f"{len(steps) + 1} of {count}: {state.text}")
        except StopIteration as end:
            result = end.value
        steps.append(keep(one, result, f"seed {seed}"))
    yield _finished(one, steps, result, [f"{count} seeds fill the hole, as steps; choose one in the viewer or below."])


def _reaches_hole(request: FillRequest) -> bool:
    """True where a line or a dab of colour lies in the hole."""
    sketch, colours = request.options.sketch, request.options.colours
    lines = sketch is not None and bool((np.asarray(sketch) & request.mask).any())
    return lines or (colours is not None and bool((np.asarray(colours)[..., 3] > 0)[request.mask].any()))


def run(job: FillJob) -> Generator[Running, None, Result]:
    """Fill; yields how far it is, a few times a second, and returns the result."""
    part = around(job.request.mask)
    title = catalogue.get(job.request.method).title
    yield Running(None, f"{title} ...")
    due = 0.0
    share, text = None, f"{title} ..."
    for event in runner.stream(job.request):
        if isinstance(event, Result):
            return event
        preview = None
        if isinstance(event, ProgressEvent):
            # A method that reports nothing says 0 at its start and 1 at its end: neither is a measure.
            share, text = (event.share if 0 < event.share < 1 else share), event.text
        elif isinstance(event, PreviewEvent):
            preview = fitted(event.image[part], PREVIEW_SIDE), _on_canvas(part, job.session)
        if preview is not None or time.monotonic() >= due:
            due = time.monotonic() + REPORT_SECONDS
            yield Running(share, text, preview)
    raise AssertionError("a fill ended without a result")


def _on_canvas(part: tuple[slice, slice], session: Session) -> Box:
    """Where rows and columns of the photo are on the canvas."""
    scale = session.canvas_size[1] / session.width
    rows, columns = part
    return Box(*(round(edge * scale) for edge in (rows.start, columns.start, rows.stop, columns.stop)))


def _finished(job: FillJob, steps: list[Step], result: Result, notes: list[str]) -> Finished:
    """The message under a finished fill; `notes` are further sentences on it."""
    request, picture = job.request, job.picture
    sentences = [
        f"**{catalogue.get(request.method).title}** filled {request.mask.mean():.2%} of the photo "
        f"in {result.seconds:.2f} s.",
        *result.details.get("notes", []),
        *notes,
        "Paint what should go next, or choose another method and press Fill to try it on the same hole.",
    ]
    if not picture.exact:
        sentences.append(
            f"{picture.format} cannot store known pixels unchanged; the PNG does."
            if picture.format != "JPEG"
            else "JPEG compresses the whole photo anew; the PNG keeps every known pixel bit for bit."
        )
    explanations = why.pictures(request.image, result, job.session.new_path)
    return Finished(steps, " ".join(sentences), explanations)


def keep(job: FillJob, result: Result, remark: str = "") -> Step:
    """Write a fill to the visitor's folder, as a step of the photo.

    Raises:
        InpaintError: another photo was opened meanwhile, so this one's folder is gone.
    """
    session, request = job.session, job.request
    if not session.folder.is_dir():
        raise InpaintError("Another photo was opened meanwhile, so this fill was dropped.")
    assert result.image is not None
    title = catalogue.get(request.method).title
    mask = changed = save_png(request.mask, session.new_path(".png"))
    if session.base_changed is not None:
        changed = save_png(request.mask | read_mask(session.base_changed), session.new_path(".png"))
    sketch, colours = request.options.sketch, request.options.colours
    step = Step(
        session=session,
        id=uuid.uuid4().hex[:12],
        title=f"{title}, {remark}" if remark else title,
        seconds=result.seconds,
        image=save_png(result.image, session.new_path(".png")),
        after=save_png(resized(result.image, session.canvas_size), session.new_path(".png")),
        mask=mask,
        changed=changed,
        sketch=None if sketch is None else save_png(np.asarray(sketch), session.new_path(".png")),
        colours=None if colours is None else save_png(np.asarray(colours), session.new_path(".png")),
    )
    session.steps[step.id] = step
    return step
