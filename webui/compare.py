"""The Compare tab: one mask, many methods, fastest first; measured where the hidden pixels are known."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from typing import Any

import gradio as gr

from inpaint_core import Result, catalogue
from webui import canvas, controls, runner
from webui.canvas import Drawing, Repairs
from webui.errors import in_one_sentence
from webui.runner import Order, Progress
from webui.session import Session, need, save_png, shrink
from webui.studio import Studio

# Key of `metrics.measure`, heading, format, whether more is better (None: neither).
COLUMNS = (
    ("hole_l1", "L1", "{:.4f}", False),
    ("hole_l2", "L2", "{:.5f}", False),
    ("hole_psnr", "PSNR", "{:.2f} dB", True),
    ("hole_ssim", "SSIM", "{:.3f}", True),
    ("hole_lpips", "LPIPS", "{:.3f}", False),
    ("hole_tv", "TV", "{:.4f}", None),
)
IN_CAPTION = ("hole_l1", "hole_psnr", "hole_ssim", "hole_lpips")


def build(studio: Studio) -> None:
    """Put the tab on the page and connect it."""
    choices = [(f"{title}: slow" if runner.is_slow(name) else title, name) for title, name in controls.method_choices()]
    chosen = gr.CheckboxGroup(
        choices,
        value=[name for _, name in choices if chosen_at_first(name)],
        label="Methods, on the photo and mask at the left",
        elem_id="chosen",
    )
    waiting = controls.not_ready()
    if waiting:
        gr.Markdown(waiting, elem_classes="quiet")
    seek = gr.Checkbox(
        False,
        label="Hide and seek: measure against what the mask hides",
        info="For a mask over an intact photo, such as a random one; not where it covers something unwanted.",
        elem_id="hide-and-seek",
    )
    blend = controls.finishes("Rim of the fills", "compare-blend")
    start = gr.Button("Compare", variant="primary", size="lg", elem_id="compare")
    status = gr.Markdown(
        "The same mask for every method, fastest first.", elem_id="compare-status", elem_classes="quiet status"
    )
    gallery = controls.pictures("Results", elem_id="results", buttons=["fullscreen"], visible="hidden")
    table = gr.HTML(elem_id="measures")
    start.click(
        _compare,
        [studio.session, studio.editor, chosen, seek, blend, *studio.repairs],
        [gallery, table, status, studio.last_mask],
        concurrency_id=runner.QUEUE,
        js=canvas.strokes_at(1, 9),
        show_progress_on=status,
        api_visibility="private",
    )


@in_one_sentence
def _compare(
    session: Session | None,
    drawing: Drawing,
    names: list[str],
    seek: bool,
    blend: str,
    *repairs: Any,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  (gradio finds it by its default)
) -> Iterator[tuple[Any, ...]]:
    from inpaint_core import metrics  # imports torch, so not before the first comparison

    session = need(session)
    progress(0, desc="Reading the photo and the mask")
    hole = canvas.hole_of(session, drawing, Repairs(*repairs))
    image = session.pixels()
    last_mask = str(save_png(hole.astype("uint8") * 255, session.new_path(".png")))
    results: list[Result] = []
    pictures: list[tuple[str, str]] = []
    order = Order(image, hole, sketch=canvas.sketch_of(session, drawing), blend=blend or None)
    for news in runner.compare(order, names):
        if isinstance(news, Progress):
            progress(news.share, desc=news.text)
        if not isinstance(news, Result):
            continue
        result = news
        results.append(result)
        words = f"{len(results)} of {len(names)} methods."
        if result.image is not None:
            path = save_png(shrink(result.image, session.canvas_size), session.new_path(".png"))
            pictures.append((str(path), caption(result)))
            yield gr.Gallery(value=list(pictures), visible=True), as_table(results), words, last_mask
            if not seek:
                continue
            # Measured after it was shown: the numbers may take longer than the fill.
            result.metrics = metrics.measure(result.image, image, hole)
            pictures[-1] = (str(path), caption(result))
        yield gr.Gallery(value=list(pictures), visible=True), as_table(results), words, last_mask
    words = f"{len(results)} methods, fastest first; all numbers are of the hole alone." if seek else "Done."
    if seek and not any("hole_lpips" in result.metrics for result in results):
        words += " " + (metrics.lpips_unavailable_reason() or "")
    yield gr.Gallery(value=list(pictures)), as_table(results), words, last_mask


def chosen_at_first(name: str) -> bool:
    """True for a method that a comparison runs unless told otherwise: quick, and not shown what the mask hides."""
    return not runner.is_slow(name) and not catalogue.get(name).restores


def caption(result: Result) -> str:
    """Title, time and, where the truth is known, the main numbers."""
    parts = [catalogue.get(result.method).title, f"{result.seconds:.2f} s"]
    parts += [
        f"{heading} {_number(result.metrics[key], form)}"
        for key, heading, form, _ in COLUMNS
        if key in IN_CAPTION and key in result.metrics
    ]
    return " · ".join(parts)


def as_table(results: list[Result]) -> str:
    """An HTML table of the measures in the hole, the best of each column in bold."""
    columns = [column for column in COLUMNS if any(column[0] in result.metrics for result in results)]
    best = {}
    for key, _, _, more in columns:
        values = [result.metrics[key] for result in results if key in result.metrics]
        if more is not None and len(values) > 1:
            best[key] = max(values) if more else min(values)
    arrows = {True: " ↑", False: " ↓", None: ""}
    head = "".join(f"<th>{heading}{arrows[more]}</th>" for _, heading, _, more in columns)
    rows = []
    for result in results:
        title = html.escape(catalogue.get(result.method).title)
        if result.error is not None:
            rows.append(f'<tr><th>{title}</th><td colspan="{len(columns) + 1}">{html.escape(result.error)}</td></tr>')
            continue
        cells = [f"<td>{result.seconds:.2f} s</td>"]
        for key, _, form, _ in columns:
            text = _number(result.metrics[key], form) if key in result.metrics else "-"
            cells.append(f"<td>{f'<b>{text}</b>' if result.metrics.get(key) == best.get(key, math.nan) else text}</td>")
        rows.append(f"<tr><th>{title}</th>{''.join(cells)}</tr>")
    return f'<div class="measures"><table><tr><th>Method</th><th>Time</th>{head}</tr>{"".join(rows)}</table></div>'


def _number(value: float, form: str) -> str:
    return form.format(value) if math.isfinite(value) else "equal"
