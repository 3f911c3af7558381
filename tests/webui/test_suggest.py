"""Suggest: the best of the quick methods is chosen, and why is shown."""

from __future__ import annotations

import gradio as gr
import numpy as np
import pytest

from inpaint_core import Score, Suggestion, catalogue, suggestion
from tests.webui.painting import box, initial, layer
from webui import controls, suggest
from webui.session import Session
from webui.suggest import SuggestControls
from webui.workspace import Workspace


def _score(method: str, lpips: float) -> Score:
    return Score(method=method, lpips=lpips, l1=lpips / 2, wins=1, places=3, seconds=0.5)


@pytest.fixture
def shown() -> SuggestControls:
    with gr.Blocks():
        workspace = Workspace()
        return SuggestControls(workspace, gr.Dropdown(controls.grouped_choices(), value="patchmatch"))


def test_the_best_method_is_chosen_and_the_numbers_are_shown(
    shown: SuggestControls, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def suggest_quickly(image: np.ndarray, mask: np.ndarray, names: list[str], **settings: object) -> Suggestion:
        asked.append(names)
        assert image.shape[:2] == mask.shape
        progress = settings["progress"]
        assert callable(progress)
        progress(0.5, "half <way>")
        return Suggestion((_score("telea", 0.1), _score("ns", 0.2)), (mask,))

    monkeypatch.setattr(suggest, "suggest", suggest_quickly)
    workspace = shown.workspace
    values = {
        **initial(workspace.inputs),
        workspace.session: session,
        workspace.canvas: {"mask": layer(box(20, 30, 40, 60))},
    }
    halfway, last = list(shown.suggest(values))
    assert "50%: half &lt;way&gt;" in halfway[shown.found].constructor_args["value"]
    assert last[shown.method] == "telea"
    words = last[shown.found].constructor_args["value"]
    assert "Fast marching (Telea) came nearest to the truth" in words
    assert "50% less than Navier-Stokes" in words
    assert words.index('<th scope="row">Fast') < words.index('<th scope="row">Navier')
    quick = set(asked[0])
    assert {"ns", "telea", "patchmatch"} <= quick
    assert not any(catalogue.get(name).restores or not catalogue.get(name).is_quick for name in quick)
    assert suggestion.suggest is not suggest_quickly


def test_nothing_painted_is_one_sentence(shown: SuggestControls, session: Session) -> None:
    values = {**initial(shown.workspace.inputs), shown.workspace.session: session}
    with pytest.raises(gr.Error, match="Nothing is painted"):
        list(shown.suggest(values))
