"""The Edit tab: one method fills the hole, the result is compared with what was there, saved, and edited further."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

import inpaint_core
from inpaint_core import InpaintError, catalogue, photo
from webui import canvas, runner, why
from webui.canvas import Drawing, Repairs
from webui.errors import in_one_sentence
from webui.session import Outcome, Session, read_hole, read_rgb, save_png, shrink
from webui.studio import PRESS_DOWNLOAD, Studio, describe, need


def build(studio: Studio) -> None:
    """Put the tab on the page and connect it."""
    outcome = gr.State(None)
    with gr.Row(elem_classes="toolbar"):
        method = gr.Dropdown(
            method_choices(), value=catalogue.default_method(), label="Method", elem_id="method", scale=3, min_width=260
        )
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, elem_id="seed", scale=1, min_width=80)
    about_method = gr.Markdown(about(catalogue.default_method()), elem_id="about-method", elem_classes="quiet")
    refine = gr.Checkbox(
        False, label="Refine the texture with patches of the photo (PatchMatch)", elem_id="refine", container=False
    )
    fill = gr.Button("Fill", variant="primary", size="lg", elem_id="fill")
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
        reasons = gr.Gallery(
            format="png",
            columns=2,
            height="auto",
            object_fit="contain",
            show_label=False,
            label="Why",
            buttons=[],
            elem_classes="gallery-own",
        )

    hidden: dict[str, Any] = {"api_visibility": "private"}
    method.change(about, [method], [about_method], show_progress="hidden", **hidden)
    fill.click(
        _fill,
        [studio.session, studio.editor, method, seed, refine, explain, *studio.repairs],
        [outcome, slider, notes, after, save, reasons, studio.last_mask],
        concurrency_id=runner.QUEUE,
        concurrency_limit=runner.AT_ONCE,
        show_progress_on=notes,
        js=canvas.strokes_at(1, 10),
        **hidden,
    )
    save.click(_save_original, [outcome], [studio.download], **hidden).success(js=PRESS_DOWNLOAD, **hidden)
    save_exact.click(_save_png, [outcome], [studio.download], **hidden).success(js=PRESS_DOWNLOAD, **hidden)
    carry_on.click(_continue, [outcome], [studio.session, studio.editor, studio.about_photo], **hidden)


def method_choices() -> list[tuple[str, str]]:
    """Title and name of each method that can run now."""
    return [(f"{method.title} ({method.year})", method.name) for method in inpaint_core.methods() if method.ready]


def not_ready() -> str:
    """A sentence on the methods whose weights are absent, or nothing."""
    waiting = [method.title for method in inpaint_core.methods() if not method.ready]
    if not waiting:
        return ""
    return f"Without weights yet: {', '.join(waiting)}; the Methods tab says how to make them where it can be done."


def about(name: str) -> str:
    """What the chosen method does, in one sentence, and which others wait for their weights."""
    method = catalogue.get(name)
    words = f"{method.summary} [Paper]({method.url})."
    if method.accepts_sketch:
        words += " Follows the Sketch layer."
    waiting = not_ready()
    return f"{words}<br>{waiting}" if waiting else words


@in_one_sentence
def _fill(
    session: Session | None,
    drawing: Drawing,
    method: str,
    seed: float | None,
    refine: bool,
    explain: bool,
    grow: float,
    close_loops: bool,
    specks: int,
    flip: bool,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  (gradio finds it by its default)
) -> tuple[Any, ...]:
    session = need(session)
    progress(0, desc="Reading the photo and the mask")
    hole = canvas.hole_of(session, drawing, Repairs(grow, close_loops, specks, flip))
    sketch = canvas.sketch_of(session, drawing)
    picture = session.photo()
    before = session.pixels(picture)
    result = runner.fill(
        before, hole, method, sketch, int(seed or 0), "patchmatch" if refine else None, explain, progress
    )
    after = result.image
    if after is None:
        raise InpaintError(result.error or "The method gave no picture; choose another.")
    last_mask = changed = save_png(hole.astype(np.uint8) * 255, session.new_path(".png"))
    if session.base_hole is not None:
        both = hole | read_hole(session.base_hole)
        changed = save_png(both.astype(np.uint8) * 255, session.new_path(".png"))
    outcome = Outcome(
        session=session,
        image=save_png(after, session.new_path(".png")),
        hole=changed,
        before=save_png(shrink(before, session.canvas_size), session.new_path(".png")),
        after=save_png(shrink(after, session.canvas_size), session.new_path(".png")),
    )
    record = catalogue.get(method)
    words = [f"**{record.title}** filled {hole.mean():.2%} of the photo in {result.seconds:.2f} s."]
    words += result.details.get("notes", [])
    if sketch is not None and not record.accepts_sketch:
        words.append("This method does not follow a sketch; yours is kept on its layer.")
    if not picture.exact:
        words.append(
            f"{picture.format} cannot store known pixels unchanged; the PNG does."
            if picture.format != "JPEG"
            else "JPEG compresses the whole photo anew; the PNG keeps every known pixel bit for bit."
        )
    return (
        outcome,
        gr.ImageSlider(value=(str(outcome.before), str(outcome.after)), visible=True),
        " ".join(words),
        gr.Row(visible=True),
        gr.Button(f"Save as {picture.format}"),
        why.pictures(before, result, session.new_path),
        str(last_mask),
    )


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
