"""The Compare tab: methods one after the other, measured where the truth is known."""

from __future__ import annotations

import gradio as gr
import numpy as np
import pytest

import inpaint_core
from inpaint_core import InpaintError, Result, catalogue, predictor
from tests.webui.painting import box, initial, layer
from webui import compare, measures
from webui.compare import CompareTab
from webui.events import Updates, Values
from webui.session import Session
from webui.workspace import Workspace


@pytest.fixture
def tab() -> CompareTab:
    with gr.Blocks():
        return CompareTab(Workspace())


def _values(tab: CompareTab, session: Session, methods: list[str], measure: bool = False) -> Values:
    workspace = tab.workspace
    return {
        **initial({*workspace.inputs, tab.methods, tab.measure, tab.blend}),
        workspace.session: session,
        workspace.canvas: {"mask": layer(box(20, 30, 40, 60))},
        tab.methods: methods,
        tab.measure: measure,
    }


def _captions(updates: Updates, tab: CompareTab) -> list[str]:
    return [f"{tile['step']['title']} · {tile['caption']}" for tile in updates[tab.tiles]["tiles"]]


def test_every_result_is_shown_as_soon_as_it_is_ready_the_cheap_ones_first(tab: CompareTab, session: Session) -> None:
    updates = list(tab.compare(_values(tab, session, ["telea", "ns"])))
    shown = [_captions(each, tab) for each in updates if tab.tiles in each and each[tab.tiles]["tiles"]]
    assert [len(captions) for captions in shown] == [1, 2]
    assert [caption.split(" · ")[0] for caption in shown[-1]] == [
        catalogue.get("ns").title,
        catalogue.get("telea").title,
    ]
    assert updates[-1][tab.status].startswith("Done.")
    sent = [tile["step"]["id"] for tile in updates[-2][tab.tiles]["tiles"]]
    assert set(sent) == set(session.steps)  # each can be taken over as a step
    assert any(tab.workspace.last_mask in each for each in updates)


def test_a_result_is_shown_before_it_is_measured(tab: CompareTab, session: Session) -> None:
    updates = list(tab.compare(_values(tab, session, ["ns"], measure=True)))
    before, after = [_captions(each, tab)[0] for each in updates if tab.tiles in each and each[tab.tiles]["tiles"]]
    assert "PSNR" not in before
    assert "PSNR" in after
    assert "1 methods" in updates[-1][tab.status]


def test_a_method_that_fails_is_named_in_the_table_and_the_others_go_on(
    tab: CompareTab, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = predictor.fill

    def failing(image, mask, method, options, **callbacks):
        if method == "ns":
            raise InpaintError("It is too large.")
        return real(image, mask, method, options, **callbacks)

    monkeypatch.setattr(predictor, "fill", failing)
    updates = list(tab.compare(_values(tab, session, ["telea", "ns"])))
    tables = [each[tab.table] for each in updates if tab.table in each]
    assert "It is too large." in tables[-1]
    assert len(_captions(next(each for each in updates if tab.tiles in each and each[tab.tiles]["tiles"]), tab)) == 1


@pytest.mark.parametrize("methods", [[], ["magic"]])
def test_no_method_or_an_unknown_one_is_refused_with_a_message(
    tab: CompareTab, session: Session, methods: list[str]
) -> None:
    with pytest.raises(gr.Error, match=r"choose|magic"):
        list(tab.compare(_values(tab, session, methods)))


def test_slow_methods_and_those_that_see_the_truth_are_not_chosen_at_first(tab: CompareTab) -> None:
    chosen = set(tab.methods.value or [])
    assert chosen == {name for name in chosen if compare.chosen_at_first(name)}
    ready = {method.name for method in inpaint_core.methods() if method.ready}
    assert {"ns", "telea", "patchmatch", "deepfill_v2"} & ready <= chosen
    assert not {"latent_search", "pixel_cnn", "pixel_rnn", "deepfill_v1_mosaic"} & chosen


def test_the_table_marks_the_best_of_each_measure_and_shows_failures() -> None:
    metrics = {"hole_l1": 0.1, "hole_l2": 0.02, "hole_psnr": 20.0, "hole_ssim": 0.5, "hole_tv": 0.01}
    worse = {**metrics, "hole_l1": 0.2, "hole_psnr": 10.0}
    picture = np.zeros((2, 2, 3), np.uint8)
    table = measures.table(
        [
            Result("ns", picture, 0.1, metrics=metrics),
            Result("telea", picture, 0.2, metrics=worse),
            Result("patchmatch", None, 0.0, error="It is <too> large."),
        ]
    )
    assert "<b>0.1000</b>" in table
    assert "<b>20.00 dB</b>" in table
    assert "<b>0.2000</b>" not in table
    assert "It is &lt;too&gt; large." in table
    assert "LPIPS" not in table  # was not measured
    assert "equal" in measures.caption(Result("ns", picture, 0.1, metrics={"hole_psnr": float("inf")}))
