"""The Mask layer's tools, without a browser."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from inpaint_core import masks
from tests.webui.painting import box, initial, layer, strokes
from webui.drawing import Drawing, Repairs, Strokes
from webui.events import Values
from webui.mask_tools import MaskTools, preview, summarise
from webui.session import Session
from webui.workspace import Workspace


@pytest.fixture
def tools() -> MaskTools:
    with gr.Blocks():
        return MaskTools(Workspace())


def _values(tools: MaskTools, session: Session | None, mask: np.ndarray | None = None) -> Values:
    workspace = tools.workspace
    painted = None if mask is None else {"mask": layer(mask)}
    return {
        **initial({*workspace.inputs, workspace.last_mask}),
        workspace.session: session,
        workspace.canvas: painted,
        workspace.repairs.grow: 0,
    }


def test_a_saved_mask_can_be_loaded_again(tools: MaskTools, session: Session) -> None:
    mask = box(10, 20, 60, 90)
    path = tools.save(_values(tools, session, mask))
    assert Path(path).name == "photo_mask.png"
    assert np.array_equal(np.asarray(Image.open(path)), mask * np.uint8(255))
    scene = tools.load({**_values(tools, session), tools.loader: path})[tools.workspace.canvas]
    assert np.array_equal(Drawing(session, Strokes.of(scene)).mask(), mask)


def test_the_mask_of_the_last_fill_can_be_used_again_once_there_is_one(tools: MaskTools, session: Session) -> None:
    values, mask = _values(tools, session), box(10, 20, 60, 90)
    with pytest.raises(gr.Error, match="No mask was used yet"):
        tools.reuse(values)
    values[tools.workspace.last_mask] = tools.save(_values(tools, session, mask))
    scene = tools.reuse(values)[tools.workspace.canvas]
    assert np.array_equal(Drawing(session, Strokes.of(scene)).mask(), mask)


def test_without_a_photo_every_tool_asks_for_one(tools: MaskTools) -> None:
    values = {**_values(tools, None), tools.loader: "mask.png"}
    for function in (tools.load, tools.reuse, tools.save):
        with pytest.raises(gr.Error, match="Open a photo first"):
            function(values)
    assert tools.preview(values) == {tools.workspace.mask_preview: None, tools.workspace.mask_summary: ""}


def test_the_preview_shows_strokes_and_growth_in_different_colours(session: Session) -> None:
    painted = strokes(box(100, 100, 150, 150))
    grown, plain = (preview(Drawing(session, painted, Repairs(grow=pixels))) for pixels in (10, 0))
    assert np.array_equal(grown[120, 120], plain[120, 120])
    assert not np.array_equal(grown[120, 95], plain[120, 95])


def test_the_preview_comes_with_what_is_found_in_the_mask(tools: MaskTools, session: Session) -> None:
    assert tools.preview(_values(tools, session))[tools.workspace.mask_summary] == "Nothing is painted yet."
    ring = box(50, 50, 150, 150) & ~box(60, 60, 140, 140)
    found = tools.preview(_values(tools, session, ring))
    assert "in one piece" in found[tools.workspace.mask_summary]
    assert found[tools.workspace.mask_preview].shape == (300, 400, 3)
    two = ring | box(200, 200, 230, 230)
    assert "in 2 pieces" in summarise(masks.diagnose(two))


def test_a_box_around_an_object_paints_the_object_and_its_rim(tools: MaskTools, session: Session) -> None:
    picture = np.full((300, 400, 3), (90, 120, 150), np.uint8)
    picture[100:180, 150:260] = (200, 60, 40)
    Image.fromarray(picture).save(session.canvas)
    values = _values(tools, session)
    values[tools.workspace.canvas] = {"selection": {"points": [[130, 80], [290, 205]], "box": True}}
    scene = tools.select(values)[tools.workspace.canvas]
    found = Drawing(session, Strokes.of(scene)).painted("mask")
    assert scene["add"]
    assert found[100:180, 150:260].all()
    assert found.sum() < 1.2 * 80 * 110
    for drawn in (None, {"points": []}, {"points": "x"}, {"points": [[1]]}):
        values[tools.workspace.canvas] = {"selection": drawn}
        with pytest.raises(gr.Error, match="list of its places"):
            tools.select(values)
