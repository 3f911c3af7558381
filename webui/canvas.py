"""The drawing canvas, a component of our own: the server sends scenes, the browser sends strokes."""

from __future__ import annotations

import base64
import io
import uuid
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from inpaint_core import masks
from webui.files import read_rgb
from webui.session import Session

MASK_PAINT = (255, 45, 85)
SKETCH_PAINT = (15, 23, 42)
GROWN_PAINT = (255, 180, 40)

SCRIPTS = ("markup", "layers", "overlays", "view", "tools", "pointers", "exchange")
"""Files of `static/canvas/` in the order in which the browser runs them."""

HAND_OVER_STROKES = "(...inputs) => window.studio.withStrokes(inputs)"
"""The `js` of an event that has the canvas among its inputs, wherever: its value becomes the strokes of now."""

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
    shown = {**_new_scene(), "width": width, "height": height, "photo": _jpeg(session.canvas)}
    if session.first_canvas is not None:
        shown["original"] = _jpeg(session.first_canvas)
    if mask is not None:
        shown["mask"] = _layer(session, mask, MASK_PAINT)
    if sketch is not None:
        shown["sketch"] = _layer(session, sketch, SKETCH_PAINT)
    return shown


def mask_scene(session: Session, mask: np.ndarray) -> dict[str, Any]:
    """The same photo and sketch with another mask (bool, any size); the canvas can undo it."""
    return {**_new_scene(), "mask": _layer(session, mask, MASK_PAINT)}


def sketch_scene(session: Session, sketch: np.ndarray, found: bool = False) -> dict[str, Any]:
    """The same photo and mask with another sketch (bool, any size); the canvas can undo it.

    Edges that were `found` come on top of the lines drawn by hand, in place of those found just before.
    """
    return {**_new_scene(), "sketch": _layer(session, sketch, SKETCH_PAINT), "found": found}


def _new_scene() -> dict[str, Any]:
    """The field that marks a scene, different for each, so that the browser draws each once."""
    return {"scene": uuid.uuid4().hex}


def _jpeg(path: Path) -> str:
    """A data URL of a picture for display; the file itself is filled, never this copy."""
    buffer = io.BytesIO()
    Image.fromarray(read_rgb(path)).save(buffer, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _layer(session: Session, mask: np.ndarray, paint: tuple[int, int, int]) -> str:
    """A mask or sketch as a data URL of a PNG with the paint on transparent ground."""
    height, width = session.canvas_size
    layer = np.zeros((height, width, 4), np.uint8)
    layer[masks.resize(mask, height, width)] = (*paint, 255)
    buffer = io.BytesIO()
    Image.fromarray(layer).save(buffer, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
