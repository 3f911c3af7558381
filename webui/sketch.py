"""The Sketch layer's tools: the photo's own edges put on it, a sketch loaded, the sketch saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np

from inpaint_core import InpaintError, masks, photo
from inpaint_core import sketch as core
from webui import canvas, runner
from webui.canvas import Drawing, Repairs
from webui.errors import in_one_sentence
from webui.session import Session, need, read_rgb, save_png

AROUND = 1 / 25  # edges are shown so far around the hole, as a share of the photo's longer side: lines join up there


def build(session: gr.State, editor: gr.HTML, repairs: list[Any], download: gr.DownloadButton) -> None:
    """Put the tools on the page and connect them; `repairs` are the components of a `Repairs`."""
    with gr.Accordion("Sketch: auto edges, load, save", open=False, elem_id="sketch-tools"):
        gr.Markdown(
            "Lines inside of the mask are where the fill gets its edges; lines outside stay dimmed and are ignored. "
            "Choose **Sketch** above the photo, draw with the brush, correct with the eraser.",
            elem_classes="quiet",
        )
        strength = gr.Slider(
            0.1,
            0.95,
            core.THRESHOLD,
            step=0.05,
            label="Auto edges: only those stronger than",
            info="Less brings more lines. Their thickness is that of the Sketch brush.",
            elem_id="edge-strength",
        )
        with gr.Row():
            find = gr.Button("Auto edges", size="sm", min_width=90, elem_id="auto-edges")
            loader = gr.UploadButton(
                "Load a sketch", file_types=["image"], size="sm", min_width=90, elem_id="load-sketch"
            )
            saver = gr.Button("Save the sketch", size="sm", min_width=90, elem_id="save-sketch")
    # The canvas has a button of its own, which presses this one: those of a closed accordion are not on the page.
    pressed = gr.Button("Auto edges", elem_id="canvas-auto-edges", elem_classes="unseen")
    thickness = gr.Number(2, visible=False)
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    gr.on(
        [pressed.click, find.click, strength.change],
        _auto,
        [session, editor, strength, thickness, *repairs],
        [editor],
        js="(session, editor, strength, _, ...repairs) => "
        "[session, window.studio.strokes(), strength, window.studio.thickness(), ...repairs]",
        **hidden | {"show_progress": "minimal"},
        trigger_mode="always_last",
    )
    loader.upload(_load, [session, loader], [editor], **hidden)
    saver.click(_save, [session, editor], [download], js=canvas.strokes_at(1, 2), **hidden).success(
        js=canvas.PRESS_DOWNLOAD, **hidden
    )


def auto_edges(session: Session, drawing: Drawing, strength: float, thickness: float, repairs: Repairs) -> np.ndarray:
    """The photo's edges in and around the hole, or everywhere while nothing is masked: bool of the canvas' size.

    Args:
        session: the photo.
        drawing: its layers as painted now.
        strength: in [0, 1], the least an edge must have.
        thickness: of the lines, in pixels of the canvas.
        repairs: what makes the hole of the strokes.

    Raises:
        InpaintError: the edge detector has no weights here, or there is no edge so strong.
    """
    strokes = canvas.painted(session, drawing, "mask")
    lines = core.thin(_edges(session), strength)
    if strokes.any() or repairs.flip:
        hole = masks.repair(strokes, invert=repairs.flip, close_loops=repairs.close_loops, remove_specks=repairs.specks)
        lines &= masks.repair(hole, dilate=repairs.grow + AROUND * max(session.canvas_size))
    side = max(1, round(thickness))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(lines.astype(np.uint8), brush) > 0


def _edges(session: Session) -> np.ndarray:
    """Strength of the edges of the photo on the canvas, float32 in [0, 1]; found once, then kept beside the photo."""
    kept = session.canvas.with_name(f"{session.canvas.stem}_edges.png")
    if not kept.is_file():
        save_png(np.rint(core.edges(read_rgb(session.canvas), runner.device_here()) * 255).astype(np.uint8), kept)
    return read_rgb(kept)[..., 0].astype(np.float32) / 255


@in_one_sentence
def _auto(
    session: Session | None, drawing: Drawing, strength: float, thickness: float | None, *repairs: Any
) -> dict[str, Any]:
    session = need(session)
    lines = auto_edges(session, drawing, strength, thickness or 1, Repairs(*repairs))
    if not lines.any():
        gr.Info("There is no edge so strong here; choose a lower strength under Sketch.")
    return canvas.sketch_scene(session, lines, found=True)


@in_one_sentence
def _load(session: Session | None, file: str) -> dict[str, Any]:
    session = need(session)
    return canvas.sketch_scene(session, core.repair(photo.read_mask(file)))


@in_one_sentence
def _save(session: Session | None, drawing: Drawing) -> str:
    session = need(session)
    lines = canvas.sketch_of(session, drawing)
    if lines is None:
        raise InpaintError("Nothing is drawn yet; choose Sketch above the photo and draw, or press Auto edges.")
    path = session.new_path("") / f"{Path(session.name).stem}_sketch.png"
    path.parent.mkdir()
    return str(save_png(lines.astype(np.uint8) * 255, path))
