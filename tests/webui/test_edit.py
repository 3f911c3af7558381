"""The Edit tab: its controls become the options of a fill, its results become what the page shows and saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from inpaint_core import Result, predictor
from inpaint_core.predictor import FillOptions
from tests.webui.painting import box, initial, layer
from webui import controls
from webui.edit import EditTab
from webui.events import Values
from webui.session import Session
from webui.workspace import Workspace

HOLE = box(100, 100, 160, 180)


@pytest.fixture
def tab() -> EditTab:
    with gr.Blocks():
        return EditTab(Workspace())


def _values(tab: EditTab, session: Session | None, **chosen: Any) -> Values:
    """The tab's inputs with a painted hole; `chosen` are values of its components by name."""
    workspace = tab.workspace
    return {
        **initial({*workspace.inputs, tab.method, tab.seed, tab.refine, tab.blend, tab.explain}),
        workspace.session: session,
        workspace.canvas: {"mask": layer(HOLE)},
        workspace.repairs.grow: 0,
        tab.method: "telea",
        **{getattr(tab, name): value for name, value in chosen.items()},
    }


def test_the_controls_become_the_options_of_the_fill(
    tab: EditTab, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, FillOptions]] = []

    def noted(image, mask, method, options, **_):
        seen.append((method, options))
        return Result(method, image, 0.0)

    monkeypatch.setattr(predictor, "fill", noted)
    list(tab.fill(_values(tab, session, method="ns", seed=7, refine=True, blend="mixed", explain=True)))
    list(tab.fill(_values(tab, session, seed=None)))
    (method, chosen), (_, plain) = seen
    assert method == "ns"
    assert (chosen.seed, chosen.refine, chosen.blend, chosen.explain) == (7, "patchmatch", "mixed", True)
    assert (plain.seed, plain.refine, plain.blend, plain.explain, plain.sketch) == (0, None, None, False, None)


def test_a_fill_becomes_a_step_of_the_canvas_that_is_saved_in_both_formats(tab: EditTab, session: Session) -> None:
    first, *_, last = tab.fill(_values(tab, session))
    assert "running" in first[tab.workspace.canvas]
    scene = last[tab.workspace.canvas]
    (sent,) = scene["steps"]
    step = session.steps[sent["id"]]
    assert (scene["session"], sent["parent"]) == (session.key, "")
    assert last[tab.workspace.last_mask] == str(step.mask)
    values = {tab.workspace.session: session, tab.workspace.canvas: {"step": step.id}}
    for save in (tab.save_original, tab.save_png):
        path = save(values)
        assert Path(path).name == "photo_filled.png"
        saved = np.asarray(Image.open(path))
        assert np.array_equal(saved[~HOLE], session.pixels()[~HOLE])
        assert (saved[HOLE] != session.pixels()[HOLE]).any()


def test_without_a_photo_or_a_result_the_message_says_what_to_do(tab: EditTab, session: Session) -> None:
    with pytest.raises(gr.Error, match="Open a photo first"):
        list(tab.fill(_values(tab, None)))
    for function in (tab.save_original, tab.save_png):
        with pytest.raises(gr.Error, match="press Fill first"):
            function({tab.workspace.session: session, tab.workspace.canvas: {"step": ""}})


def test_methods_that_follow_a_sketch_are_offered_where_the_chosen_one_does_not(tab: EditTab) -> None:
    able = [method.name for method in controls.sketching_methods()]
    if not able:
        pytest.skip("no method that follows a sketch has its weights here")
    assert tab.offer_sketching({tab.method: "telea"}).visible
    assert not tab.offer_sketching({tab.method: able[0]}).visible
    assert not tab.describe_method({tab.method: "telea"})[tab.both].visible
    followed = tab.describe_method({tab.method: able[0]})
    assert followed[tab.both].visible
    assert not followed[tab.offer].visible


def test_an_example_of_a_sketch_chooses_a_method_that_follows_it(tab: EditTab) -> None:
    able = [method.name for method in controls.sketching_methods()]
    if not able:
        pytest.skip("no method that follows a sketch has its weights here")
    assert tab.choose_sketching_method({tab.method: "telea"}) == able[0]
    assert tab.choose_sketching_method({tab.method: able[-1]}) == able[-1]
