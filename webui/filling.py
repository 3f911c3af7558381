"""What happens when Fill is pressed: the order, news while it runs, the result, with and without the sketch."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class _Asked:
    """What a visitor asks for."""

    session: Session
    picture: photo.Photo  # the session's file
    order: Order


@in_one_sentence
def fill(*inputs: Any) -> Iterator[tuple[Any, ...]]:
    """Fill the hole; `inputs` are those of `_asked`."""
    asked = _asked(*inputs)
    order = asked.order
    result = yield from _watch(order)
    words = []
    if order.sketch is not None and not catalogue.get(order.method).accepts_sketch:
        words.append("This method does not follow a sketch; yours is kept on its layer.")
    elif order.sketch is not None and not (order.sketch & order.mask).any():
        words.append("Your sketch lies outside of the mask, so it was ignored.")
    yield _shown(asked, result, words, gr.Gallery(value=None, visible="hidden"))


@in_one_sentence
def fill_both(*inputs: Any) -> Iterator[tuple[Any, ...]]:
    """Fill the hole without and with the sketch; `inputs` are those of `_asked`."""
    asked = _asked(*inputs)
    order = asked.order
    record = catalogue.get(order.method)
    if not record.accepts_sketch:
        able = [each.title for each in inpaint_core.methods() if each.accepts_sketch and each.ready]
        raise InpaintError(
            f"{record.title} does not follow a sketch; choose {' or '.join(able)}."
            if able
            else "No method that follows a sketch has its weights here; the Methods tab says how to make them."
        )
    if order.sketch is None or not (order.sketch & order.mask).any():
        raise InpaintError("There is no line inside of the mask; choose Sketch above the photo and draw one.")
    without = yield from _watch(replace(order, sketch=None))
    result = yield from _watch(order)
    around = _around(order.mask)
    pictures = []
    for each, caption in ((without, "Without the sketch"), (result, "With the sketch")):
        assert each.image is not None
        part = each.image[around]
        part = shrink(part, _fitted(part, min(PAIR_SIDE, max(part.shape))))
        pictures.append((str(save_png(part, asked.session.new_path(".png"))), caption))
    words = ["Above: the hole filled without and with the lines you drew; the fill with them is kept."]
    yield _shown(asked, result, words, gr.Gallery(value=pictures, visible=True))


def _asked(
    session: Session | None,
    drawing: Drawing,
    method: str,
    seed: float | None,
    refine: bool,
    blend: str,
    explain: bool,
    *repairs: Any,
) -> _Asked:
    """What the Edit tab's inputs, in the order in which it hands them over, ask for."""
    session = need(session)
    gr.Progress()(0, desc="Reading the photo and the mask")
    hole = canvas.hole_of(session, drawing, Repairs(*repairs))
    picture = session.photo()
    order = Order(
        image=session.pixels(picture),
        mask=hole,
        method=method,
        sketch=canvas.sketch_of(session, drawing),
        seed=int(seed or 0),
        refine="patchmatch" if refine else None,
        blend=blend or None,
        explain=explain,
    )
    return _Asked(session, picture, order)


def _watch(order: Order) -> Generator[tuple[Any, ...], None, Result]:
    """Fill; what is filled so far is shown while it runs. Returns the result."""
    around, progress = _around(order.mask), gr.Progress()
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


def _shown(asked: _Asked, result: Result, words: list[str], pair: gr.Gallery) -> tuple[Any, ...]:
    """Keep the result; returns what the page shows of it, in the order of `OUTPUTS`: `words` are of this fill."""
    order, picture = asked.order, asked.picture
    last_mask, outcome = _keep(asked.session, order, result)
    title = catalogue.get(order.method).title
    told = [
        f"**{title}** filled {order.mask.mean():.2%} of the photo in {result.seconds:.2f} s.",
        *result.details.get("notes", []),
        *words,
    ]
    if not picture.exact:
        told.append(
            f"{picture.format} cannot store known pixels unchanged; the PNG does."
            if picture.format != "JPEG"
            else "JPEG compresses the whole photo anew; the PNG keeps every known pixel bit for bit."
        )
    return (
        outcome,
        gr.ImageSlider(value=(str(outcome.before), str(outcome.after)), visible=True),
        pair,
        " ".join(told),
        gr.Row(visible=True),
        gr.Button(f"Save as {picture.format}"),
        why.pictures(order.image, result, asked.session.new_path),
        str(last_mask),
        *ended(),
    )
