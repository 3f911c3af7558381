"""What all tabs share: the open photo, the canvas with its strokes, and how the painted mask is repaired."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.blocks import Block

from webui import canvas, controls, examples
from webui.drawing import Drawing, Repairs, Strokes
from webui.events import QUIET, Updates, Values
from webui.session import Session, close, require

GROW = 4  # pixels of the canvas: covers the soft border of what is painted over


class RepairControls:
    """The choices of `drawing.Repairs`, not rendered yet."""

    def __init__(self) -> None:
        self.grow = gr.Slider(
            0,
            40,
            GROW,
            step=1,
            label="Grow by",
            info="Pixels of the canvas. A few cover the soft border of what is removed.",
            elem_id="grow",
            render=False,
        )
        self.specks = gr.Slider(
            0,
            400,
            0,
            step=10,
            label="Remove specks under",
            info="Pixels of the canvas.",
            elem_id="specks",
            render=False,
        )
        self.close_loops = gr.Checkbox(
            False, label="Fill the inside of drawn outlines", elem_id="close-loops", render=False
        )
        self.invert = gr.Checkbox(False, label="Invert: fill what is not painted", elem_id="flip", render=False)

    @property
    def inputs(self) -> set[Block]:
        """What `read` needs."""
        return {self.grow, self.specks, self.close_loops, self.invert}

    def read(self, values: Values) -> Repairs:
        """The repairs that are chosen."""
        return Repairs(
            grow=values[self.grow],
            specks=values[self.specks],
            close_loops=values[self.close_loops],
            invert=values[self.invert],
        )


class Workspace:
    """The components that several tabs read or set, not rendered yet: each is placed where it belongs on the page."""

    def __init__(self) -> None:
        self.session = gr.State(None, delete_callback=close)  # a Session
        self.last_mask = gr.State(None)  # path of the mask of the last fill, to be used again
        self.canvas = canvas.component(render=False)
        self.about_photo = gr.Markdown(elem_id="about-photo", elem_classes="quiet", render=False)
        self.repairs = RepairControls()
        self.mask_preview = gr.Image(
            format="png",
            interactive=False,
            show_label=False,
            label="What will be filled",
            buttons=["fullscreen"],
            height=230,
            elem_id="preview",
            render=False,
        )
        self.mask_summary = gr.Markdown(elem_id="mask-summary", elem_classes="quiet", render=False)
        self.sketch_examples = controls.strip(
            [(example.thumbnail(), example.caption) for example in examples.SKETCH_EXAMPLES],
            label="Worked examples of a sketch",
            elem_id="worked",
            render=False,
        )
        self.download = gr.DownloadButton("File", elem_id="download-file", visible="hidden", render=False)

    @property
    def inputs(self) -> set[Block]:
        """What `drawing` needs; the listener's `js` must be `canvas.HAND_OVER_STROKES`."""
        return {self.session, self.canvas, *self.repairs.inputs}

    def strokes(self, values: Values) -> Strokes:
        """What the browser has sent of the canvas."""
        return Strokes.of(values[self.canvas])

    def drawing(self, values: Values, repaired: bool = True) -> Drawing:
        """The photo that is shown and what is painted on it; without repairs where none are among the values.

        Raises:
            InpaintError: no photo is open.
        """
        strokes = self.strokes(values)
        repairs = self.repairs.read(values) if repaired else Repairs()
        return Drawing(require(values[self.session]).at(strokes.step), strokes, repairs)

    @property
    def shown(self) -> list[Block]:
        """What `show` sets."""
        return [
            self.session,
            self.canvas,
            self.about_photo,
            self.repairs.invert,
            self.mask_preview,
            self.mask_summary,
        ]

    def show(self, session: Session, scene: dict[str, Any] | None = None) -> Updates:
        """Another photo; `scene` is what the canvas shows where it is more than that."""
        return {
            self.session: session,
            self.canvas: scene or canvas.scene(session),
            self.about_photo: describe(session),
            self.repairs.invert: False,
            self.mask_preview: None,
            self.mask_summary: "",
        }

    def download_on_click(
        self, button: gr.Button, function: Callable[[Values], str], inputs: set[Block], js: str | None = None
    ) -> None:
        """When the button is pressed, the browser saves the file whose path the function returns."""
        event: Any = button.click(function, inputs, self.download, js=js, **QUIET)
        event.success(js=canvas.PRESS_DOWNLOAD, **QUIET)


def describe(session: Session) -> str:
    """The photo in one line, then the notes on its file."""
    size = f"{controls.as_code(session.name)}, {session.width} x {session.height} pixels"
    height, width = session.canvas_size
    if (height, width) != (session.height, session.width):
        size += f" (the canvas shows {width} x {height}; the original is filled at its full size)"
    return " ".join([size + ".", *session.notes])
