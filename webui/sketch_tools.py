"""The Sketch layer's tools: the photo's own edges put on it, a sketch loaded, the sketch saved."""

from __future__ import annotations

import cv2
import gradio as gr
import numpy as np

from inpaint_core import InpaintError, masks, sketch
from webui import gpu, limits, work
from webui.canvas import HAND_OVER_STROKES, sketch_scene
from webui.drawing import Drawing
from webui.events import PRIVATE, QUIET, Updates, Values, shows_errors
from webui.files import read_rgb, save_png
from webui.session import Session, require
from webui.workers.admission import TAKES_TURNS, takes_reading_turns
from webui.workspace import Workspace

AROUND = 1 / 25  # edges are shown so far around the hole, as a share of the photo's longer side: lines join up there


class SketchTools:
    """The tools, in an accordion below the photo."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        with gr.Accordion("Sketch: auto edges, load, save", open=False, elem_id="sketch-tools"):
            gr.Markdown(
                "Lines inside of the mask are where the fill gets its edges; lines outside stay dimmed and are "
                "ignored. Choose **Sketch** above the photo, draw with the brush, correct with the eraser.",
                elem_classes="quiet",
            )
            self.strength = gr.Slider(
                0.1,
                0.95,
                sketch.THRESHOLD,
                step=0.05,
                label="Auto edges: only those stronger than",
                info="Less brings more lines. Their thickness is that of the Sketch brush.",
                elem_id="edge-strength",
            )
            with gr.Row():
                find = gr.Button("Auto edges", size="sm", min_width=90, elem_id="auto-edges")
                self.loader = gr.UploadButton(
                    "Load a sketch", file_types=["image"], size="sm", min_width=90, elem_id="load-sketch"
                )
                save = gr.Button("Save the sketch", size="sm", min_width=90, elem_id="save-sketch")
        # The canvas has a button of its own, which presses this one: those of a closed accordion are not on the page.
        pressed = gr.Button("Auto edges", elem_id="canvas-auto-edges", visible="hidden")

        gr.on(
            [pressed.click, find.click, self.strength.change],
            self.find_edges,
            {*workspace.inputs, self.strength},
            workspace.canvas,
            js=HAND_OVER_STROKES,
            show_progress="minimal",
            trigger_mode="always_last",
            **TAKES_TURNS,
            **PRIVATE,
        )
        self.loader.upload(self.load, {workspace.session, self.loader}, workspace.canvas, **TAKES_TURNS, **QUIET)
        workspace.download_on_click(save, self.save, workspace.inputs, js=HAND_OVER_STROKES)

    @shows_errors
    @takes_reading_turns
    def find_edges(self, values: Values) -> Updates:
        """Put the photo's edges on the canvas."""
        drawing = self.workspace.drawing(values)
        lines = auto_edges(drawing, values[self.strength])
        if not lines.any():
            gr.Info("There is no edge so strong here; choose a lower strength under Sketch.")
        return {self.workspace.canvas: sketch_scene(drawing.session, lines, found=True)}

    @shows_errors
    @takes_reading_turns
    def load(self, values: Values) -> Updates:
        """Put the sketch of a file on the canvas, whatever its colours."""
        session = require(values[self.workspace.session])
        return {
            self.workspace.canvas: sketch_scene(session, sketch.repair(work.run(limits.read_mask, values[self.loader])))
        }

    @shows_errors
    def save(self, values: Values) -> str:
        """Write the lines to a file, white on black; returns its path."""
        drawing = self.workspace.drawing(values)
        lines = drawing.sketch()
        if lines is None:
            raise InpaintError("Nothing is drawn yet; choose Sketch above the photo and draw, or press Auto edges.")
        return str(save_png(lines, drawing.session.download_path("sketch.png")))


def auto_edges(drawing: Drawing, strength: float) -> np.ndarray:
    """The photo's edges in and around the hole, or everywhere while nothing is masked, as thick as the Sketch brush.

    Args:
        drawing: the photo and what is painted on it.
        strength: in [0, 1], the least an edge must have.

    Returns:
        bool of the canvas' size.

    Raises:
        InpaintError: the edge detector has no weights here.
    """
    lines = sketch.thin(_edges(drawing.session), strength)
    if drawing.painted("mask").any() or drawing.repairs.invert:
        reach = drawing.repairs.grow + AROUND * max(drawing.session.canvas_size)
        lines &= masks.repair(drawing.repaired(), dilate=reach)
    side = max(1, round(drawing.strokes.line_width))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(lines.astype(np.uint8), brush) > 0


def _edges(session: Session) -> np.ndarray:
    """Strength of the edges of the photo on the canvas, float32 in [0, 1]; found once, then kept beside the photo."""
    kept = session.canvas.with_name(f"{session.canvas.stem}_edges.png")
    if not kept.is_file():
        edges = work.run(sketch.edges, read_rgb(session.canvas), gpu.local_device())
        save_png(np.rint(edges * 255).astype(np.uint8), kept)
    return read_rgb(kept)[..., 0].astype(np.float32) / 255
