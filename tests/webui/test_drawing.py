"""The mask and sketch that strokes on the canvas make of a photo."""

from __future__ import annotations

import numpy as np
import pytest

from inpaint_core import InpaintError
from tests.webui.painting import box, layer, strokes
from webui.drawing import Drawing, Repairs, Strokes
from webui.session import Session


def test_a_small_photo_gets_its_mask_pixel_by_pixel(session: Session) -> None:
    mask = box(10, 20, 30, 45)
    assert np.array_equal(Drawing(session, strokes(mask)).mask(), mask)
    assert np.array_equal(Drawing(session, Strokes(mask=layer(mask, alpha=1))).mask(), mask)


def test_a_large_photo_keeps_its_size_and_the_mask_follows(large: Session) -> None:
    height, width = large.canvas_size
    assert height * width <= 2_000_000
    assert (large.height, large.width) == (2000, 3000)
    half = strokes(box(0, 0, height, width // 2, large.canvas_size))
    mask = Drawing(large, half).mask()
    assert mask.shape == (2000, 3000)
    assert mask.mean() == pytest.approx(0.5, abs=0.01)
    # growing is in pixels of the canvas: the same place on the screen, more pixels in the photo
    grown = Drawing(large, half, Repairs(grow=10)).mask()
    assert grown[1000].sum() - mask[1000].sum() == pytest.approx(10 * 3000 / width, abs=1.5)


def test_repairs_invert_close_loops_and_remove_specks(session: Session) -> None:
    ring = box(50, 50, 150, 150) & ~box(60, 60, 140, 140)
    ring[5:7, 5:7] = True
    repaired = Drawing(session, strokes(ring), Repairs(close_loops=True, specks=10))
    assert np.array_equal(repaired.mask(), box(50, 50, 150, 150))
    assert np.array_equal(repaired.repaired(), box(50, 50, 150, 150))
    assert np.array_equal(Drawing(session, strokes(ring), Repairs(invert=True)).mask(), ~ring)


@pytest.mark.parametrize("value", [None, {}, {"mask": None}, {"mask": layer(np.zeros((300, 400), bool))}])
def test_an_unpainted_canvas_is_an_error_that_says_what_to_do(session: Session, value: dict | None) -> None:
    with pytest.raises(InpaintError, match="Nothing is painted yet"):
        Drawing(session, Strokes.of(value)).mask()


def test_strokes_are_read_from_what_the_browser_sends_and_nothing_else_is() -> None:
    sent = Strokes.of({"mask": "m", "sketch": "s", "line_width": 7, "photo": "another field"})
    assert sent == Strokes(mask="m", sketch="s", line_width=7)


def test_a_sketch_alone_is_an_error_and_a_sketch_reaches_the_core(session: Session) -> None:
    line = box(100, 0, 102, 400)
    with pytest.raises(InpaintError, match="Only the Sketch layer is painted"):
        Drawing(session, strokes(sketch=line)).mask()
    sketch = Drawing(session, strokes(sketch=line)).sketch()
    assert sketch is not None
    assert np.array_equal(sketch, line)
    assert Drawing(session, strokes(mask=line)).sketch() is None


@pytest.mark.parametrize(
    "url",
    [
        layer(np.ones((10, 10), bool)),  # of another photo
        layer(np.ones((300, 400), bool))[:200],
        "data:image/png;base64,!!!",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "https://example.org/mask.png",
        "",
    ],
)
def test_what_is_no_layer_of_this_canvas_is_refused(session: Session, url: str) -> None:
    for sent in (Strokes(mask=url), Strokes(mask=layer(box(1, 1, 9, 9)), sketch=url)):
        drawing = Drawing(session, sent)
        with pytest.raises(InpaintError, match="do not belong to this photo"):
            (drawing.mask(), drawing.sketch())
