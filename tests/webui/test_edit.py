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
from tests.webui.painting import box, initial, layer, picture
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
    assert not tab.describe_method({tab.method: "telea", tab.refine: False})[tab.both].visible
    followed = tab.describe_method({tab.method: able[0], tab.refine: False})
    assert followed[tab.both].visible
    assert not followed[tab.offer].visible


def test_an_example_of_a_sketch_chooses_a_method_that_follows_it(tab: EditTab) -> None:
    able = [method.name for method in controls.sketching_methods()]
    if not able:
        pytest.skip("no method that follows a sketch has its weights here")
    assert tab.choose_sketching_method({tab.method: "telea"}) == able[0]
    assert tab.choose_sketching_method({tab.method: able[-1]}) == able[-1]


def test_only_what_has_a_meaning_for_the_method_is_offered(tab: EditTab) -> None:
    def visible(method: str, refine: bool = False) -> tuple[bool, ...]:
        shown = tab.describe_method({tab.method: method, tab.refine: refine})
        return tuple(shown[each].visible for each in (tab.variations, tab.seed, tab.on_release))

    assert visible("telea") == (False, False, True)
    assert visible("telea", refine=True) == (False, True, True)  # PatchMatch draws numbers
    assert visible("patchmatch") == (True, True, True)
    assert visible("pixel_rnn") == (True, True, False)  # no stroke may take half a minute


def test_variations_are_four_steps_of_seeds_one_after_the_other(tab: EditTab, session: Session) -> None:
    *running, last = tab.fill_variations(_values(tab, session, method="patchmatch", seed=5))
    shares = [state[tab.workspace.canvas]["running"]["share"] for state in running]
    assert shares == sorted(shares)
    scene = last[tab.workspace.canvas]
    assert scene["side_by_side"]
    assert [each["title"] for each in scene["steps"]] == [f"PatchMatch, seed {seed}" for seed in (5, 6, 7, 8)]
    assert {each["parent"] for each in scene["steps"]} == {""}  # all of the same photo
    assert len({each["patch"] for each in scene["steps"]}) == 4
    with pytest.raises(gr.Error, match=r"draws no numbers.*PatchMatch"):
        list(tab.fill_variations(_values(tab, session, method="telea")))


def test_a_dab_of_colour_is_sent_kept_with_its_step_and_used_again(tab: EditTab, session: Session) -> None:
    dab = np.zeros((300, 400, 4), np.uint8)
    blocks = session.pixels().reshape(15, 20, 20, 20, 3).mean(axis=(1, 3)).reshape(-1, 3)
    dark = np.rint(blocks[blocks.sum(axis=1).argmin()])  # a colour of the photo, unlike those around the hole
    dab[120:140, 120:140] = (*dark, 255)
    dab[140, 120:140] = (*dark, 90)  # its soft rim
    values = _values(tab, session, method="patchmatch")
    values[tab.workspace.canvas] = {"mask": layer(HOLE), "colours": picture(dab)}
    *_, last = tab.fill(values)
    *_, plain = tab.fill(_values(tab, session, method="patchmatch"))
    step, without = (session.steps[each[tab.workspace.canvas]["steps"][0]["id"]] for each in (last, plain))
    near, far = (np.abs(np.asarray(Image.open(each.image))[122:138, 122:138] - dark).mean() for each in (step, without))
    assert near < 0.6 * far
    again = tab.workspace.drawing({**values, tab.workspace.canvas: {"step": step.id}}).target()
    assert again.colours is not None
    assert again.sketch is None
    assert np.array_equal(again.colours[..., 3] > 0, dab[..., 3] > 127)
