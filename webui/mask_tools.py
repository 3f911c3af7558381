"""The Mask layer's tools: repair it, show what will be filled, load, reuse and save a mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np

from inpaint_core import InpaintError, masks
from webui import limits, work
from webui.canvas import END_SELECT, GROWN_PAINT, HAND_OVER_STROKES, MASK_PAINT, mask_scene
from webui.drawing import Drawing
from webui.events import QUIET, Updates, Values, shows_errors
from webui.files import read_rgb, save_png
from webui.session import require
from webui.workers.admission import TAKES_TURNS, takes_reading_turns
from webui.workspace import Workspace

RIM = 0.004  # by which a selected object is widened, as a share of the canvas' longer side: its rim and shadow go too
MIN_RIM = 2.0  # pixels of the canvas


class MaskTools:
    """The tools, in an accordion below the photo."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        repairs = workspace.repairs
        with gr.Accordion("Mask: grow, repair, load, save", open=False, elem_id="mask-tools") as tools:
            with gr.Row():
                with gr.Column(min_width=220):
                    for control in (repairs.grow, repairs.specks, repairs.close_loops, repairs.invert):
                        control.render()
                with gr.Column(min_width=220):
                    workspace.mask_preview.render()
                    workspace.mask_summary.render()
            with gr.Row():
                show = gr.Button("Show what will be filled", size="sm", min_width=120, elem_id="look")
                self.loader = gr.UploadButton(
                    "Load a mask", file_types=["image"], size="sm", min_width=90, elem_id="load-mask"
                )
                reuse = gr.Button("Reuse last mask", size="sm", min_width=90, elem_id="reuse-mask")
                save = gr.Button("Save the mask", size="sm", min_width=90, elem_id="save-mask")

        # The canvas presses it when a line on an object is drawn.
        select = gr.Button("Select object", elem_id="do-select", visible="hidden")
        selecting: Any = select.click(
            self.select, workspace.inputs, workspace.canvas, js=HAND_OVER_STROKES, **TAKES_TURNS, **QUIET
        )
        selecting.failure(js=END_SELECT, **QUIET)
        self.loader.upload(self.load, {workspace.session, self.loader}, workspace.canvas, **TAKES_TURNS, **QUIET)
        reuse.click(self.reuse, {workspace.session, workspace.last_mask}, workspace.canvas, **QUIET)
        workspace.download_on_click(save, self.save, workspace.inputs, js=HAND_OVER_STROKES)
        # The canvas draws what growing and inverting will do at once, without asking the server.
        repairs.grow.change(None, [repairs.grow], js="(pixels) => window.studio.setGrow(pixels)", **QUIET)
        repairs.invert.change(None, [repairs.invert], js="(on) => window.studio.setInvert(on)", **QUIET)
        changes = (repairs.grow.release, repairs.specks.release, repairs.close_loops.change, repairs.invert.change)
        gr.on(
            [tools.expand, show.click, *changes],
            self.preview,
            workspace.inputs,
            [workspace.mask_preview, workspace.mask_summary],
            js=HAND_OVER_STROKES,
            trigger_mode="always_last",
            **QUIET,
        )

    @shows_errors
    @takes_reading_turns
    def load(self, values: Values) -> Updates:
        """Put the mask of a file on the canvas."""
        session = require(values[self.workspace.session])
        mask = masks.from_file(work.run(limits.read_mask, values[self.loader]))
        found = masks.diagnose(mask)
        if mask.shape != (session.height, session.width):
            gr.Info(
                f"The mask was {mask.shape[1]} x {mask.shape[0]} and was brought to the photo's "
                f"{session.width} x {session.height} pixels."
            )
        if found.looks_inverted:
            gr.Warning(" ".join(found.reasons) + " Tick Invert under Mask if so.", title="Is this mask inverted?")
        return {self.workspace.canvas: mask_scene(session, mask)}

    @shows_errors
    @takes_reading_turns
    def select(self, values: Values) -> Updates:
        """Paint the object that a line was drawn on or around."""
        drawing = self.workspace.drawing(values)
        rim = max(MIN_RIM, RIM * max(drawing.session.canvas_size))
        return {self.workspace.canvas: mask_scene(drawing.session, drawing.selected(rim), add=True)}

    @shows_errors
    def reuse(self, values: Values) -> Updates:
        """Put the mask of the last fill on the canvas."""
        session, path = require(values[self.workspace.session]), values[self.workspace.last_mask]
        if path is None or not Path(path).is_file():
            raise InpaintError("No mask was used yet; paint one and press Fill first.")
        return {self.workspace.canvas: mask_scene(session, masks.from_file(work.run(limits.read_mask, path)))}

    @shows_errors
    def save(self, values: Values) -> str:
        """Write the repaired mask to a file; returns its path."""
        drawing = self.workspace.drawing(values)
        return str(save_png(drawing.mask(), drawing.session.download_path("mask.png")))

    def preview(self, values: Values) -> Updates:
        """Show what will be filled, and what is worth knowing about the mask."""
        if values[self.workspace.session] is None:
            return {self.workspace.mask_preview: None, self.workspace.mask_summary: ""}
        drawing = self.workspace.drawing(values)
        # The mask before it is repaired: what is found in it says which repair helps.
        found = masks.diagnose(drawing.repaired() if drawing.repairs.invert else drawing.painted("mask"))
        return {self.workspace.mask_preview: preview(drawing), self.workspace.mask_summary: summarise(found)}


def preview(drawing: Drawing) -> np.ndarray:
    """What will be filled, drawn over the photo: the strokes in red, what the repairs add in amber.

    Returns:
        uint8 H x W x 3 of the canvas' size.
    """
    strokes = drawing.painted("mask")
    final = masks.repair(drawing.repaired(), dilate=drawing.repairs.grow)
    picture = read_rgb(drawing.session.canvas)
    shown = (picture * 0.55).astype(np.uint8)  # dimmed, so that thin masks stand out
    shown[final] = GROWN_PAINT
    shown[final & strokes] = MASK_PAINT
    return np.asarray(cv2.addWeighted(shown, 0.75, picture, 0.25, 0))


def summarise(found: masks.Diagnosis) -> str:
    """How much is painted, and what a user should know about the mask."""
    if not found.share:
        return "Nothing is painted yet."
    pieces = "one piece" if found.holes == 1 else f"{found.holes} pieces"
    size = f"{max(found.share, 0.0001):.2%} of the photo is painted, in {pieces}; amber is what growing adds."
    return " ".join([size, *found.reasons])
