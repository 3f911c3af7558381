"""The Sketch layer's tools, without a browser."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from inpaint_core import InpaintError, sketch, weights
from tests.webui.painting import box, initial, layer, strokes
from webui.drawing import Drawing, Repairs, Strokes
from webui.session import Session
from webui.sketch_tools import SketchTools, auto_edges
from webui.workspace import Workspace


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """An edge detector that finds a strong vertical line at column 200 and a weak one at 100; the calls it got."""
    calls: list[tuple[int, ...]] = []

    def edges(image: np.ndarray, device: str = "auto") -> np.ndarray:
        calls.append(image.shape)
        soft = np.zeros(image.shape[:2], np.float32)
        soft[:, 199:202] = (0.6, 0.9, 0.6)
        soft[:, 99:102] = (0.2, 0.4, 0.2)
        return soft

    monkeypatch.setattr(sketch, "edges", edges)
    return calls


@pytest.fixture
def tools() -> SketchTools:
    with gr.Blocks():
        return SketchTools(Workspace())


def test_auto_edges_are_those_in_and_around_the_hole(session: Session, detector: list) -> None:
    lines = auto_edges(Drawing(session, strokes(box(100, 180, 150, 220))), 0.6)
    rows = np.flatnonzero(lines.any(axis=1))
    assert lines[:, 190:210].sum() == lines.sum() > 0
    assert 70 < rows[0] < 95  # they begin around the hole, so that they join the photo's own
    assert 155 < rows[-1] < 180


def test_a_lower_strength_brings_more_edges_and_the_brush_gives_their_thickness(
    session: Session, detector: list
) -> None:
    unmasked = Drawing(session, strokes())
    strong, both = auto_edges(unmasked, 0.6), auto_edges(unmasked, 0.3)  # nothing is masked yet: everywhere
    assert strong[150, 195:205].any()
    assert not strong[150, 95:105].any()
    assert both[150, 195:205].any()
    assert both[150, 95:105].any()
    thick = auto_edges(Drawing(session, strokes(line_width=5)), 0.6)
    assert thick[150].sum() == strong[150].sum() + 4
    assert len(detector) == 1  # found once for a photo, however often the slider moves


def test_edges_found_on_an_inverted_mask_are_outside_of_the_strokes(session: Session, detector: list) -> None:
    painted = strokes(box(0, 150, 300, 250))
    assert auto_edges(Drawing(session, painted), 0.6)[:, 190:210].any()
    assert not auto_edges(Drawing(session, painted, Repairs(invert=True)), 0.6)[:, 190:210].any()


def test_a_sketch_of_another_canvas_is_refused(session: Session, detector: list) -> None:
    with pytest.raises(InpaintError, match="do not belong to this photo"):
        auto_edges(Drawing(session, Strokes(mask=layer(np.ones((9, 9), bool)))), 0.5)


def test_absent_weights_of_the_edge_detector_are_a_message_in_one_sentence(
    tools: SketchTools, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "directory", lambda: tmp_path)
    values = {**initial({*tools.workspace.inputs, tools.strength}), tools.workspace.session: session}
    with pytest.raises(gr.Error) as caught:
        tools.find_edges(values)
    assert "no weights for the edge detector" in caught.value.message
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("ink", ["black on white", "white on black", "red on nothing"])
def test_a_sketch_is_loaded_whatever_its_colours_and_saved_white_on_black(
    tools: SketchTools, session: Session, tmp_path: Path, ink: str
) -> None:
    line = box(149, 50, 151, 350)
    pixels = np.zeros((300, 400, 4), np.uint8)
    if ink == "red on nothing":
        pixels[line] = (200, 30, 30, 255)
    else:
        pixels[...] = 255 * (ink == "black on white")
        pixels[line] = 255 * (ink == "white on black")
        pixels[..., 3] = 255
    Image.fromarray(pixels).save(tmp_path / "drawn.png")
    workspace = tools.workspace
    values = {**initial(workspace.inputs), workspace.session: session, tools.loader: str(tmp_path / "drawn.png")}
    scene = tools.load(values)[workspace.canvas]
    assert np.array_equal(Drawing(session, Strokes.of(scene)).sketch(), line)
    path = tools.save({**values, workspace.canvas: scene})
    assert Path(path).name == "photo_sketch.png"
    assert np.array_equal(np.asarray(Image.open(path)), line * np.uint8(255))
    with pytest.raises(gr.Error, match="Nothing is drawn yet"):
        tools.save(values)
