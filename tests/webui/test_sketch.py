"""The Sketch layer's tools and its worked examples, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from inpaint_core import InpaintError, catalogue, weights
from inpaint_core import sketch as core
from tests.webui.test_canvas import _box, _layer
from webui import canvas, examples, filling, sketch, worked
from webui.canvas import Repairs
from webui.session import Session, close, open_photo


@pytest.fixture
def session(tmp_path: Path, astronaut: np.ndarray) -> Iterator[Session]:
    Image.fromarray(astronaut[:300, :400]).save(tmp_path / "photo.png")
    opened = open_photo(tmp_path / "photo.png")
    yield opened
    close(opened)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """An edge detector that sees a strong vertical line at column 200 and a weak one at 100; the calls it got."""
    calls: list[tuple[int, ...]] = []

    def edges(image: np.ndarray, device: str = "auto") -> np.ndarray:
        calls.append(image.shape)
        soft = np.zeros(image.shape[:2], np.float32)
        soft[:, 199:202] = (0.6, 0.9, 0.6)
        soft[:, 99:102] = (0.2, 0.4, 0.2)
        return soft

    monkeypatch.setattr(core, "edges", edges)
    return calls


def test_auto_edges_are_those_in_and_around_the_hole(session: Session, detector: list) -> None:
    drawing = {"mask": _layer(_box((300, 400), 100, 180, 150, 220))}
    lines = sketch.auto_edges(session, drawing, 0.6, 1, Repairs())
    rows = np.flatnonzero(lines.any(axis=1))
    assert lines[:, 190:210].sum() == lines.sum() > 0
    assert 70 < rows[0] < 95  # they begin around the hole, so that they join the photo's own
    assert 155 < rows[-1] < 180


def test_a_lower_strength_brings_more_edges_and_the_brush_gives_their_thickness(
    session: Session, detector: list
) -> None:
    strong = sketch.auto_edges(session, None, 0.6, 1, Repairs())  # nothing is masked yet: everywhere
    both = sketch.auto_edges(session, None, 0.3, 1, Repairs())
    assert strong[150, 195:205].any()
    assert not strong[150, 95:105].any()
    assert both[150, 195:205].any()
    assert both[150, 95:105].any()
    thick = sketch.auto_edges(session, None, 0.6, 5, Repairs())
    assert thick[150].sum() == strong[150].sum() + 4
    assert len(detector) == 1  # found once for a photo, however often the slider moves


def test_edges_found_on_a_flipped_mask_are_outside_of_the_strokes(session: Session, detector: list) -> None:
    drawing = {"mask": _layer(_box((300, 400), 0, 150, 300, 250))}
    assert not sketch.auto_edges(session, drawing, 0.6, 1, Repairs(flip=True))[:, 190:210].any()


def test_absent_weights_of_the_edge_detector_are_said_in_one_sentence(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "directory", lambda: tmp_path)
    with pytest.raises(gr.Error) as caught:
        sketch._auto(session, None, 0.6, 2, 4, False, 0, False)
    assert "no weights for the edge detector" in caught.value.message
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message


def test_a_sketch_survives_the_way_to_the_canvas_and_back(session: Session) -> None:
    lines = _box((300, 400), 100, 0, 102, 400)
    found = canvas.sketch_scene(session, lines, found=True)
    assert found["found"]
    for scene in (found, canvas.scene(session, ~lines, lines)):
        assert np.array_equal(canvas.sketch_of(session, {"sketch": scene["sketch"]}), lines)


@pytest.mark.parametrize("ink", ["black on white", "white on black", "red on nothing"])
def test_a_sketch_is_loaded_whatever_its_colours_and_saved_white_on_black(
    session: Session, tmp_path: Path, ink: str
) -> None:
    line = _box((300, 400), 149, 50, 151, 350)
    pixels = np.zeros((300, 400, 4), np.uint8)
    if ink == "red on nothing":
        pixels[line] = (200, 30, 30, 255)
    else:
        pixels[...] = 255 * (ink == "black on white")
        pixels[line] = 255 * (ink == "white on black")
        pixels[..., 3] = 255
    Image.fromarray(pixels).save(tmp_path / "sketch.png")
    scene = sketch._load(session, str(tmp_path / "sketch.png"))
    assert np.array_equal(canvas.sketch_of(session, scene), line)
    saved = np.asarray(Image.open(sketch._save(session, scene)))
    assert np.array_equal(saved, line * np.uint8(255))
    with pytest.raises(gr.Error, match="Nothing is drawn yet"):
        sketch._save(session, None)


@pytest.mark.parametrize("example", worked.EXAMPLES, ids=lambda example: example.caption)
def test_worked_examples_draw_lines_into_a_hole_of_a_free_photo(example: worked.Worked) -> None:
    mask, lines = example.mask(), example.sketch()
    with Image.open(example.photo) as image:
        assert mask.shape == lines.shape == (image.height, image.width)
    assert 0.02 < mask.mean() < 0.1
    assert lines.sum() > 200
    assert (lines & mask).sum() > 0.75 * lines.sum()
    assert example.photo.name in (examples.FOLDER / "LICENCES.md").read_text(encoding="utf-8")
    thumbnail = np.asarray(example.thumbnail()).astype(int)
    assert ((thumbnail[..., 0] - thumbnail[..., 1]) > 60).mean() > 0.05  # the erased part is red


def _press(session: Session, drawing: dict, method: str) -> list[Any]:
    return list(filling.fill_both(session, drawing, method, 0, False, "", False, 0, False, 0, False))


def test_with_and_without_a_sketch_gives_two_pictures_of_the_hole_and_keeps_the_one_with(session: Session) -> None:
    if not catalogue.get("deepfill_v2").ready:
        pytest.skip("the weights of deepfill_v2 are absent")
    drawing = {
        "mask": _layer(_box((300, 400), 100, 100, 160, 180)),
        "sketch": _layer(_box((300, 400), 128, 90, 130, 190)),
    }
    final = dict(zip(filling.OUTPUTS, _press(session, drawing, "deepfill_v2")[-1], strict=True))
    (without, _), (with_it, caption) = [
        (np.asarray(Image.open(path)).astype(int), caption) for path, caption in _pictures(final["pair"])
    ]
    assert caption == "With the sketch"
    assert without.shape == with_it.shape == (140, 160, 3)  # the hole and half of its longer side around it
    changed = (without != with_it).any(axis=2)
    assert changed[40:100, 40:120].any()
    changed[40:100, 40:120] = False
    assert not changed.any()
    kept = np.asarray(Image.open(final["outcome"].image))[60:200, 60:220]
    assert np.array_equal(kept, with_it)


def _pictures(gallery: gr.Gallery) -> list[tuple[str, str]]:
    return (
        [(item.image.path, item.caption) for item in gallery.value.root]
        if hasattr(gallery.value, "root")
        else [(item["image"]["path"], item["caption"]) for item in gallery.value]
    )


def test_with_and_without_says_what_is_missing(session: Session) -> None:
    hole, line = _layer(_box((300, 400), 100, 100, 160, 180)), _layer(_box((300, 400), 10, 10, 12, 300))
    with pytest.raises(gr.Error, match="does not follow a sketch; choose DeepFill v2"):
        _press(session, {"mask": hole, "sketch": line}, "telea")
    with pytest.raises(gr.Error, match="no line inside of the mask"):
        _press(session, {"mask": hole, "sketch": line}, "deepfill_v2")
    with pytest.raises(gr.Error, match="no line inside of the mask"):
        _press(session, {"mask": hole}, "deepfill_v2")


def test_a_sketch_beside_the_hole_is_ignored_and_that_is_said(session: Session) -> None:
    hole, line = _layer(_box((300, 400), 100, 100, 160, 180)), _layer(_box((300, 400), 10, 10, 12, 300))

    def fill(drawing: dict) -> dict[str, Any]:
        last = list(filling.fill(session, drawing, "deepfill_v2", 0, False, "", False, 0, False, 0, False))[-1]
        return dict(zip(filling.OUTPUTS, last, strict=True))

    plain, beside = fill({"mask": hole}), fill({"mask": hole, "sketch": line})
    assert "outside of the mask" in beside["notes"]
    assert "outside of the mask" not in plain["notes"]
    assert np.array_equal(*(np.asarray(Image.open(each["outcome"].image)) for each in (plain, beside)))


def test_a_sketch_of_another_canvas_is_refused(session: Session) -> None:
    with pytest.raises(InpaintError, match="do not belong to this photo"):
        sketch.auto_edges(session, {"mask": _layer(np.ones((9, 9), bool))}, 0.5, 1, Repairs())
