"""The Edit tab: one method fills the hole; its result is shown, saved and edited further."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from inpaint_core import InpaintError, catalogue, photo
from inpaint_core.predictor import FillOptions
from webui import canvas, controls, filling, runner
from webui.events import PRIVATE, QUIET, Updates, Values, shows_errors
from webui.files import read_mask, read_rgb
from webui.filling import FillJob, Finished, Running
from webui.session import Step
from webui.workspace import Workspace, describe


class EditTab:
    """The tab's components, and what happens when they are used."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.step = gr.State(None)  # a Step: the last fill
        with gr.Row(elem_classes="toolbar"):
            self.method = gr.Dropdown(
                controls.method_choices(),
                value=catalogue.default_method(),
                label="Method",
                elem_id="method",
                scale=3,
                min_width=260,
            )
            self.seed = gr.Number(0, label="Seed", precision=0, minimum=0, elem_id="seed", scale=1, min_width=80)
        self.about_method = gr.Markdown(
            describe_method(catalogue.default_method()), elem_id="about-method", elem_classes="quiet"
        )
        with gr.Row(elem_classes="toolbar finishing"):
            self.blend = controls.blend_choice("Blending", "blend", scale=1, min_width=200)
            self.refine = gr.Checkbox(
                False,
                label="Refine the texture with patches of the photo (PatchMatch)",
                elem_id="refine",
                container=False,
                scale=1,
                min_width=200,
            )
        with gr.Row(elem_classes="toolbar"):
            fill = gr.Button("Fill", variant="primary", size="lg", elem_id="fill", scale=3, min_width=180)
            self.stop = gr.Button("Stop", size="lg", elem_id="stop", scale=1, min_width=80, visible=False)
            both = gr.Button("With and without sketch", size="lg", elem_id="fill-both", scale=2, min_width=200)
        self.preview = gr.Image(
            format="png",
            interactive=False,
            show_label=False,
            label="Filled so far",
            buttons=[],
            height=320,
            elem_id="live",
            visible=False,
        )
        self.slider = gr.ImageSlider(
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
        self.pair = controls.pictures(
            "Without and with the sketch", elem_id="pair", buttons=["fullscreen"], visible="hidden"
        )
        self.notes = gr.Markdown(
            "Paint over what should go, then press Fill (Shift+R).", elem_id="notes", elem_classes="quiet status"
        )
        with gr.Row(elem_classes="toolbar", visible=False, elem_id="after-fill") as self.after_fill:
            self.save = gr.Button("Save in the photo's format", size="sm", elem_id="save-original", min_width=120)
            save_exact = gr.Button("Save as PNG (exact)", size="sm", elem_id="save-png", min_width=120)
            carry_on = gr.Button("Continue from this", size="sm", elem_id="continue", min_width=120)
        with gr.Accordion("Why: what the method did", open=False, elem_id="why"):
            self.explain = gr.Checkbox(
                False,
                label="At the next fill also show gate maps and attention (networks; takes longer)",
                elem_id="explain",
                container=False,
            )
            self.explanations = controls.pictures("Why", buttons=[])
        self._connect(fill, both)
        workspace.download_on_click(self.save, self.save_original, {self.step})
        workspace.download_on_click(save_exact, self.save_png, {self.step})
        carry_on.click(
            self.continue_from_result,
            {self.step},
            [workspace.session, workspace.canvas, workspace.about_photo],
            **PRIVATE,
        )

    def _connect(self, fill: gr.Button, both: gr.Button) -> None:
        """Connect what chooses the method, starts and stops a fill."""
        self.method.change(self.describe_method, {self.method}, self.about_method, **QUIET)
        self.workspace.sketch_examples.select(self.choose_sketching_method, {self.method}, self.method, **QUIET)
        options = {self.seed, self.refine, self.blend, self.explain}
        settings: dict[str, Any] = {
            "inputs": {*self.workspace.inputs, self.method, *options},
            "outputs": [
                self.step,
                self.slider,
                self.pair,
                self.notes,
                self.after_fill,
                self.save,
                self.explanations,
                self.workspace.last_mask,
                self.preview,
                self.stop,
            ],
            "concurrency_id": runner.QUEUE,
            "concurrency_limit": runner.AT_ONCE,
            "show_progress_on": self.notes,
            "js": canvas.HAND_OVER_STROKES,
            **PRIVATE,
        }
        runs: list[Any] = [fill.click(self.fill, **settings), both.click(self.fill_both, **settings)]
        for run in runs:
            run.failure(self.hide_running, None, [self.preview, self.stop], queue=False, **QUIET)
        self.stop.click(
            self.show_stopped, None, [self.notes, self.preview, self.stop], cancels=runs, queue=False, **QUIET
        )

    def describe_method(self, values: Values) -> str:
        """What the chosen method does."""
        return describe_method(values[self.method])

    def choose_sketching_method(self, values: Values) -> str:
        """The chosen method where it follows a sketch, else the first ready one that does."""
        chosen = values[self.method]
        able = [method.name for method in controls.sketching_methods()]
        return chosen if chosen in able or not able else able[0]

    @shows_errors
    def fill(self, values: Values, progress: gr.Progress = gr.Progress()) -> Iterator[Updates]:  # noqa: B008
        """Fill the hole."""
        for state in filling.fill(self._job(values, progress), progress):
            yield self._updates(state)

    @shows_errors
    def fill_both(self, values: Values, progress: gr.Progress = gr.Progress()) -> Iterator[Updates]:  # noqa: B008
        """Fill the hole without and with the sketch."""
        for state in filling.fill_both(self._job(values, progress), progress):
            yield self._updates(state)

    def _job(self, values: Values, progress: gr.Progress) -> FillJob:
        """The fill that the controls describe."""
        drawing = self.workspace.drawing(values)
        progress(0, desc="Reading the photo and the mask")
        options = FillOptions(
            seed=int(values[self.seed] or 0),
            refine="patchmatch" if values[self.refine] else None,
            blend=values[self.blend] or None,
            explain=values[self.explain],
        )
        return filling.prepare(drawing, values[self.method], options)

    def _updates(self, state: Running | Finished) -> Updates:
        """What changes on the page."""
        if isinstance(state, Finished):
            step = state.step
            return {
                self.step: step,
                self.slider: gr.ImageSlider(value=(str(step.before), str(step.after)), visible=True),
                self.pair: gr.Gallery(value=state.pair or None, visible=True if state.pair else "hidden"),
                self.notes: state.notes,
                self.after_fill: gr.Row(visible=True),
                self.save: gr.Button(f"Save as {state.photo_format}"),
                self.explanations: state.explanations,
                self.workspace.last_mask: str(step.mask),
                **self.hide_running(),
            }
        updates: Updates = {}
        if state.notes is not None:
            updates |= {self.notes: state.notes, self.stop: gr.Button(visible=True)}
        if state.preview is not None:
            updates[self.preview] = gr.Image(value=state.preview, visible=True)
        return updates

    def hide_running(self) -> Updates:
        """No unfinished picture and no Stop button any more."""
        return {self.preview: gr.Image(value=None, visible=False), self.stop: gr.Button(visible=False)}

    def show_stopped(self) -> Updates:
        """The same, with a note for the visitor who pressed Stop."""
        return {self.notes: "Stopped; nothing was changed.", **self.hide_running()}

    @shows_errors
    def save_original(self, values: Values) -> str:
        """Write the result in the photo's own format; returns the file's path."""
        return _save(values[self.step])

    @shows_errors
    def save_png(self, values: Values) -> str:
        """Write the result as PNG; returns the file's path."""
        return _save(values[self.step], suffix=".png")

    @shows_errors
    def continue_from_result(self, values: Values) -> Updates:
        """Put the result on the canvas, to be filled further."""
        session = _require(values[self.step]).continued()
        return {
            self.workspace.session: session,
            self.workspace.canvas: canvas.scene(session),
            self.workspace.about_photo: describe(session),
        }


def describe_method(name: str) -> str:
    """A sentence on what the method does, and one on those that wait for their weights."""
    method = catalogue.get(name)
    words = f"{method.summary} [Paper]({method.url})."
    if method.accepts_sketch:
        words += " Follows the Sketch layer."
    waiting = controls.not_ready()
    return f"{words}<br>{waiting}" if waiting else words


def _require(step: Step | None) -> Step:
    if step is None:
        raise InpaintError("There is no result yet; press Fill first.")
    return step


def _save(step: Step | None, suffix: str | None = None) -> str:
    """Write a step's result; `suffix` chooses the format, None keeps the photo's."""
    step = _require(step)
    original = step.session.photo()
    path = step.session.download_path(f"filled{suffix or photo.FORMATS[original.format][0]}")
    path.parent.mkdir()
    return str(photo.write(original, read_rgb(step.image), path, mask=read_mask(step.changed)))
