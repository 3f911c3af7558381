"""The drawing canvas: a component of our own, scenes sent to it, strokes taken from it, masks made of them."""

from __future__ import annotations

import base64
import binascii
import io
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np
from PIL import Image

from inpaint_core import InpaintError, masks
from webui.session import Session, read_rgb

LAYERS = ("mask", "sketch")
MASK_PAINT = (255, 45, 85)
SKETCH_PAINT = (15, 23, 42)
GROWN_PAINT = (255, 180, 40)
MOST_CHARACTERS = 32_000_000  # of one layer in base64: random pixels on a 2-megapixel canvas stay below

Drawing = dict[str, str] | None
"""What the canvas hands over: for each layer a PNG as a data URL, painted where its alpha is above 0."""


def component() -> gr.HTML:
    """The canvas; its value is a scene for the browser, its strokes come with events that use `strokes_at`."""
    return gr.HTML(
        None,
        html_template="<div></div>",
        js_on_load=(Path(__file__).parent / "canvas.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        label="Canvas",
        elem_id="canvas",
    )


PRESS_DOWNLOAD = "() => window.studio.download()"
"""Runs in the browser once the hidden download button has its file."""


def strokes_at(index: int, count: int) -> str:
    """JavaScript for an event with `count` inputs: input `index`, the canvas, hands over its strokes of now."""
    names = [f"input{number}" for number in range(count)]
    given = ", ".join(names)
    names[index] = "window.studio.strokes()"
    return f"({given}) => [{', '.join(names)}]"


@dataclass(frozen=True)
class Repairs:
    """What the mask doctor is asked to do, lengths in pixels of the canvas."""

    grow: float = 0
    close_loops: bool = False
    specks: int = 0
    flip: bool = False


def painted(session: Session, drawing: Drawing, layer: str) -> np.ndarray:
    """What is painted on one layer: bool of the canvas' size, True = painted.

    Raises:
        InpaintError: what arrived is not a layer of this canvas.
    """
    height, width = session.canvas_size
    url = drawing.get(layer) if isinstance(drawing, dict) else None
    if url is None:
        return np.zeros((height, width), bool)
    head, _, body = url.partition(",")
    try:
        if head != "data:image/png;base64" or len(body) > MOST_CHARACTERS:
            raise ValueError
        with Image.open(io.BytesIO(base64.b64decode(body, validate=True)), formats=["PNG"]) as image:
            if image.size != (width, height):  # known before a pixel is decoded
                raise ValueError
            return masks.from_layers([image.convert("RGBA")])
    except (ValueError, OSError, binascii.Error) as error:
        raise InpaintError("The strokes do not belong to this photo; open the photo again.") from error


def hole_of(session: Session, drawing: Drawing, repairs: Repairs) -> np.ndarray:
    """The repaired mask in the size of the photo, bool.

    Raises:
        InpaintError: nothing is painted, or everything.
    """
    strokes = painted(session, drawing, "mask")
    if not strokes.any() and not repairs.flip:
        if painted(session, drawing, "sketch").any():
            raise InpaintError("Only the Sketch layer is painted; choose Mask and paint what is to be filled.")
        raise InpaintError("Nothing is painted yet; brush over what is to be filled, or press Random mask.")
    scale = session.width / session.canvas_size[1]
    full = masks.resize(strokes, session.height, session.width)
    full = masks.repair(
        full,
        invert=repairs.flip,
        close_loops=repairs.close_loops,
        remove_specks=round(repairs.specks * scale**2),
        dilate=repairs.grow * scale,
    )
    return masks.check(full, session.height, session.width)


def sketch_of(session: Session, drawing: Drawing) -> np.ndarray | None:
    """The drawn edges in the size of the photo, bool, or None where nothing was drawn."""
    lines = painted(session, drawing, "sketch")
    return masks.resize(lines, session.height, session.width) if lines.any() else None


def scene(session: Session, mask: np.ndarray | None = None, sketch: np.ndarray | None = None) -> dict[str, Any]:
    """What the canvas shows: the photo, a mask and a sketch (bool, any size) on their layers."""
    height, width = session.canvas_size
    shown = {"id": uuid.uuid4().hex, "width": width, "height": height, "photo": _jpeg(session.canvas)}
    if session.first_canvas is not None:
        shown["original"] = _jpeg(session.first_canvas)
    if mask is not None:
        shown["mask"] = _layer(session, mask, MASK_PAINT)
    if sketch is not None:
        shown["sketch"] = _layer(session, sketch, SKETCH_PAINT)
    return shown


def mask_scene(session: Session, mask: np.ndarray) -> dict[str, Any]:
    """The same photo and sketch with another mask (bool, any size); the canvas can undo it."""
    return {"id": uuid.uuid4().hex, "mask": _layer(session, mask, MASK_PAINT)}


def sketch_scene(session: Session, sketch: np.ndarray, found: bool = False) -> dict[str, Any]:
    """The same photo and mask with another sketch (bool, any size); the canvas can undo it.

    Edges that were `found` come on top of the lines drawn by hand, in place of those found just before.
    """
    return {"id": uuid.uuid4().hex, "sketch": _layer(session, sketch, SKETCH_PAINT), "found": found}


def _jpeg(path: Path) -> str:
    """A data URL to look at; what is filled is the file itself, never this copy."""
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


def preview(session: Session, drawing: Drawing, repairs: Repairs) -> tuple[np.ndarray, masks.Diagnosis]:
    """What will be filled, drawn over the photo: the strokes in red, what the repairs add in amber.

    Returns:
        uint8 H x W x 3 of the canvas' size, and what the mask doctor finds in the mask before growing.
    """
    strokes = painted(session, drawing, "mask")
    mended = masks.repair(strokes, invert=repairs.flip, close_loops=repairs.close_loops, remove_specks=repairs.specks)
    final = masks.repair(mended, dilate=repairs.grow)
    picture = read_rgb(session.canvas)
    shown = (picture * 0.55).astype(np.uint8)  # dimmed, so that thin masks stand out
    shown[final] = GROWN_PAINT
    shown[final & strokes] = MASK_PAINT
    return np.asarray(cv2.addWeighted(shown, 0.75, picture, 0.25, 0)), masks.diagnose(
        mended if repairs.flip else strokes
    )
