"""Strokes as the browser sends them, and the values of a page's components, for tests without a browser."""

from __future__ import annotations

import base64
import io

import gradio as gr
import numpy as np
from gradio.blocks import Block
from PIL import Image

from webui.drawing import Strokes
from webui.events import Values


def layer(painted: np.ndarray, alpha: int = 255) -> str:
    """A layer painted where the array is True."""
    pixels = np.zeros((*painted.shape, 4), np.uint8)
    pixels[painted] = (255, 45, 85, alpha)
    return picture(pixels)


def picture(pixels: np.ndarray) -> str:
    """uint8 H x W x 4 as the browser sends it."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def strokes(mask: np.ndarray | None = None, sketch: np.ndarray | None = None, line_width: float = 1) -> Strokes:
    """What is painted, as the server gets it."""
    return Strokes(*(None if painted is None else layer(painted) for painted in (mask, sketch)), line_width=line_width)


def box(top: int, left: int, bottom: int, right: int, size: tuple[int, int] = (300, 400)) -> np.ndarray:
    """True inside of a box, bool of `size`."""
    inside = np.zeros(size, bool)
    inside[top:bottom, left:right] = True
    return inside


def initial(components: set[Block]) -> Values:
    """The components' values on a page that was just opened."""
    return {component: component.value for component in components}  # type: ignore[attr-defined]


def items(gallery: gr.Gallery) -> list[tuple[str, str]]:
    """Path and caption of each picture of a gallery."""
    return [(item["image"]["path"], item["caption"]) for item in gallery.value or []]
