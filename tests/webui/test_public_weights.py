"""Public weights on the page: listed, fetched where visitors may, and on offer in Edit and Compare from then on."""

from __future__ import annotations

import threading
from typing import Any

import gradio as gr
import pytest

from inpaint_core.weights.public import fetch, store, table
from tests.weights.conftest import changed, publish
from tests.weights.publishing import Publisher
from webui import compare, controls, page, public_weights
from webui.compare import CompareTab
from webui.edit import EditTab, describe_method
from webui.public_weights import PublicWeightsList
from webui.workspace import Workspace

GET = "Accept the licence and fetch"


@pytest.fixture
def allowed(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """The publisher, where visitors may fetch; progress is reported without delay."""
    monkeypatch.setenv("INPAINT_ALLOW_DOWNLOADS", "1")
    monkeypatch.setattr(public_weights, "REPORT_SECONDS", 0.005)
    return publisher


@pytest.fixture
def listing() -> PublicWeightsList:
    with gr.Blocks():
        return PublicWeightsList()


def offered() -> list[str]:
    return [name for _, name in controls.method_choices()]


def test_every_set_is_listed_with_its_licence_source_and_size_without_buttons(listing: PublicWeightsList) -> None:
    rows = listing.listed()["rows"]
    for row in table.PUBLIC_WEIGHTS:
        assert f"<code>{row.name}</code>" in rows
    assert "Licence: CC BY-NC 4.0, not for commercial use. Commercial use is NOT allowed." in rows
    assert "206 MB" in rows
    assert "the authors, advimman/lama" in rows
    assert "<button" not in rows


def test_a_fetched_set_is_on_offer_at_once_with_its_licence(allowed: Publisher, listing: PublicWeightsList) -> None:
    with gr.Blocks():
        edit, comparison = EditTab(Workspace()), CompareTab(Workspace())
    assert GET in listing.listed()["rows"]
    assert "lama@small" not in offered()
    *running, last = listing.fetch("lama@small")
    assert {each["running"]["name"] for each in running} == {"lama@small"}
    size = f"{len(allowed.files['small.pth']) / 1e6:.1f} MB"
    assert f"All {size} are here; checking and converting" in [each["running"]["text"] for each in running]
    assert last["running"] is None
    assert ">here<" in last["rows"]
    assert GET not in last["rows"]
    assert ("LaMa, Small LaMa (2022): large holes", "lama@small") in edit.list_methods()[edit.method].choices
    assert ("LaMa, Small LaMa (2022)", "lama@small") in comparison.list_methods()[comparison.methods].choices
    assert "lama" not in offered(), "it would run with the same weights"
    assert "Public weights; their licence: CC BY-NC 4.0." in describe_method("lama@small")
    assert "LaMa, Small LaMa: CC BY-NC 4.0" in comparison.list_methods()[comparison.about_methods]
    assert compare.chosen_at_first("lama@small"), "there is no other LaMa here"


def test_bytes_are_reported_while_they_come(allowed: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, changed(bytes=4_000_000))
    steps = iter([(1_000_000, None), (3_000_000, 4_000_000)])
    go_on = threading.Event()

    def slow_get(name: str, progress: Any, waiting: Any) -> None:
        for here, total in steps:
            progress(here, total)
            go_on.wait(5)
            go_on.clear()

    monkeypatch.setattr(fetch, "get", slow_get)
    with gr.Blocks():
        states = PublicWeightsList().fetch("lama@small")
    seen = []
    for state in states:
        if state["running"] is not None and state["running"]["text"] != "Connecting":
            seen.append((state["running"]["share"], state["running"]["text"]))
            go_on.set()
    assert seen == [(0.25, "1.0 of 4.0 MB"), (0.75, "3.0 of 4.0 MB")]


def test_a_failure_is_one_sentence_and_get_can_be_pressed_again(allowed: Publisher, listing: PublicWeightsList) -> None:
    content = allowed.files.pop("small.pth")
    *_, failed = listing.fetch("lama@small")
    assert "lama@small could not be fetched" in failed["rows"]
    assert "Try again" in failed["rows"]
    assert failed["running"] is None
    assert "could not be fetched" not in listing.listed()["rows"], "only the visitor who has pressed sees it"
    allowed.files["small.pth"] = content
    *_, last = listing.fetch("lama@small")
    assert ">here<" in last["rows"]
    assert store.ready("lama@small")


def test_an_unforeseen_failure_is_a_sentence_too(
    allowed: Publisher, listing: PublicWeightsList, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("<b>inside</b>")

    monkeypatch.setattr(fetch, "get", broken)
    *_, last = listing.fetch("lama@small")
    assert "lama@small could not be fetched (ValueError): try again." in last["rows"]


def test_two_visitors_watch_one_download_which_goes_on_without_them(
    allowed: Publisher, listing: PublicWeightsList
) -> None:
    allowed.slow = threading.Event()
    first, second = listing.fetch("lama@small"), listing.fetch("lama@small")
    next(first)
    next(second)
    assert len(listing.downloads) == 1
    first.close()  # type: ignore[attr-defined]
    allowed.slow.set()
    *_, last = second
    assert ">here<" in last["rows"]
    assert len(allowed.asked) == 1
    assert listing.downloads == {}


def test_without_the_operators_leave_there_is_no_event_to_send(publisher: Publisher) -> None:
    with gr.Blocks() as demo:
        PublicWeightsList().connect([], dict)
    assert not demo.fns


def test_a_visitor_who_asks_for_something_else_gets_a_sentence(allowed: Publisher) -> None:
    with gr.Blocks() as demo:
        PublicWeightsList().connect([], dict)
    (get,) = demo.fns.values()
    for asked in ({"weights": "../../etc"}, {}, {"weights": ["lama"]}):
        with pytest.raises(gr.Error, match="There are no public weights"):
            list(get.fn(gr.EventData(None, asked)))  # type: ignore[misc]
    assert allowed.asked == []


def test_the_page_offers_what_has_come_since_it_was_built(allowed: Publisher) -> None:
    demo = page.build()
    by_event = {
        event: each
        for each in demo.fns.values()
        for _, event in each.targets
        if event in ("load", "submit") and not each.inputs
    }
    *_, fetched = by_event["submit"].fn(gr.EventData(None, {"weights": "lama@small"}))  # type: ignore[misc]
    opened = by_event["load"].fn()  # type: ignore[misc]
    for updates in (fetched, opened):
        by_id = {block.elem_id: update for block, update in updates.items()}
        assert ("LaMa, Small LaMa (2022): large holes", "lama@small") in by_id["method"].choices
        assert ("LaMa, Small LaMa (2022)", "lama@small") in by_id["chosen"].choices
        assert ">here<" in by_id["public-weights"]["rows"]
        assert "no weights" not in by_id["methods-table"].partition(">lama<")[2].partition("</tr>")[0]
    assert "lama@small" in by_id["chosen"].value
