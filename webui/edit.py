"""The Edit tab: one method fills the hole; its result is looked at, saved, and edited further."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

import inpaint_core
from inpaint_core import InpaintError, catalogue, photo
from webui import canvas, controls, filling, runner
from webui.canvas import PRESS_DOWNLOAD
from webui.errors import in_one_sentence
from webui.session import Outcome, read_hole, read_rgb
from webui.studio import Studio, describe


def build(studio: Studio) -> None:
    """Put the tab on the page and connect it."""
    outcome = gr.State(None)
    with gr.Row(elem_classes="toolbar"):
        method = gr.Dropdown(
            controls.method_choices(),
            value=catalogue.default_method(),
            label="Method",
            elem_id="method",
            scale=3,
            min_width=260,
        )
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, elem_id="seed", scale=1, min_width=80)
    about_method = gr.Markdown(about(catalogue.default_method()), elem_id="about-method", elem_classes="quiet")
    with gr.Row(elem_classes="toolbar finishing"):
        blend = controls.finishes("Rim of the fill", "blend", scale=1, min_width=200)
        refine = gr.Checkbox(
            False,
            label="Refine the texture with patches of the photo (PatchMatch)",
            elem_id="refine",
            container=False,
            scale=1,
            min_width=200,
        )
    with gr.Row(elem_classes="toolbar"):
        fill = gr.Button("Fill", variant="primary", size="lg", elem_id="fill", scale=3, min_width=180)
        stop = gr.Button("Stop", size="lg", elem_id="stop", scale=1, min_width=80, visible=False)
        both = gr.Button("With and without sketch", size="lg", elem_id="fill-both", scale=2, min_width=200)
    live = gr.Image(
        format="png",
        interactive=False,
        show_label=False,
        label="Filled so far",
        buttons=[],
        height=320,
        elem_id="live",
        visible=False,
    )
    slider = gr.ImageSlider(
        type="filepath",
        format="png",
        interactive=False,
        show_label=False,
        label="Before and after",
        buttons=["fullscreen"],
        max_height=560,
        elem_id="before-after",
        visible="hidden",
    )
    pair = controls.pictures("Without and with the sketch", elem_id="pair", buttons=["fullscreen"], visible="hidden")
    notes = gr.Markdown(
        "Paint over what should go, then press Fill (Shift+R).", elem_id="notes", elem_classes="quiet status"
    )
    with gr.Row(elem_classes="toolbar", visible=False, elem_id="after-fill") as after:
        save = gr.Button("Save in the photo's format", size="sm", elem_id="save-original", min_width=120)
        save_exact = gr.Button("Save as PNG (exact)", size="sm", elem_id="save-png", min_width=120)
        carry_on = gr.Button("Continue from this", size="sm", elem_id="continue", min_width=120)
    with gr.Accordion("Why: what the method did", open=False, elem_id="why"):
        explain = gr.Checkbox(
            False,
            label="At the next fill also show gate maps and attention (networks; takes longer)",
            elem_id="explain",
            container=False,
        )
        reasons = controls.pictures("Why", buttons=[])

    hidden: dict[str, Any] = {"api_visibility": "private"}
    method.change(about, [method], [about_method], show_progress="hidden", **hidden)
    studio.worked.select(_sketching_method, [method], [method], show_progress="hidden", **hidden)
    settings: dict[str, Any] = {
        "inputs": [studio.session, studio.editor, method, seed, refine, blend, explain, *studio.repairs],
        # in the order of `filling.OUTPUTS`
        "outputs": [outcome, slider, pair, notes, after, save, reasons, studio.last_mask, live, stop],
        "concurrency_id": runner.QUEUE,
        "concurrency_limit": runner.AT_ONCE,
        "show_progress_on": notes,
        "js": canvas.strokes_at(1, 11),
        **hidden,
    }
    runs: list[Any] = [fill.click(filling.fill, **settings), both.click(filling.fill_both, **settings)]
    for run in runs:
        run.failure(filling.ended, None, [live, stop], queue=False, show_progress="hidden", **hidden)
    stop.click(filling.stopped, None, [notes, live, stop], cancels=runs, queue=False, show_progress="hidden", **hidden)
    save.click(_save_original, [outcome], [studio.download], **hidden).success(js=PRESS_DOWNLOAD, **hidden)
    save_exact.click(_save_png, [outcome], [studio.download], **hidden).success(js=PRESS_DOWNLOAD, **hidden)
    carry_on.click(_continue, [outcome], [studio.session, studio.editor, studio.about_photo], **hidden)


def about(name: str) -> str:
    """What the chosen method does, in one sentence, and which others wait for their weights."""
    method = catalogue.get(name)
    words = f"{method.summary} [Paper]({method.url})."
    if method.accepts_sketch:
        words += " Follows the Sketch layer."
    waiting = controls.not_ready()
    return f"{words}<br>{waiting}" if waiting else words


def _named(outcome: Outcome, suffix: str) -> Path:
    """A path in a folder of its own, so that the download has a name the visitor knows."""
    folder = outcome.session.new_path("")
    folder.mkdir()
    return folder / f"{Path(outcome.session.name).stem}_filled{suffix}"


@in_one_sentence
def _save_original(outcome: Outcome | None) -> str:
    if outcome is None:
        raise InpaintError("There is no result yet; press Fill first.")
    original = outcome.session.photo()
    suffix = photo.FORMATS[original.format][0]
    path = photo.write(original, read_rgb(outcome.image), _named(outcome, suffix), mask=read_hole(outcome.hole))
    return str(path)


@in_one_sentence
def _save_png(outcome: Outcome | None) -> str:
    if outcome is None:
        raise InpaintError("There is no result yet; press Fill first.")
    original = outcome.session.photo()
    path = photo.write(original, read_rgb(outcome.image), _named(outcome, ".png"), mask=read_hole(outcome.hole))
    return str(path)


@in_one_sentence
def _continue(outcome: Outcome | None) -> tuple[Any, ...]:
    if outcome is None:
        raise InpaintError("There is no result yet; press Fill first.")
    before = outcome.session
    session = replace(
        before,
        base=outcome.image,
        base_hole=outcome.hole,
        canvas=outcome.after,
        first_canvas=before.first_canvas or before.canvas,
    )
    return session, canvas.scene(session), describe(session)


def _sketching_method(now: str) -> str:
    """The chosen method where it follows a sketch, else the first ready one that does."""
    able = [method.name for method in inpaint_core.methods() if method.accepts_sketch and method.ready]
    return now if now in able or not able else able[0]
