"""The four endpoints for programs: `inpaint`, `compare`, `make_mask`, `methods`; files in, files out.

Each is a function whose docstring is what an MCP client reads, behind invisible components: gradio gives a program
plain file arguments only through components.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.components import Component

import inpaint_core
from inpaint_core import catalogue
from inpaint_core.batch import suffix_of
from inpaint_core.compare import fill_all
from inpaint_core.predictor import FillOptions
from webui import exchange, runner, work
from webui.events import shows_errors
from webui.exchange import MaskRepairs, Sent
from webui.files import short_lived_folder
from webui.workers.admission import TAKES_TURNS, takes_turns


def build() -> None:
    """Put the endpoints behind the page."""
    with gr.Group(visible=False):
        button = gr.Button()
        arguments: dict[str, Component] = {
            **{name: gr.File(label=name) for name in ("photo", "mask", "sketch", "colours")},
            "method": gr.Textbox(catalogue.default_method(), label="method"),
            **{name: gr.Textbox("", label=name) for name in ("methods", "format", "blend")},
            "kind": gr.Textbox("free_form", label="kind"),
            **{name: gr.Number(0, precision=0, label=name) for name in ("seed", "remove_specks")},
            **{name: gr.Number(512, precision=0, label=name) for name in ("width", "height")},
            "dilate": gr.Number(0, label="dilate"),
            **{name: gr.Checkbox(label=name) for name in ("invert", "refine", "hide_and_seek", "close_loops")},
        }
        file_out, files_out = gr.File(label="file"), gr.File(label="files", file_count="multiple")
        rows_out, methods_out = gr.JSON(label="rows"), gr.JSON(label="methods")
    endpoints: tuple[tuple[Callable[..., Any], list[Component], dict[str, Any]], ...] = (
        (inpaint, [file_out], TAKES_TURNS),
        (compare, [files_out, rows_out], TAKES_TURNS),
        (make_mask, [file_out], TAKES_TURNS),
        (methods, [methods_out], {}),
    )
    for function, outputs, settings in endpoints:
        inputs = [arguments[name] for name in inspect.signature(function).parameters]
        name = function.__name__
        button.click(function, inputs, outputs, api_name=name, api_visibility="public", **settings)


@shows_errors
@takes_turns
def inpaint(
    photo: str,
    mask: str,
    method: str = "patchmatch",
    sketch: str | None = None,
    seed: int = 0,
    dilate: float = 0,
    invert: bool = False,
    refine: bool = False,
    format: str = "",
    blend: str = "",
    colours: str | None = None,
) -> str:
    """Fill the hole of a photo. Pixels outside of the hole stay as they were (bit for bit in PNG).

    Args:
        photo: the photo's file: JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF.
        mask: the mask's file, of the photo's size; white (or painted on transparent ground) is what is to be filled.
        method: name of the method; the endpoint `methods` lists them.
        sketch: file of edges wanted inside the hole, of the photo's size: lines of any colour and width; optional.
        seed: of every random number drawn.
        dilate: pixels by which the mask is grown first.
        invert: fill what is black in the mask instead.
        refine: replace the texture of the fill by the photo's own patches (PatchMatch).
        format: format of the result, such as PNG; empty keeps the photo's own.
        blend: poisson, or mixed (gradients): fit the fill to the colours around it; empty leaves it as it is.
        colours: file of colours wanted inside the hole, of the photo's size: dabs on transparent ground; optional.

    Returns:
        The file of the completed photo, in the photo's size.
    """
    sent = work.run(exchange.read, photo, mask, sketch, colours, MaskRepairs(dilate, invert))
    suffix = suffix_of(format or sent.picture.format)
    options = FillOptions(
        sketch=sent.sketch,
        colours=sent.colours,
        seed=seed,
        refine="patchmatch" if refine else None,
        blend=(blend or "").strip() or None,
    )
    result = runner.fill(sent.picture.pixels, sent.hole, method, options)
    return _write(sent, photo, result, suffix)


@shows_errors
@takes_turns
def compare(
    photo: str,
    mask: str,
    methods: str = "",
    sketch: str | None = None,
    seed: int = 0,
    dilate: float = 0,
    invert: bool = False,
    hide_and_seek: bool = False,
    blend: str = "",
) -> Iterator[tuple[list[str], list[dict[str, Any]]]]:
    """Fill the same hole with several methods, fastest first, and measure them where the truth is known.

    Args:
        photo: the photo's file.
        mask: the mask's file, of the photo's size; white is what is to be filled.
        methods: names separated by commas; empty takes every method that is ready, quick and
            shown nothing of what the mask hides.
        sketch: file of edges wanted inside the hole: lines of any colour and width; optional.
        seed: of every random number drawn.
        dilate: pixels by which the mask is grown first.
        invert: fill what is black in the mask instead.
        hide_and_seek: measure against the photo itself, whose hidden pixels are intact.
        blend: poisson, or mixed (gradients): fit each fill to the colours around it; empty leaves it as it is.

    Returns:
        PNG files, one a method, and for each the method's name, seconds, file name and metrics (hole_* of the hole).
    """
    sent = work.run(exchange.read, photo, mask, sketch, None, MaskRepairs(dilate, invert))
    names = [name.strip() for name in (methods or "").split(",") if name.strip()]
    names = names or [record.name for record in catalogue.methods() if record.ready and record.compared_by_default]
    files: list[str] = []
    rows: list[dict[str, Any]] = []
    options = FillOptions(sketch=sent.sketch, seed=seed, blend=(blend or "").strip() or None)
    pixels, hole = sent.picture.pixels, sent.hole
    for result in fill_all(pixels, hole, names, options, fill=runner.fill):
        if hide_and_seek and result.image is not None:
            result.metrics = runner.measure(result.image, pixels, hole)
        row: dict[str, Any] = {"method": result.method, "seconds": result.seconds, "metrics": _plain(result.metrics)}
        if result.image is None:
            row["error"] = result.error
        else:
            files.append(_write(sent, photo, result, ".png"))
            row["file"] = Path(files[-1]).name
        rows.append(row)
        yield list(files), list(rows)


@shows_errors
@takes_turns
def make_mask(
    photo: str | None = None,
    mask: str | None = None,
    kind: str = "free_form",
    seed: int = 0,
    width: int = 512,
    height: int = 512,
    dilate: float = 0,
    close_loops: bool = False,
    remove_specks: int = 0,
    invert: bool = False,
) -> str:
    """Draw a random mask for a photo, or repair a mask: flip it, remove specks, fill outlines, dilate it.

    Args:
        photo: a photo's file whose size the mask gets; optional.
        mask: a mask's file to repair; without it a random mask is drawn.
        kind: of random mask: free_form, box, deepfill, centre, irregular, narrow, wide or random_pixels.
        seed: of the random mask.
        width: of the random mask where there is no photo.
        height: of the random mask where there is no photo.
        dilate: pixels by which the mask is grown.
        close_loops: fill the inside of drawn outlines.
        remove_specks: pieces of fewer pixels than this are removed.
        invert: exchange black and white first.

    Returns:
        The mask's file, PNG, white is what is to be filled.
    """
    repairs = MaskRepairs(dilate, invert, close_loops, remove_specks)
    path = short_lived_folder() / f"{Path(photo or mask or kind).stem}_mask.png"
    return work.run(exchange.draw_mask, photo, mask, kind, seed, (width, height), repairs, path)


@shows_errors
def methods() -> list[dict[str, Any]]:
    """List the inpainting methods: name, title, year, paper, family, licence, whether it can run now.

    Returns:
        One record a method, oldest first, then one for each set of public weights that is here, such as lama@big.
    """
    return [
        {
            "name": method.name,
            "title": method.title,
            "year": method.year,
            "paper": method.paper,
            "url": method.url,
            "family": method.family,
            "licence": method.licence,
            "summary": method.summary,
            "accepts_sketch": method.accepts_sketch,
            "ready": method.ready,
        }
        for method in [*inpaint_core.methods(), *(each for each in inpaint_core.public_methods() if each.ready)]
    ]


def _write(sent: Sent, source: str, result: inpaint_core.Result, suffix: str) -> str:
    path = short_lived_folder() / f"{Path(source).stem}_{result.method}{suffix}"
    return work.run(exchange.write, sent, result.image, path)


def _plain(values: dict[str, float]) -> dict[str, float | str]:
    """Numbers as JSON can hold them: infinity, the PSNR of equal pictures, as text."""
    return {name: value if np.isfinite(value) else str(value) for name, value in values.items()}
