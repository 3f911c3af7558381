"""The left column, shared by all tabs: the photo, the canvas with its Mask and Sketch layers, their tools."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from inpaint_core import InpaintError, masks, photo
from webui import canvas, examples, sketch, worked
from webui.canvas import Drawing, Repairs
from webui.errors import in_one_sentence
from webui.session import Session, close, need, open_photo, save_png

GROW = 4  # pixels of the canvas: covers the soft rim of what is painted over
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


@dataclass
class Studio:
    """The components that the tabs need."""

    session: gr.State
    editor: gr.HTML
    repairs: list[Any]  # grow, close loops, specks, flip: the fields of `Repairs`, in this order
    last_mask: gr.State  # PNG path of the mask of the last fill, to be used again
    download: gr.DownloadButton  # never seen: the page presses it when a file is ready
    about_photo: gr.Markdown
    worked: gr.Gallery  # worked examples of the Sketch layer
    opened: list[Any]  # what opening a photo sets


def build() -> Studio:
    """Put the column on the page and connect what happens inside it."""
    session = gr.State(None, delete_callback=close)
    last_mask = gr.State(None)
    with gr.Row(elem_classes="toolbar"):
        opener = gr.UploadButton(
            "Open a photo", file_types=["image"], variant="primary", size="sm", elem_id="open-photo", min_width=110
        )
        randomise = gr.Button("Random mask", size="sm", elem_id="random-mask", min_width=110)
        kind = gr.Dropdown(
            list(RANDOM_MASKS.items()),
            value="free_form",
            show_label=False,
            label="Kind of random mask",
            container=False,
            min_width=130,
            elem_id="random-kind",
        )
    editor = canvas.component()
    about_photo = gr.Markdown(elem_id="about-photo", elem_classes="quiet")
    strip = gr.Gallery(
        examples.thumbnails(),
        columns=len(examples.EXAMPLES),
        rows=1,
        format="png",
        allow_preview=False,
        object_fit="cover",
        buttons=[],
        show_label=False,
        label="Examples",
        elem_id="examples",
        elem_classes="gallery-own strip",
    )
    gr.Markdown("Or draw where edges should run: on the **Sketch** layer.", elem_classes="quiet")
    drawn = gr.Gallery(
        worked.thumbnails(),
        columns=len(worked.EXAMPLES),
        rows=1,
        format="png",
        allow_preview=False,
        object_fit="cover",
        buttons=[],
        show_label=False,
        label="Worked examples of a sketch",
        elem_id="worked",
        elem_classes="gallery-own strip",
    )
    with gr.Accordion("Mask: grow, repair, load, save", open=False, elem_id="mask-tools") as tools:
        with gr.Row():
            with gr.Column(min_width=220):
                grow = gr.Slider(
                    0,
                    40,
                    GROW,
                    step=1,
                    label="Grow by",
                    info="Pixels of the canvas. A few hide the rim of what is removed.",
                    elem_id="grow",
                )
                specks = gr.Slider(
                    0, 400, 0, step=10, label="Remove specks under", info="Pixels of the canvas.", elem_id="specks"
                )
                loops = gr.Checkbox(False, label="Fill the inside of drawn outlines", elem_id="close-loops")
                flip = gr.Checkbox(False, label="Flip: fill what is not painted", elem_id="flip")
            with gr.Column(min_width=220):
                picture = gr.Image(
                    format="png",
                    interactive=False,
                    show_label=False,
                    label="What will be filled",
                    buttons=["fullscreen"],
                    height=230,
                    elem_id="preview",
                )
                verdict = gr.Markdown(elem_id="verdict", elem_classes="quiet")
        with gr.Row():
            look = gr.Button("Show what will be filled", size="sm", min_width=120, elem_id="look")
            loader = gr.UploadButton("Load a mask", file_types=["image"], size="sm", min_width=90, elem_id="load-mask")
            reuse = gr.Button("Last mask again", size="sm", min_width=90, elem_id="reuse-mask")
            saver = gr.Button("Save the mask", size="sm", min_width=90, elem_id="save-mask")
    download = gr.DownloadButton("File", elem_id="download-file", elem_classes="unseen")

    repairs = [grow, loops, specks, flip]
    sketch.build(session, editor, repairs, download)
    hidden: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    opened = [session, editor, about_photo, flip, picture, verdict]
    opener.upload(_open, [opener, session], opened, **hidden | {"show_progress": "minimal", "show_progress_on": editor})
    strip.select(_example, [session], opened, **hidden)
    drawn.select(_worked, [session], opened, **hidden)
    randomise.click(_random, [session, kind], [editor], **hidden)
    loader.upload(_load, [session, loader], [editor], **hidden)
    reuse.click(_reuse, [session, last_mask], [editor], **hidden)
    saver.click(_save, [session, editor, *repairs], [download], js=canvas.strokes_at(1, 6), **hidden).success(
        js=canvas.PRESS_DOWNLOAD, **hidden
    )
    grow.change(None, [grow], js="(pixels) => window.studio.setGrow(pixels)", **hidden)
    flip.change(None, [flip], js="(on) => window.studio.setFlip(on)", **hidden)
    for change in (tools.expand, look.click, grow.release, specks.release, loops.change, flip.change):
        change(
            _look,
            [session, editor, *repairs],
            [picture, verdict],
            js=canvas.strokes_at(1, 6),
            trigger_mode="always_last",
            **hidden,
        )
    return Studio(session, editor, repairs, last_mask, download, about_photo, drawn, opened)


def first_example() -> tuple[Any, ...]:
    """What the page shows a new visitor."""
    return _show(examples.open_example(0), examples.mask_of(0))


def describe(session: Session) -> str:
    """The photo in one line, then what the file's reader has to say about it."""
    size = f"**{session.name}**, {session.width} x {session.height} pixels"
    height, width = session.canvas_size
    if (height, width) != (session.height, session.width):
        size += f" (the canvas shows {width} x {height}; the original is filled at its full size)"
    if session.base is not None:
        size += ", continued from a result"
    return " ".join([size + ".", *session.notes])


