"""What happens when Fill is pressed: the order, news while it runs, the result, with and without the sketch."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np

import inpaint_core
from inpaint_core import InpaintError, Result, catalogue, photo
from webui import canvas, runner, why
from webui.canvas import Drawing, Repairs
from webui.errors import in_one_sentence
from webui.runner import Order, Progress, Unfinished
from webui.session import Outcome, Session, need, read_hole, save_png, shrink

OUTPUTS = ("outcome", "slider", "pair", "notes", "after", "save", "reasons", "last_mask", "live", "stop")
"""What a fill sets on the page, in the order in which it yields them."""

LOOK_SIDE = 480  # pixels, the longer side of the picture of an unfinished fill
PAIR_SIDE = 900  # and of the pictures with and without the sketch, at most


@in_one_sentence
def fill(
    session: Session | None,
    drawing: Drawing,
    method: str,
    seed: float | None,
    refine: bool,
    blend: str,
    explain: bool,
    *repairs: Any,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  (gradio finds it by its default)
) -> Iterator[tuple[Any, ...]]:
    session, picture, order = _order(session, drawing, method, seed, refine, blend, explain, repairs, progress)
    result = yield from _watch(order, progress)
    last_mask, outcome = _keep(session, order, result)
    words = _words(order, result)
    if order.sketch is not None and not catalogue.get(method).accepts_sketch:
        words.append("This method does not follow a sketch; yours is kept on its layer.")
    elif order.sketch is not None and not (order.sketch & order.mask).any():
        words.append("Your sketch lies outside of the mask, so it was ignored.")
    yield _shown(outcome, picture, order, result, words, last_mask, gr.Gallery(value=None, visible="hidden"))


@in_one_sentence
def fill_both(
    session: Session | None,
    drawing: Drawing,
    method: str,
    seed: float | None,
    refine: bool,
    blend: str,
    explain: bool,
    *repairs: Any,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  (gradio finds it by its default)
) -> Iterator[tuple[Any, ...]]:
    session, picture, order = _order(session, drawing, method, seed, refine, blend, explain, repairs, progress)
    record = catalogue.get(method)
    if not record.accepts_sketch:
        able = [each.title for each in inpaint_core.methods() if each.accepts_sketch and each.ready]
        raise InpaintError(
            f"{record.title} does not follow a sketch; choose {' or '.join(able)}."
            if able
            else "No method that follows a sketch has its weights here; the Methods tab says how to make them."
        )
    if order.sketch is None or not (order.sketch & order.mask).any():
        raise InpaintError("There is no line inside of the mask; choose Sketch above the photo and draw one.")
    without = yield from _watch(replace(order, sketch=None), progress)
    result = yield from _watch(order, progress)
    last_mask, outcome = _keep(session, order, result)
    around = _around(order.mask)
    pictures = []
    for each, caption in ((without, "Without the sketch"), (result, "With the sketch")):
        assert each.image is not None
        part = each.image[around]
        part = shrink(part, _fitted(part, min(PAIR_SIDE, max(part.shape))))
        pictures.append((str(save_png(part, session.new_path(".png"))), caption))
    words = _words(order, result)
    words.append("Above: the hole filled without and with the lines you drew; the fill with them is kept.")
    yield _shown(outcome, picture, order, result, words, last_mask, gr.Gallery(value=pictures, visible=True))


def _order(
    session: Session | None,
    drawing: Drawing,
    method: str,
    seed: float | None,
    refine: bool,
    blend: str,
    explain: bool,
    repairs: tuple[Any, ...],
    progress: gr.Progress,
) -> tuple[Session, photo.Photo, Order]:
    """The session, its file, and what the visitor asks for."""
    session = need(session)
    progress(0, desc="Reading the photo and the mask")
    hole = canvas.hole_of(session, drawing, Repairs(*repairs))
    picture = session.photo()
    return (
        session,
        picture,
        Order(
            image=session.pixels(picture),
            mask=hole,
            method=method,
            sketch=canvas.sketch_of(session, drawing),
            seed=int(seed or 0),
            refine="patchmatch" if refine else None,
            blend=blend or None,
            explain=explain,
        ),
    )


def _watch(order: Order, progress: gr.Progress) -> Generator[tuple[Any, ...], None, Result]:
    """Fill; what is filled so far is shown while it runs. Returns the result."""
    around = _around(order.mask)
    slow = runner.is_slow(order.method)
    if slow:
        title = catalogue.get(order.method).title
        yield _only(notes=f"**{title}** takes its time; Stop ends it.", stop=gr.Button(visible=True))
    for news in runner.steps(order):
        if isinstance(news, Progress):
            progress(news.share, desc=news.text)
        elif isinstance(news, Unfinished):
            part = news.image[around]
            kind = cv2.INTER_AREA if max(part.shape) > LOOK_SIDE else cv2.INTER_NEAREST
            part = cv2.resize(part, _fitted(part, LOOK_SIDE)[::-1], interpolation=kind)
            yield _only(live=gr.Image(value=part, visible=True))
        else:
            return news
    raise AssertionError("a fill ended without a result")


def _only(notes: str | None = None, live: gr.Image | None = None, stop: gr.Button | None = None) -> tuple[Any, ...]:
    """The outputs of a fill with nothing new but these."""
    new = {"notes": notes, "live": live, "stop": stop}
    return tuple(new.get(name) or gr.skip() for name in OUTPUTS)


def ended() -> tuple[Any, ...]:
    """No unfinished picture and no Stop button any more."""
    return gr.Image(value=None, visible=False), gr.Button(visible=False)


def stopped() -> tuple[Any, ...]:
    """The same, with a word for the visitor who pressed Stop."""
    return "Stopped; nothing was changed.", *ended()


def _around(mask: np.ndarray) -> tuple[slice, slice]:
    """The hole with half of its longer side around it."""
    spans = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    margin = round(max(np.ptp(span) + 1 for span in spans) / 2)
    rows, columns = (slice(max(0, int(span[0]) - margin), int(span[-1]) + 1 + margin) for span in spans)
    return rows, columns


def _fitted(image: np.ndarray, side: int) -> tuple[int, int]:
    """Height and width of the image brought to a longer side of `side` pixels."""
    scale = side / max(image.shape[:2])
    return max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))


def _keep(session: Session, order: Order, result: Result) -> tuple[Path, Outcome]:
    """Save the result; returns the path of its mask, and what to go on from."""
    assert result.image is not None
    last_mask = changed = save_png(order.mask.astype(np.uint8) * 255, session.new_path(".png"))
    if session.base_hole is not None:
        both = order.mask | read_hole(session.base_hole)
        changed = save_png(both.astype(np.uint8) * 255, session.new_path(".png"))
    return last_mask, Outcome(
        session=session,
        image=save_png(result.image, session.new_path(".png")),
        hole=changed,
        before=save_png(shrink(order.image, session.canvas_size), session.new_path(".png")),
        after=save_png(shrink(result.image, session.canvas_size), session.new_path(".png")),
    )


def _words(order: Order, result: Result) -> list[str]:
    """What was done, in sentences."""
    title = catalogue.get(order.method).title
    return [
        f"**{title}** filled {order.mask.mean():.2%} of the photo in {result.seconds:.2f} s.",
        *result.details.get("notes", []),
    ]


def _shown(
    outcome: Outcome,
    picture: photo.Photo,
    order: Order,
    result: Result,
    words: list[str],
    last_mask: Path,
    pair: gr.Gallery,
) -> tuple[Any, ...]:
    """What the page shows once a fill is done, in the order of its outputs."""
    if not picture.exact:
        words.append(
            f"{picture.format} cannot store known pixels unchanged; the PNG does."
            if picture.format != "JPEG"
            else "JPEG compresses the whole photo anew; the PNG keeps every known pixel bit for bit."
        )
    return (
        outcome,
        gr.ImageSlider(value=(str(outcome.before), str(outcome.after)), visible=True),
        pair,
        " ".join(words),
        gr.Row(visible=True),
        gr.Button(f"Save as {picture.format}"),
        why.pictures(order.image, result, outcome.session.new_path),
        str(last_mask),
        *ended(),
    )
