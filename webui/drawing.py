"""What a visitor has painted: the canvas' layers, and the mask and sketch that they make of a photo."""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image

from inpaint_core import InpaintError, masks
from webui import work
from webui.files import read_mask, read_rgb, read_rgba
from webui.session import Session

MAX_CHARACTERS = 32_000_000  # of one layer in base64: random pixels on a 2-megapixel canvas stay below


@dataclass(frozen=True)
class Strokes:
    """The canvas' layers as the browser sends them: PNGs as data URLs, painted where their alpha is above 0."""

    mask: str | None = None
    sketch: str | None = None
    colours: str | None = None  # dabs of colour of the Sketch layer: the colour itself counts
    selection: dict[str, Any] | None = None  # a line on an object: `points` (x, y on the canvas), whether it is a `box`
    line_width: float = 2  # of the Sketch layer's brush, in pixels of the canvas
    step: str = ""  # id of the step that is shown under the layers; "" is the photo as opened
    run: str = ""  # names the fill that was asked for; its result carries it back

    @classmethod
    def of(cls, value: Any) -> Strokes:
        """The strokes in the canvas' value, handed over by the browser; none while it shows no photo."""
        sent = value if isinstance(value, dict) else {}
        return cls(**{each.name: sent[each.name] for each in fields(cls) if each.name in sent})


@dataclass(frozen=True)
class Repairs:
    """How the painted mask is repaired before a fill; lengths in pixels of the canvas."""

    grow: float = 0
    close_loops: bool = False
    specks: int = 0
    invert: bool = False


@dataclass(frozen=True)
class Target:
    """What is to be filled."""

    session: Session
    mask: np.ndarray  # bool H x W of the photo's size
    sketch: np.ndarray | None  # the same, True = line, or None where nothing was drawn
    colours: np.ndarray | None  # uint8 H x W x 4 of the photo's size, opaque where a colour is wanted, or None


@dataclass(frozen=True)
class Drawing:
    """A photo, what is painted on it, and how the mask is to be repaired."""

    session: Session
    strokes: Strokes = field(default_factory=Strokes)
    repairs: Repairs = field(default_factory=Repairs)

    def painted(self, layer: Literal["mask", "sketch"]) -> np.ndarray:
        """What is painted on one layer: bool of the canvas' size, True = painted.

        Raises:
            InpaintError: what arrived is not a layer of this canvas.
        """
        url = getattr(self.strokes, layer)
        return np.zeros(self.session.canvas_size, bool) if url is None else masks.from_layers([self._layer(url)])

    def _layer(self, url: str) -> np.ndarray:
        """A layer's picture, uint8 H x W x 4 of the canvas' size; `InpaintError` where its size is not the canvas'."""
        height, width = self.session.canvas_size
        head, _, body = url.partition(",")
        try:
            if head != "data:image/png;base64" or len(body) > MAX_CHARACTERS:
                raise ValueError
            with Image.open(io.BytesIO(base64.b64decode(body, validate=True)), formats=["PNG"]) as image:
                if image.size != (width, height):  # known before a pixel is decoded
                    raise ValueError
                return np.asarray(image.convert("RGBA"))
        except (ValueError, OSError, binascii.Error) as error:
            raise InpaintError("The strokes do not belong to this photo; open the photo again.") from error

    def repaired(self) -> np.ndarray:
        """The mask at the canvas' size, bool, with every repair but growing; it may be empty."""
        return masks.repair(
            self.painted("mask"),
            invert=self.repairs.invert,
            close_loops=self.repairs.close_loops,
            remove_specks=self.repairs.specks,
        )

    def target(self) -> Target:
        """What is painted, to be filled; where nothing is, the hole of the fill that is shown, once more.

        Raises:
            InpaintError: nothing is painted and no fill is shown, or everything is painted.
        """
        shown = self.session.steps.get(self.session.step)
        if shown is None or self.repairs.invert or self.painted("mask").any():
            return Target(self.session, self.mask(), self.sketch(), self.colours())
        lines, dabs = self.sketch(), self.colours()
        if lines is None and dabs is None:
            lines = None if shown.sketch is None else read_mask(shown.sketch)
            dabs = None if shown.colours is None else read_rgba(shown.colours)
        return Target(shown.session, read_mask(shown.mask), lines, dabs)

    def mask(self) -> np.ndarray:
        """What is to be filled: the repaired mask at the photo's size, bool H x W.

        Raises:
            InpaintError: nothing is painted, or everything.
        """
        strokes = self.painted("mask")
        if not strokes.any() and not self.repairs.invert:
            if self.painted("sketch").any():
                raise InpaintError("Only the Sketch layer is painted; choose Mask and paint what is to be filled.")
            raise InpaintError("Nothing is painted yet; brush over what is to be filled, or press Random mask.")
        session = self.session
        scale = session.width / session.canvas_size[1]
        repaired = masks.repair(
            masks.resize(strokes, session.height, session.width),
            invert=self.repairs.invert,
            close_loops=self.repairs.close_loops,
            remove_specks=round(self.repairs.specks * scale**2),
            dilate=self.repairs.grow * scale,
        )
        return masks.check(repaired, session.height, session.width)

    def sketch(self) -> np.ndarray | None:
        """The drawn lines at the photo's size, bool H x W, or None where nothing was drawn."""
        lines = self.painted("sketch")
        return masks.resize(lines, self.session.height, self.session.width) if lines.any() else None

    def colours(self) -> np.ndarray | None:
        """The dabs of colour at the photo's size, uint8 H x W x 4, alpha 0 or 255; None where there are none."""
        if self.strokes.colours is None:
            return None
        dabs = self._layer(self.strokes.colours).copy()
        dabs[..., 3] = np.where(dabs[..., 3] > 127, 255, 0)  # a soft rim has no colour of its own
        if not dabs[..., 3].any():
            return None
        size = (self.session.width, self.session.height)
        return cv2.resize(dabs, size, interpolation=cv2.INTER_NEAREST)

    def selected(self, grow: float) -> np.ndarray:
        """The object that was scribbled on or drawn around, bool of the canvas' size, wider by `grow` pixels.

        Raises:
            InpaintError: nothing was drawn, or not on the photo.
        """
        drawn = self.strokes.selection or {}
        height, width = self.session.canvas_size
        hint, around = masks.object_hint(drawn.get("points", ()), height, width, box=bool(drawn.get("box")))
        return work.run(masks.select_object, read_rgb(self.session.canvas), hint, around, grow)
