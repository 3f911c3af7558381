"""The Edit tab: one method fills the hole; each fill is a step that the canvas shows, saved from there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from inpaint_core import InpaintError, catalogue
from inpaint_core.predictor import FillOptions
from webui import canvas, controls, filling, work
from webui.events import QUIET, Updates, Values, shows_errors
from webui.filling import FillJob, Finished, Running
from webui.session import Step, require, save_step
from webui.suggest import SuggestControls
from webui.workers.admission import TAKES_TURNS, takes_turns
from webui.workspace import Workspace

FIRST_NOTE = "Paint over what should go, then press **Fill** (Shift+R)."


class EditTab:
    """The tab's components, and what happens when they are used."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.method = gr.Dropdown(
            controls.grouped_choices(), value=catalogue.default_method(), label="Method", elem_id="method"
        )
        self.about_method = gr.Markdown(
            describe_method(catalogue.default_method()), elem_id="about-method", elem_classes="quiet"
        )
        self.suggestion = SuggestControls(workspace, self.method)
        able = controls.sketching_methods()
        with gr.Row(visible=False, elem_id="offer", elem_classes="toolbar") as self.offer:
            self.offer_text = gr.Markdown("This method does not follow a sketch. Use one that does:")
            offers = [(gr.Button(method.title, size="sm", min_width=120), method.name) for method in able]
        first = catalogue.get(catalogue.default_method())
        self.on_release = gr.Checkbox(
            False,
            label="Fill as soon as a stroke of the mask ends",
            elem_id="fill-on-release",
            container=False,
            visible=first.is_quick,
        )
        with gr.Row(elem_classes="toolbar"):
            self.both = gr.Button(
                "With and without sketch",
                size="sm",
                elem_id="fill-both",
                elem_classes="with-sketch",
                visible=first.accepts_sketch,
            )
            self.variations = gr.Button(
                "Four variations", size="sm", elem_id="fill-variations", visible=first.uses_seed
            )
        self.notes = gr.Markdown(FIRST_NOTE, elem_id="notes", elem_classes="quiet status")
        with gr.Accordion("Advanced", open=False, elem_id="advanced"):
            with gr.Row():
                self.seed = gr.Number(
                    0,
                    label="Seed",
                    info="Of the numbers drawn.",
                    precision=0,
                    minimum=0,
                    elem_id="seed",
                    min_width=100,
                    visible=first.uses_seed,
                )
                self.blend = controls.blend_choice("Blending", "blend", min_width=180)
            self.refine = gr.Checkbox(
                False,
                label="Refine the texture with patches of the photo (PatchMatch)",
                elem_id="refine",
                container=False,
            )
            self.explain = gr.Checkbox(
                False,
                label="At the next fill also show gate maps and attention (networks; takes longer)",
                elem_id="explain",
                container=False,
            )
        with gr.Accordion("Why: what the method did", open=False, elem_id="why"):
            self.explanations = controls.pictures("Why", buttons=[])

        # The canvas has the buttons, which press these.
        fill = gr.Button("Fill", elem_id="do-fill", visible="hidden")
        stop = gr.Button("Stop", elem_id="do-stop", visible="hidden")
        save = gr.Button("Save", elem_id="do-save-original", visible="hidden")
        save_exact = gr.Button("Save as PNG", elem_id="do-save-png", visible="hidden")
        copy = gr.Button("Copy", elem_id="do-copy", visible="hidden")
        copied = gr.File(visible="hidden")
        sketched = gr.Button("Sketched", elem_id="sketch-started", visible="hidden")
        self.runs = [*self._connect(fill, stop), *self.suggestion.runs]
        for button, function in ((save, self.save_original), (save_exact, self.save_png)):
            workspace.download_on_click(
                button, function, {workspace.session, workspace.canvas}, js=canvas.HAND_OVER_PLACE
            )
        copying: Any = copy.click(
            self.save_png, {workspace.session, workspace.canvas}, copied, js=canvas.HAND_OVER_PLACE, **QUIET
        )
        copying.success(None, [copied], js="(file) => window.studio.copied(file)", **QUIET)
        copying.failure(js="() => window.studio.notCopied()", **QUIET)
        sketched.click(self.offer_sketching, {self.method}, self.offer, **QUIET)
        for button, name in offers:
            button.click(lambda name=name: name, None, self.method, **QUIET)

    def _connect(self, fill: gr.Button, stop: gr.Button) -> list[Any]:
        """Connect what chooses the method, starts and stops a fill; returns the events that fill."""
        depending = [self.about_method, self.both, self.variations, self.on_release, self.seed, self.offer]
        described: Any = self.method.change(self.describe_method, {self.method, self.refine}, depending, **QUIET)
        self.refine.change(self.describe_method, {self.method, self.refine}, depending, **QUIET)
        for event in (described.then, self.on_release.change):
            event(None, [self.on_release], js="(on) => window.studio.setOnRelease(on)", **QUIET)
        self.workspace.sketch_examples.select(self.choose_sketching_method, {self.method}, self.method, **QUIET)
        options = {self.seed, self.refine, self.blend, self.explain}
        settings: dict[str, Any] = {
            "inputs": {*self.workspace.inputs, self.method, *options},
            "outputs": [self.workspace.canvas, self.workspace.last_mask, self.notes, self.explanations],
            **TAKES_TURNS,
            "js": canvas.START_RUN,
            **QUIET,
        }
        runs: list[Any] = [
            fill.click(self.fill, **settings),
            self.both.click(self.fill_both, **settings),
            self.variations.click(self.fill_variations, **settings),
        ]
        for run in runs:
            run.then(js=canvas.END_RUN, **QUIET)
        stop.click(self.show_stopped, None, self.notes, js=canvas.END_RUN, cancels=runs, queue=False, **QUIET)
        return runs

    @property
    def cleared(self) -> list[Any]:
        """What `clear` sets."""
        return [self.notes, self.explanations, *self.suggestion.cleared]

    def clear(self) -> Updates:
        """Clear the messages about the photo before."""
        return {self.notes: FIRST_NOTE, self.explanations: None, **self.suggestion.clear()}

    @property
    def listing(self) -> list[Any]:
        """What `list_methods` sets."""
        return [self.method]

    def list_methods(self) -> Updates:
        """Offer the methods that can run now."""
        return {self.method: gr.Dropdown(choices=controls.grouped_choices())}

    def describe_method(self, values: Values) -> Updates:
        """What the chosen method does, and the controls that have a meaning for it."""
        method = catalogue.get(values[self.method])
        quick = method.is_quick
        updates: Updates = {
            self.about_method: describe_method(method.name),
            self.both: gr.Button(visible=method.accepts_sketch),
            self.variations: gr.Button(visible=method.uses_seed),
            self.on_release: gr.Checkbox(visible=True) if quick else gr.Checkbox(value=False, visible=False),
            self.seed: gr.Number(visible=method.uses_seed or bool(values[self.refine])),
        }
        if method.accepts_sketch:
            updates[self.offer] = gr.Row(visible=False)
        return updates

    def offer_sketching(self, values: Values) -> gr.Row:
        """Offer the methods that follow a sketch, where the chosen one does not."""
        return gr.Row(visible=not catalogue.get(values[self.method]).accepts_sketch)

    def choose_sketching_method(self, values: Values) -> str:
        """The chosen method where it follows a sketch, else the first ready one that does."""
        chosen = values[self.method]
        able = [method.name for method in controls.sketching_methods()]
        return chosen if chosen in able or not able else able[0]

    @shows_errors
    @takes_turns
    def fill(self, values: Values) -> Iterator[Updates]:
        """Fill the hole."""
        for state in filling.fill(self._job(values)):
            yield self._updates(values, state)

    @shows_errors
    @takes_turns
    def fill_both(self, values: Values) -> Iterator[Updates]:
        """Fill the hole without and with the sketch."""
        for state in filling.fill_both(self._job(values)):
            yield self._updates(values, state)

    @shows_errors
    @takes_turns
    def fill_variations(self, values: Values) -> Iterator[Updates]:
        """Fill the hole by four seeds, side by side."""
        for state in filling.fill_variations(self._job(values)):
            yield self._updates(values, state)

    def _job(self, values: Values) -> FillJob:
        """The fill that the controls describe."""
        options = FillOptions(
            seed=int(values[self.seed] or 0),
            refine="patchmatch" if values[self.refine] else None,
            blend=values[self.blend] or None,
            explain=values[self.explain],
        )
        return filling.prepare(self.workspace.drawing(values), values[self.method], options)

    def _updates(self, values: Values, state: Running | Finished) -> Updates:
        """What changes on the page."""
        if isinstance(state, Running):
            session = require(values[self.workspace.session])
            return {self.workspace.canvas: canvas.running_scene(session, state.share, state.text, state.preview)}
        run = self.workspace.strokes(values).run
        return {
            self.workspace.canvas: canvas.steps_scene(state.steps, run, side_by_side=len(state.steps) > 1),
            self.workspace.last_mask: str(state.steps[-1].mask),
            self.notes: state.notes,
            self.explanations: state.explanations,
        }

    def show_stopped(self) -> str:
        """A note for the visitor who pressed Stop."""
        return "Stopped; nothing was changed."

    @shows_errors
    def save_original(self, values: Values) -> str:
        """Write the result that is shown in the photo's own format; returns the file's path."""
        return work.run(save_step, self._shown_step(values))

    @shows_errors
    def save_png(self, values: Values) -> str:
        """Write the result that is shown as PNG; returns the file's path."""
        return work.run(save_step, self._shown_step(values), ".png")

    def _shown_step(self, values: Values) -> Step:
        """The step that the canvas shows."""
        session = self.workspace.drawing(values, repaired=False).session
        if not session.step:
            raise InpaintError("This is the photo as you opened it; paint over what should go and press Fill first.")
        return session.steps[session.step]


def describe_method(name: str) -> str:
    """A sentence on what the method does."""
    method = catalogue.get(name)
    words = f"{method.advice} {method.summary} [Paper]({method.url}).".lstrip()
    if "@" in name:
        words += f" Public weights; their licence: {method.licence}."
    return f"{words} Follows the Sketch layer." if method.accepts_sketch else words
