"""The left column, beside all tabs: the photo on its canvas, examples, the tools of the Mask and Sketch layers."""

from __future__ import annotations

import secrets
from typing import Any

import gradio as gr

from inpaint_core import masks
from inpaint_core.photo import HEIC_SUFFIXES
from webui import controls
from webui.canvas import mask_scene
from webui.events import PRIVATE, QUIET, Updates, Values, shows_errors
from webui.examples import EXAMPLES, SKETCH_EXAMPLES, Example, open_example
from webui.mask_tools import MaskTools
from webui.session import Session, close, open_photo, require
from webui.sketch_tools import SketchTools
from webui.workers.admission import TAKES_TURNS, takes_reading_turns
from webui.workspace import Workspace

RANDOM_MASKS = {
    "Brush strokes": "free_form",
    "Box": "box",
    "Centre": "centre",
    "Strokes and box": "deepfill",
    "Irregular": "irregular",
    "Thin strokes": "narrow",
    "Wide strokes": "wide",
    "Random pixels": "random_pixels",
}
"""Title for the page, name for `inpaint_core.masks.generate`."""


class PhotoColumn:
    """Everything that is there whichever tab is open."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        with gr.Row(elem_classes="toolbar"):
            self.opener = gr.UploadButton(
                "Open a photo",
                file_types=["image", *HEIC_SUFFIXES],  # many browsers do not take a HEIC for an image
                variant="primary",
                size="sm",
                elem_id="open-photo",
                min_width=110,
            )
            randomise = gr.Button("Random mask", size="sm", elem_id="random-mask", min_width=110)
            self.kind = gr.Dropdown(
                list(RANDOM_MASKS.items()),
                value="free_form",
                show_label=False,
                label="Kind of random mask",
                container=False,
                min_width=130,
                elem_id="random-kind",
            )
        workspace.canvas.render()
        workspace.about_photo.render()
        MaskTools(workspace)
        workspace.download.render()
        SketchTools(workspace)

        session = workspace.session
        self.opened: list[Any] = [  # the events that show another photo
            self.opener.upload(
                self.open,
                {self.opener, session},
                workspace.shown,
                show_progress="minimal",
                show_progress_on=workspace.canvas,
                **TAKES_TURNS,
                **PRIVATE,
            )
        ]
        randomise.click(self.randomise, {session, self.kind}, workspace.canvas, **QUIET)

    def build_examples(self) -> None:
        """The photos on offer, wherever there is room for them."""
        workspace = self.workspace
        gr.Markdown("Examples", elem_classes="quiet")
        examples = controls.strip(
            [(str(example.photo), example.caption) for example in EXAMPLES], label="Examples", elem_id="examples"
        )
        gr.Markdown("Or draw where edges should run, on the **Sketch** layer", elem_classes="quiet")
        workspace.sketch_examples.render()
        settings = {"inputs": {workspace.session}, "outputs": workspace.shown, **QUIET}
        self.opened.append(examples.select(self.open_example, **settings))
        self.opened.append(workspace.sketch_examples.select(self.open_sketch_example, **settings))

    def open_first_example(self) -> Updates:
        """What the page shows a new visitor."""
        return self._show(EXAMPLES[0], before=None)

    @shows_errors
    @takes_reading_turns
    def open(self, values: Values) -> Updates:
        """Show an uploaded photo; the one before is closed."""
        session = open_photo(values[self.opener])
        close(values[self.workspace.session])
        return self.workspace.show(session)

    @shows_errors
    def open_example(self, values: Values, event: gr.SelectData) -> Updates:
        """Show an example with its mask."""
        return self._show(EXAMPLES[event.index], before=values[self.workspace.session])

    @shows_errors
    def open_sketch_example(self, values: Values, event: gr.SelectData) -> Updates:
        """Show an example with its mask and sketch."""
        return self._show(SKETCH_EXAMPLES[event.index], before=values[self.workspace.session])

    @shows_errors
    def randomise(self, values: Values) -> Updates:
        """Put a random mask of the chosen kind on the canvas."""
        session = require(values[self.workspace.session])
        mask = masks.generate(values[self.kind], *session.canvas_size, seed=secrets.randbelow(1 << 31))
        return {self.workspace.canvas: mask_scene(session, mask)}

    def _show(self, example: Example, before: Session | None) -> Updates:
        """Show an example; the photo `before` it is closed."""
        session, scene = open_example(example)
        close(before)
        return self.workspace.show(session, scene)
