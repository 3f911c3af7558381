"""Scenes for the canvas: what is sent to the browser comes back from it unchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.webui.painting import box
from webui import canvas
from webui.drawing import Drawing, Strokes
from webui.session import Session


def test_a_mask_survives_the_way_to_the_canvas_and_back(session: Session) -> None:
    mask = box(10, 20, 30, 45)
    scene = canvas.scene(session, mask)
    assert (scene["width"], scene["height"]) == (400, 300)
    for sent in (scene, canvas.mask_scene(session, mask)):
        assert np.array_equal(Drawing(session, Strokes.of(sent)).mask(), mask)


def test_a_sketch_survives_the_way_to_the_canvas_and_back(session: Session) -> None:
    lines = box(100, 0, 102, 400)
    found = canvas.sketch_scene(session, lines, found=True)
    assert found["found"]
    for sent in (found, canvas.scene(session, ~lines, lines)):
        assert np.array_equal(Drawing(session, Strokes.of(sent)).sketch(), lines)


def test_every_scene_is_marked_and_no_two_are_alike(session: Session) -> None:
    mask = box(10, 20, 30, 45)
    scenes = [canvas.scene(session), canvas.scene(session), canvas.mask_scene(session, mask)]
    assert len({scene["scene"] for scene in scenes}) == 3


def test_the_original_is_sent_along_where_the_canvas_shows_a_result(session: Session) -> None:
    assert "original" not in canvas.scene(session)
    assert canvas.scene(replace(session, first_canvas=session.canvas))["original"].startswith("data:image/jpeg")
