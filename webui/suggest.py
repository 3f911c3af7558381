"""Suggest: which method fills this photo best, tried on intact places of it."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import numpy as np

from inpaint_core import Suggestion, catalogue, suggest
from webui import canvas, controls, work
from webui.events import Updates, Values, connect_run, shows_errors
from webui.runner import ProgressEvent
from webui.workers.admission import TAKES_TURNS, takes_turns
from webui.workers.pool import Limits
from webui.workspace import Workspace

PLACES = 3
LIMITS = Limits(seconds=240, slow=True)


class SuggestControls:
    """The button and what it finds, for the tab where the method is chosen.

    Args:
        workspace: has the photo and what is painted.
        method: the choice of the method, which is set to the best one.
    """

    def __init__(self, workspace: Workspace, method: gr.Dropdown) -> None:
        self.workspace = workspace
        self.method = method
        with gr.Row():
            self.start = gr.Button("Suggest a method for this photo", size="sm", elem_id="suggest", scale=3)
            self.stop = gr.Button("Stop", size="sm", elem_id="suggest-stop", visible=False, scale=1, min_width=70)
        self.found = gr.HTML(visible=False, elem_id="suggestion")
        run = connect_run(
            self.start,
            self.stop,
            self.suggest,
            workspace.inputs,
            [self.found, self.method],
            stopped=(self.cleared, self.clear),
            js=canvas.HAND_OVER_STROKES,
            **TAKES_TURNS,
        )
        self.runs = [run]

    @property
    def cleared(self) -> list[Any]:
        """What `clear` sets."""
        return [self.found]

    def clear(self) -> Updates:
        """No suggestion any more for the photo before."""
        return {self.found: gr.HTML(visible=False)}

    @shows_errors
    @takes_turns
    def suggest(self, values: Values) -> Iterator[Updates]:
        """Try the quick methods, choose the best one and show the numbers."""
        target = self.workspace.drawing(values).target()
        image = target.session.pixels()
        offered = [name for _, name in controls.method_choices()]
        names = [name for name in offered if catalogue.get(name).compared_by_default]

        for event in work.stream(LIMITS, suggest_in_worker, image, target.mask, names):
            if isinstance(event, Suggestion):
                yield {self.method: event.best.method, self.found: gr.HTML(as_table(event), visible=True)}
            elif isinstance(event, ProgressEvent):
                words = f'<p class="quiet">{event.share:.0%}: {html.escape(event.text)}</p>'
                yield {self.found: gr.HTML(words, visible=True)}


def as_table(suggestion: Suggestion) -> str:
    """A sentence and the numbers, best first."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(catalogue.get(score.method).title)}</th><td>{score.lpips:.3f}</td>'
        f"<td>{score.l1:.4f}</td><td>{score.wins} of {score.places}</td><td>{score.seconds:.2f} s</td></tr>"
        for score in suggestion.scores
    )
    head = "".join(f'<th scope="col">{word}</th>' for word in ("Method", "LPIPS ↓", "L1 ↓", "Best at", "Time"))
    return (
        f"<p>{html.escape(suggestion.sentence)}</p><details><summary>Numbers, less is better</summary>"
        f'<div class="measures"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></details>'
    )


def suggest_in_worker(
    send: Callable[[ProgressEvent], None], image: np.ndarray, mask: np.ndarray, names: list[str]
) -> Suggestion:
    """Suggest in a worker process, which calls this; `send` takes the progress."""
    return suggest(image, mask, names, places=PLACES, progress=lambda share, text: send(ProgressEvent(share, text)))
