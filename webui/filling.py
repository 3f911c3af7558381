"""A fill for the Edit tab: what it needs, what is shown while it runs, what is kept of it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np

from inpaint_core import InpaintError, Result, catalogue, photo
from inpaint_core.predictor import FillOptions, Progress
from webui import controls, runner, why
from webui.drawing import Drawing
from webui.files import read_mask, save_png
from webui.pictures import around, fitted, resized
from webui.runner import FillRequest, PreviewEvent, ProgressEvent
from webui.session import Session, Step

PREVIEW_SIDE = 480  # pixels, the longer side of the picture of an unfinished fill
PAIR_SIDE = 900  # and of the pictures with and without the sketch, at most


@dataclass(frozen=True)
class FillJob:
    """A fill of a visitor's photo."""

    session: Session
    picture: photo.Photo  # the session's file
    request: FillRequest


@dataclass(frozen=True)
class Running:
    """What is new while a fill runs."""

    notes: str | None = None  # a sentence; the visitor may want to stop
    preview: np.ndarray | None = None  # the hole as far as it is filled, uint8 H x W x 3


@dataclass(frozen=True)
class Finished:
    """What a fill leaves to show and to keep."""

    step: Step
    notes: str
    photo_format: str  # of the original, such as JPEG
    explanations: list[tuple[str, str]]  # path and caption of each picture of the "why" panel
    pair: list[tuple[str, str]]  # the same of the fills without and with the sketch, where both were made


def prepare(drawing: Drawing, method: str, options: FillOptions) -> FillJob:
    """Read the photo, the mask and the sketch.

    Raises:
        InpaintError: nothing is painted, or the photo is gone.
    """
    mask = drawing.mask()
    picture = drawing.session.photo()
    options = replace(options, sketch=drawing.sketch())
    return FillJob(drawing.session, picture, FillRequest(drawing.session.pixels(picture), mask, method, options))


def fill(job: FillJob, progress: Progress) -> Iterator[Running | Finished]:
    """Fill the hole.

    Raises:
        InpaintError: as `inpaint_core.inpaint`.
    """
    request = job.request
    result = yield from _run(request, progress)
    notes = []
    if request.options.sketch is not None and not catalogue.get(request.method).accepts_sketch:
        notes.append("This method does not follow a sketch; yours is kept on its layer.")
    elif request.options.sketch is not None and not _reaches_hole(request):
        notes.append("Your sketch lies outside of the mask, so it was ignored.")
    yield _finish(job, result, notes)


def fill_both(job: FillJob, progress: Progress) -> Iterator[Running | Finished]:
    """Fill the hole without and with the sketch; the fill with it is kept.

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
    without = yield from _run(replace(request, options=replace(request.options, sketch=None)), progress)
    result = yield from _run(request, progress)
    part = around(request.mask)
    pair = []
    for each, caption in ((without, "Without the sketch"), (result, "With the sketch")):
        assert each.image is not None
        hole = each.image[part]
        shown = fitted(hole, min(PAIR_SIDE, max(hole.shape[:2])))
        pair.append((str(save_png(shown, job.session.new_path(".png"))), caption))
    notes = ["Above: the hole filled without and with the lines you drew; the fill with them is kept."]
    yield _finish(job, result, notes, pair)


def _reaches_hole(request: FillRequest) -> bool:
    """True where there is a sketch and a line of it lies in the hole."""
    sketch = request.options.sketch
    return sketch is not None and bool((np.asarray(sketch) & request.mask).any())


def _run(request: FillRequest, progress: Progress) -> Generator[Running, None, Result]:
    """Fill; yields what is filled so far, returns the result."""
    part = around(request.mask)
    if runner.is_slow(request.method):
        yield Running(notes=f"**{catalogue.get(request.method).title}** takes its time; Stop ends it.")
    for event in runner.stream(request):
        if isinstance(event, ProgressEvent):
            progress(event.share, event.text)
        elif isinstance(event, PreviewEvent):
            yield Running(preview=fitted(event.image[part], PREVIEW_SIDE))
        else:
            return event
    raise AssertionError("a fill ended without a result")


def _finish(job: FillJob, result: Result, notes: list[str], pair: list[tuple[str, str]] | None = None) -> Finished:
    """Keep the result as a step; `notes` are sentences on this fill."""
    request, picture = job.request, job.picture
    sentences = [
        f"**{catalogue.get(request.method).title}** filled {request.mask.mean():.2%} of the photo "
        f"in {result.seconds:.2f} s.",
        *result.details.get("notes", []),
        *notes,
    ]
    if not picture.exact:
        sentences.append(
            f"{picture.format} cannot store known pixels unchanged; the PNG does."
            if picture.format != "JPEG"
            else "JPEG compresses the whole photo anew; the PNG keeps every known pixel bit for bit."
        )
    return Finished(
        step=_save(job.session, request, result),
        notes=" ".join(sentences),
        photo_format=picture.format,
        explanations=why.pictures(request.image, result, job.session.new_path),
        pair=pair or [],
    )


def _save(session: Session, request: FillRequest, result: Result) -> Step:
    """Write what the step needs to the visitor's folder."""
    assert result.image is not None
    mask = changed = save_png(request.mask, session.new_path(".png"))
    if session.base_changed is not None:
        changed = save_png(request.mask | read_mask(session.base_changed), session.new_path(".png"))
    return Step(
        session=session,
        image=save_png(result.image, session.new_path(".png")),
        mask=mask,
        changed=changed,
        before=save_png(resized(request.image, session.canvas_size), session.new_path(".png")),
        after=save_png(resized(result.image, session.canvas_size), session.new_path(".png")),
    )
