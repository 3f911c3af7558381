"""The Compare tab: one mask, many methods, those of little cost first; measured where the hidden pixels are known."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from inpaint_core import InpaintError, Result, catalogue
from inpaint_core.compare import prepare
from inpaint_core.predictor import FillOptions
from inpaint_core.report import sheet
from inpaint_core.report.table import write_csv
from webui import canvas, controls, filling, measures, runner
from webui.events import Updates, Values, connect_run, shows_errors
from webui.files import save_png
from webui.filling import FillJob, keep
from webui.runner import FillRequest
from webui.session import Session
from webui.workers.admission import TAKES_TURNS, takes_turns
from webui.workers.visitors import Gone
from webui.workspace import Workspace

STATIC = Path(__file__).parent / "static"
FIRST_STATUS = "The same mask for every method, those of little cost first."


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
        with gr.Row():
            start = gr.Button("Compare", variant="primary", size="lg", elem_id="compare", scale=3)
            self.stop = gr.Button("Stop", size="lg", elem_id="compare-stop", visible=False, scale=1, min_width=90)
        self.status = gr.Markdown(FIRST_STATUS, elem_id="compare-status", elem_classes="quiet status")
        self.tiles = gr.HTML(
            None,
            html_template="<div></div>",
            js_on_load=(STATIC / "tiles.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            label="Results",
            elem_id="results",
        )
        self.table = gr.HTML(
            elem_id="measures", js_on_load=(STATIC / "measures.js").read_text(encoding="utf-8"), label="Measures"
        )
        with gr.Row():
            self.csv = gr.DownloadButton("Table (CSV)", size="sm", elem_id="compare-csv", visible=False)
            self.figure = gr.DownloadButton("Figure (PNG)", size="sm", elem_id="compare-figure", visible=False)
        self._connect(start)

    def _connect(self, start: gr.Button) -> None:
        """Connect the buttons; `runs` are the events that fill."""
        run = connect_run(
            start,
            self.stop,
            self.compare,
            {*self.workspace.inputs, self.methods, self.measure, self.blend},
            [*self.cleared, self.workspace.last_mask],
            stopped=([self.status], lambda: {self.status: "Stopped; what was finished stays."}),
            js=canvas.HAND_OVER_STROKES,
            **TAKES_TURNS,
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
        return [self.status, self.tiles, self.table, self.csv, self.figure]

    def clear(self) -> Updates:
        """No results any more of the photo before."""
        hidden: Updates = {button: gr.DownloadButton(visible=False) for button in (self.csv, self.figure)}
        return {self.status: FIRST_STATUS, self.tiles: {"tiles": []}, self.table: "", **hidden}

    @shows_errors
    @takes_turns
    def compare(self, values: Values) -> Iterator[Updates]:
        """Fill with each chosen method; every result is shown as soon as it is ready.

        The page is updated a few times a second: a comparison can only be stopped between two updates.
        """
        drawing, measure = self.workspace.drawing(values), values[self.measure]
        target = drawing.target()
        session, mask = target.session, target.mask
        original = session.photo()
        image = session.pixels(original)
        options = FillOptions(sketch=target.sketch, colours=target.colours, blend=values[self.blend] or None)
        comparison = prepare(image, mask, values[self.methods], options)
        yield {**self.clear(), self.workspace.last_mask: str(save_png(mask, session.new_path(".png")))}
        results: list[Result] = []
        tiles: list[dict[str, Any]] = []
        for index, method in enumerate(comparison.methods):
            job = FillJob(session, original, FillRequest(image, mask, method.name, options))
            try:
                result = yield from self._fill(job, f"{index + 1} of {len(comparison.methods)}: {method.title}")
            except Gone:
                raise
            except InpaintError as error:
                results.append(Result(method.name, None, 0.0, error=str(error)))
                yield {self.table: measures.table(results)}
                continue
            results.append(result)
            tiles.append({"step": canvas.as_sent(keep(job, result)), "caption": measures.caption(result)})
            yield self._shown(tiles, results)
            if measure and result.image is not None:  # after it was shown: the numbers may take longer than the fill
                results[-1] = replace(result, metrics=runner.measure(result.image, image, mask))
                tiles[-1] = {**tiles[-1], "caption": measures.caption(results[-1])}
                yield self._shown(tiles, results)
        words = f"{len(results)} methods; all numbers are of the hole alone." if measure else "Done."
        if measure and not any("hole_lpips" in result.metrics for result in results):
            words += " " + (runner.lpips_unavailable_reason() or "")
        words += " Press a picture to see it up close; **Use this** takes it to Edit as a step."
        yield {self.status: words, **self._files(session, image, mask, results, measure)}

    def _fill(self, job: FillJob, heading: str) -> Generator[Updates, None, Result]:
        """Fill; says how far it is, and returns the result."""
        states = filling.run(job)
        while True:
            try:
                state = next(states)
            except StopIteration as end:
                return end.value
            yield {self.status: heading if state.share is None else f"{heading}, {state.share:.0%}"}

    def _files(
        self, session: Session, image: np.ndarray, mask: np.ndarray, results: list[Result], measured: bool
    ) -> Updates:
        """The comparison to take away: a table, and a sheet of the pictures with their numbers."""
        table, figure = (session.download_path(name) for name in ("compared.csv", "compared.png"))
        for path in (table, figure):
            path.parent.mkdir()
        write_csv(results, table)
        save_png(sheet.draw(image, mask, results, image if measured else None), figure)
        return {
            self.csv: gr.DownloadButton(value=str(table), visible=True),
            self.figure: gr.DownloadButton(value=str(figure), visible=True),
        }

    def _shown(self, tiles: list[dict[str, Any]], results: list[Result]) -> Updates:
        numbers = measures.table(results) + measures.chart(results)
        return {self.tiles: {"tiles": list(tiles)}, self.table: numbers}


def method_choices() -> list[tuple[str, str]]:
    """As `controls.method_choices`; the titles say what is slow."""
    choices = controls.method_choices()
    return [(title if catalogue.get(name).is_quick else f"{title}: slow", name) for title, name in choices]


def chosen_at_first(name: str) -> bool:
    """True for a method that a comparison runs by default: quick, not shown what the mask hides, with its own weights
    or, where it has none, with the public ones that its name alone stands for."""
    method = catalogue.get(name)
    usual = method.folder == catalogue.get(method.checkpoint).folder
    return usual and method.compared_by_default