def _show(session: Session, mask: np.ndarray | None = None, lines: np.ndarray | None = None) -> tuple[Any, ...]:
    return session, canvas.scene(session, mask, lines), describe(session), False, None, ""


@in_one_sentence
def _open(file: str, old: Session | None) -> tuple[Any, ...]:
    session = open_photo(file)
    close(old)
    return _show(session)


@in_one_sentence
def _example(old: Session | None, event: gr.SelectData) -> tuple[Any, ...]:
    session = examples.open_example(event.index)
    close(old)
    return _show(session, examples.mask_of(event.index))


@in_one_sentence
def _worked(old: Session | None, event: gr.SelectData) -> tuple[Any, ...]:
    example = worked.EXAMPLES[event.index]
    session = open_photo(example.photo)
    close(old)
    return _show(session, example.mask(), example.sketch())


@in_one_sentence
def _random(session: Session | None, kind: str) -> dict[str, Any]:
    session = need(session)
    mask = masks.generate(kind, *session.canvas_size, seed=secrets.randbelow(1 << 31))
    return canvas.mask_scene(session, mask)


@in_one_sentence
def _load(session: Session | None, file: str) -> dict[str, Any]:
    session = need(session)
    mask = masks.from_file(photo.read_mask(file))
    found = masks.diagnose(mask)
    if mask.shape != (session.height, session.width):
        gr.Info(
            f"The mask was {mask.shape[1]} x {mask.shape[0]} and was brought to the photo's "
            f"{session.width} x {session.height} pixels."
        )
    if found.looks_inverted:
        gr.Warning(" ".join(found.reasons) + " Tick Flip under Mask if so.", title="Is this mask inverted?")
    return canvas.mask_scene(session, mask)


@in_one_sentence
def _reuse(session: Session | None, last_mask: str | None) -> dict[str, Any]:
    session = need(session)
    if last_mask is None or not Path(last_mask).is_file():
        raise InpaintError("No mask was used yet; paint one and press Fill first.")
    mask = masks.from_file(photo.read_mask(last_mask))
    return canvas.mask_scene(session, mask)


@in_one_sentence
def _save(session: Session | None, drawing: Drawing, *repairs: Any) -> str:
    session = need(session)
    hole = canvas.hole_of(session, drawing, Repairs(*repairs))
    path = session.new_path("") / f"{Path(session.name).stem}_mask.png"
    path.parent.mkdir()
    return str(save_png(hole.astype(np.uint8) * 255, path))


def _look(session: Session | None, drawing: Drawing, *repairs: Any) -> tuple[Any, ...]:
    if session is None:
        return None, ""
    picture, found = canvas.preview(session, drawing, Repairs(*repairs))
    if not found.share:
        return picture, "Nothing is painted yet."
    pieces = "one piece" if found.holes == 1 else f"{found.holes} pieces"
    words = f"{max(found.share, 0.0001):.2%} of the photo is painted, in {pieces}; amber is what growing adds."
    return picture, " ".join([words, *found.reasons])
