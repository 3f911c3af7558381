"""Scenes for the canvas: what is sent to the browser comes back from it unchanged."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tests.webui.painting import box
from webui import canvas
from webui.drawing import Drawing, Strokes
from webui.files import save_png
from webui.session import Session, Step, close, open_photo


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


def test_a_step_is_sent_as_the_pixels_that_its_fill_changed(large: Session) -> None:
    height, width = large.canvas_size
    hole = box(300, 600, 420, 900, (2000, 3000))
    result = np.full((height, width, 3), 77, np.uint8)
    after, mask = save_png(result, large.new_path(".png")), save_png(hole, large.new_path(".png"))
    step = Step(large, "one", "Telea", 0.1, image=after, after=after, mask=mask, changed=mask)
    (sent,) = canvas.steps_scene([step], "run")["steps"]
    patch = np.asarray(Image.open(io.BytesIO(base64.b64decode(sent["patch"].partition(",")[2]))))
    x, y, columns, rows = sent["box"]
    assert patch.shape == (rows, columns, 4)
    assert (patch[..., 3] == 255).all()
    assert (patch[..., :3] == 77).all()
    assert abs(x * 3000 / width - 600) < 2
    assert abs((y + rows) * 2000 / height - 420) < 2


def test_a_transparent_photo_is_sent_with_its_transparency(tmp_path: Path, astronaut: np.ndarray) -> None:
    for name, alpha in (("clear", 0), ("solid", 255)):
        picture = np.dstack([astronaut[:60, :80], np.full((60, 80), 255, np.uint8)])
        picture[:20, :, 3] = alpha
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
        session = open_photo(tmp_path / f"{name}.png")
        scene = canvas.scene(session)
        sent = Image.open(io.BytesIO(base64.b64decode(scene["photo"].partition(",")[2])))
        close(session)
        assert scene["transparent"] == (alpha == 0)
        if alpha == 0:
            assert np.array_equal(np.asarray(sent.convert("RGBA"))[..., 3], picture[..., 3])
        else:
            assert sent.mode == "RGB"
