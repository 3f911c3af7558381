"""The Compare tab: one mask, many methods, those of little cost first; measured where the hidden pixels are known."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from inpaint_core import Result, catalogue
from inpaint_core.compare import fill_all
from inpaint_core.predictor import FillOptions
from webui import canvas, controls, runner
from webui.events import PRIVATE, Updates, Values, shows_errors
from webui.files import save_png
from webui.filling import FillJob, keep
from webui.runner import FillRequest
from webui.workspace import Workspace

# Key of `metrics.measure`, heading, format, whether more is better (None: neither).
COLUMNS = (
    ("hole_l1", "L1", "{:.4f}", False),
    ("hole_l2", "L2", "{:.5f}", False),
    ("hole_psnr", "PSNR", "{:.2f} dB", True),
    ("hole_ssim", "SSIM", "{:.3f}", True),
    ("hole_lpips", "LPIPS", "{:.3f}", False),
    ("hole_tv", "TV", "{:.4f}", None),
)
FIRST_STATUS = "The same mask for every method, those of little cost first."
IN_CAPTION = ("hole_l1", "hole_psnr", "hole_ssim", "hole_lpips")


class CompareTab:
    """The tab's components, and what happens when they are used."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        choices = method_choices()
        self.methods = gr.CheckboxGroup(
            choices,
            value=[name for _, name in choices if chosen_at_first(name)],
            label="Methods, on the photo and mask at the left",
            elem_id="chosen",
        )
        self.about_methods = gr.Markdown(controls.about_public_weights(), elem_id="about-methods", elem_classes="quiet")
        self.measure = gr.Checkbox(
            False,
            label="Measure against what the mask hides",
            info="For a mask over an intact photo, such as a random one; not where it covers something unwanted.",
            elem_id="hide-and-seek",
        )
        self.blend = controls.blend_choice("Blending", "compare-blend")
        start = gr.Button("Compare", variant="primary", size="lg", elem_id="compare")
        self.status = gr.Markdown(FIRST_STATUS, elem_id="compare-status", elem_classes="quiet status")
        self.tiles = gr.HTML(
            None,
            html_template="<div></div>",
            js_on_load=(Path(__file__).parent / "static" / "tiles.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            label="Results",
            elem_id="results",
        )
        self.table = gr.HTML(elem_id="measures")
        run: Any = start.click(
            self.compare,
            {*workspace.inputs, self.methods, self.measure, self.blend},
            [self.tiles, self.table, self.status, workspace.last_mask],
            concurrency_id=runner.QUEUE,
            concurrency_limit=runner.AT_ONCE,
            js=canvas.HAND_OVER_STROKES,
            show_progress_on=self.status,
            **PRIVATE,
        )
        self.runs = [run]

    @property
    def listing(self) -> list[Any]:
        """What `list_methods` sets."""
        return [self.methods, self.about_methods]

    def list_methods(self) -> Updates:
        """Offer the methods that can run now."""
        return {
            self.methods: gr.CheckboxGroup(choices=method_choices()),
            self.about_methods: controls.about_public_weights(),
        }

    def choose(self) -> Updates:
        """The same, with those chosen that run by default."""
        choices = method_choices()
        value = [name for _, name in choices if chosen_at_first(name)]
        return {self.methods: gr.CheckboxGroup(choices=choices, value=value)}

    @property
    def cleared(self) -> list[Any]:
        """What `clear` sets."""
        return [self.status, self.tiles, self.table]

    def clear(self) -> Updates:
        """No results any more of the photo before."""
        return {self.status: FIRST_STATUS, self.tiles: {"tiles": []}, self.table: ""}

    @shows_errors
    def compare(self, values: Values, progress: gr.Progress = gr.Progress()) -> Iterator[Updates]:  # noqa: B008
        """Fill with each chosen method; every result is shown as soon as it is ready."""
        from inpaint_core import metrics  # imports torch, so not before the first comparison

        drawing, measure = self.workspace.drawing(values), values[self.measure]
        progress(0, desc="Reading the photo and the mask")
        target = drawing.target()
        session, mask = target.session, target.mask
        original = session.photo()
        image = session.pixels(original)
        options = FillOptions(sketch=target.sketch, blend=values[self.blend] or None)
        yield {self.workspace.last_mask: str(save_png(mask, session.new_path(".png"))), **self.clear()}
        results: list[Result] = []
        tiles: list[dict[str, Any]] = []
        for result in fill_all(image, mask, values[self.methods], options, progress=progress, fill=runner.fill):
            results.append(result)
            done = f"{len(results)} of {len(values[self.methods])} methods."
            if result.image is None:
                yield {self.table: as_table(results), self.status: done}
                continue
            job = FillJob(session, original, FillRequest(image, mask, result.method, options))
            tiles.append({"step": canvas.as_sent(keep(job, result)), "caption": caption(result)})
            yield {**self._shown(tiles, results), self.status: done}
            if measure:  # after it was shown: the numbers may take longer than the fill
                results[-1] = replace(result, metrics=metrics.measure(result.image, image, mask))
                tiles[-1] = {**tiles[-1], "caption": caption(results[-1])}
                yield self._shown(tiles, results)
        words = f"{len(results)} methods; all numbers are of the hole alone." if measure else "Done."
        if measure and not any("hole_lpips" in result.metrics for result in results):
            words += " " + (metrics.lpips_unavailable_reason() or "")
        yield {self.status: f"{words} Press a picture to see it up close; **Use this** takes it to Edit as a step."}

    def _shown(self, tiles: list[dict[str, Any]], results: list[Result]) -> Updates:
        return {self.tiles: {"tiles": list(tiles)}, self.table: as_table(results)}


def method_choices() -> list[tuple[str, str]]:
    """As `controls.method_choices`; the titles say what is slow."""
    choices = controls.method_choices()
    return [(f"{title}: slow" if runner.is_slow(name) else title, name) for title, name in choices]


def chosen_at_first(name: str) -> bool:
    """True for a method that a comparison runs by default: quick, not shown what the mask hides, with its own weights
    or, where it has none, with the public ones that its name alone stands for."""
    method = catalogue.get(name)
    usual = method.folder == catalogue.get(method.checkpoint).folder
    return usual and not runner.is_slow(name) and not method.restores


def caption(result: Result) -> str:
    """Time and, where the truth is known, the main numbers."""
    parts = [f"{result.seconds:.2f} s"]
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
