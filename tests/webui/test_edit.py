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
from webui.events import Updates, Values
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


def _last(updates: Any) -> Updates:
    *_, last = updates
    return last


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


def test_a_result_is_shown_saved_in_both_formats_and_continued(tab: EditTab, session: Session) -> None:
    last = _last(tab.fill(_values(tab, session)))
    step = last[tab.step]
    assert last[tab.workspace.last_mask] == str(step.mask)
    assert last[tab.save].value == "Save as PNG"
    for save in (tab.save_original, tab.save_png):
        path = save({tab.step: step})
        assert Path(path).name == "photo_filled.png"
        saved = np.asarray(Image.open(path))
        assert np.array_equal(saved[~HOLE], session.pixels()[~HOLE])
        assert (saved[HOLE] != session.pixels()[HOLE]).any()
    continued = tab.continue_from_result({tab.step: step})
    assert continued[tab.workspace.session].base == step.image
    assert "continued from a result" in continued[tab.workspace.about_photo]


def test_without_a_photo_or_a_result_the_message_says_what_to_do(tab: EditTab) -> None:
    with pytest.raises(gr.Error, match="Open a photo first"):
        list(tab.fill(_values(tab, None)))
    for function in (tab.save_original, tab.save_png, tab.continue_from_result):
        with pytest.raises(gr.Error, match="press Fill first"):
            function({tab.step: None})


def test_stopping_hides_what_was_shown_of_the_running_fill(tab: EditTab) -> None:
    stopped = tab.show_stopped()
    assert "Stopped" in stopped[tab.notes]
    assert not stopped[tab.preview].visible
    assert not stopped[tab.stop].visible


def test_an_example_of_a_sketch_chooses_a_method_that_follows_it(tab: EditTab) -> None:
    able = [method.name for method in controls.sketching_methods()]
    if not able:
        pytest.skip("no method that follows a sketch has its weights here")
    assert tab.choose_sketching_method({tab.method: "telea"}) == able[0]
    assert tab.choose_sketching_method({tab.method: able[-1]}) == able[-1]
