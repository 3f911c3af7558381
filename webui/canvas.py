"""The drawing canvas, a component of our own: the server sends scenes, the browser sends strokes."""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from inpaint_core import masks
from inpaint_core.masks.boxes import Box, bounding_box
from webui.files import read_mask, read_rgb
from webui.pictures import resized
from webui.session import Session, Step

MASK_PAINT = (255, 45, 85)
SKETCH_PAINT = (15, 23, 42)
GROWN_PAINT = (255, 180, 40)

SCRIPTS = (
    *("markup", "layers", "steps", "overlays", "view", "drafts", "tools"),
    *("pointers", "running", "clipboard", "viewer", "exchange"),
)
"""Files of `static/canvas/` in the order in which the browser runs them."""

HAND_OVER_STROKES = "(...inputs) => window.studio.withStrokes(inputs)"
"""The `js` of an event that has the canvas among its inputs, wherever: its value becomes the strokes of now."""

START_RUN = "(...inputs) => window.studio.startRun(inputs)"
"""The same for an event that fills: the canvas shows that it runs, and knows the result by its `run`."""

END_RUN = "() => window.studio.finishRun()"
"""Runs in the browser when such an event is over, however it ended."""

HAND_OVER_PLACE = "(...inputs) => window.studio.withPlace(inputs)"
"""The same for an event that only needs to know which step is shown; no layer is sent."""

END_SELECT = "() => window.studio.endSelect()"
"""Runs in the browser when no object was found on which the visitor scribbled."""

PRESS_DOWNLOAD = "() => window.studio.download()"
"""Runs in the browser once the hidden download button has its file."""


def component(**settings: Any) -> gr.HTML:
    """The canvas: a photo under a Mask and a Sketch layer. Its value is a scene when set, strokes when an input."""
    # No subclass of gr.HTML: gradio would write a .pyi file beside this one.
    folder = Path(__file__).parent / "static" / "canvas"
    return gr.HTML(
        None,
        html_template="<div></div>",
        js_on_load="\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS),
        apply_default_css=False,
        label="Canvas",
        elem_id="canvas",
        **settings,
    )


def scene(session: Session, mask: np.ndarray | None = None, sketch: np.ndarray | None = None) -> dict[str, Any]:
    """What the canvas shows: the photo, a mask and a sketch (bool, any size) on their layers."""
    height, width = session.canvas_size
    shown = {**new_scene(), "session": session.key, "width": width, "height": height, "photo": _picture(session)}
    shown |= {"save_as": session.format, "transparent": session.transparent}
    if mask is not None:
        shown["mask"] = _layer(session, mask, MASK_PAINT)
    if sketch is not None:
        shown["sketch"] = _layer(session, sketch, SKETCH_PAINT)
    return shown


def steps_scene(steps: Sequence[Step], run: str, side_by_side: bool = False) -> dict[str, Any]:
    """New fills of the photo, the last of which is shown; the canvas can undo it.

    Args:
        steps: of one photo, at least one.
        run: of the strokes that they were asked for with; what was painted since then stays.
        side_by_side: show all of them in the viewer.
    """
    session = steps[-1].session
    return {
        **new_scene(),
        "session": session.key,
        "run": run,
        "steps": [as_sent(step) for step in steps],
        "side_by_side": side_by_side,
    }


def running_scene(
    session: Session, share: float | None, text: str, preview: tuple[np.ndarray, Box] | None = None
) -> dict[str, Any]:
    """How far a fill is.

    Args:
        session: the photo that is being filled.
        share: in [0, 1], or None where nothing is known of it.
        text: what is being done.
        preview: what is filled so far, uint8 H x W x 3, and where it belongs, in pixels of the canvas.
    """
    shown = {**new_scene(), "session": session.key, "running": {"share": share, "text": text}}
    if preview is not None:
        picture, box = preview
        shown["preview"] = {"picture": _data_url(picture, "JPEG", quality=85), "box": _corner_and_size(box)}
    return shown


def mask_scene(session: Session, mask: np.ndarray, add: bool = False) -> dict[str, Any]:
    """The same photo and sketch with another mask (bool, any size), with `add` more of it; the canvas can undo it."""
    return {**new_scene(), "mask": _layer(session, mask, MASK_PAINT), "add": add}


def sketch_scene(session: Session, sketch: np.ndarray, found: bool = False) -> dict[str, Any]:
    """The same photo and mask with another sketch (bool, any size); the canvas can undo it.

    Edges that were `found` come on top of the lines drawn by hand, in place of those found just before.
    """
    return {**new_scene(), "sketch": _layer(session, sketch, SKETCH_PAINT), "found": found}


def new_scene() -> dict[str, Any]:
    """The field that marks a scene, different for each, so that the browser draws each once."""
    return {"scene": uuid.uuid4().hex}


def as_sent(step: Step) -> dict[str, Any]:
    """A fill as the canvas keeps it: the pixels that it changed, and where."""
    height, width = step.session.canvas_size
    hole = masks.resize(read_mask(step.mask), height, width)
    box = bounding_box(hole)
    patch = np.dstack([read_rgb(step.after)[box.slices], hole[box.slices].astype(np.uint8) * 255])
    return {
        "id": step.id,
        "parent": step.session.step,
        "title": step.title,
        "seconds": round(step.seconds, 2),
        "patch": _data_url(patch, "PNG", compress_level=1),
        "box": _corner_and_size(box),
    }


def _corner_and_size(box: Box) -> list[int]:
    """x, y, width and height."""
    return [box.left, box.top, box.width, box.height]


def _picture(session: Session) -> str:
    """A data URL of the photo for display; the file itself is filled, never this copy."""
    pixels, alpha = read_rgb(session.canvas), session.photo().alpha if session.transparent else None
    if alpha is None:
        return _data_url(pixels, "JPEG", quality=92)
    return _data_url(np.dstack([pixels, resized(alpha, session.canvas_size)]), "WEBP", quality=92)


def _layer(session: Session, mask: np.ndarray, paint: tuple[int, int, int]) -> str:
    """A mask or sketch as a data URL of a PNG with the paint on transparent ground."""
    height, width = session.canvas_size
    layer = np.zeros((height, width, 4), np.uint8)
    layer[masks.resize(mask, height, width)] = (*paint, 255)
    return _data_url(layer, "PNG", compress_level=1)


def _data_url(picture: np.ndarray, form: str, **settings: Any) -> str:
    """uint8 H x W x 3 or 4 as a data URL of a file of this format."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, form, **settings)
    return f"data:image/{form.lower()};base64," + base64.b64encode(buffer.getvalue()).decode()
