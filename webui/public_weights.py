"""The list of public weights on the Methods tab, and the fetching of a set where the operator lets visitors do it."""

from __future__ import annotations

import html
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from inpaint_core import InpaintError, Method, catalogue
from inpaint_core.weights.public import fetch, registry
from inpaint_core.weights.public.published import PublicWeights
from webui.events import QUIET, Updates, shows_errors

REPORT_SECONDS = 0.25  # between two reports of progress
SCRIPT = Path(__file__).parent / "static" / "public_weights.js"


class PublicWeightsList:
    """The list, with a Get button at each set that is not here if `fetch.downloads_allowed()`.

    The licence is shown when Get is pressed, and a second button accepts it. What is fetched is fetched once, however
    many visitors ask for it, and also if they leave.
    """

    def __init__(self) -> None:
        self.downloads: dict[str, Download] = {}
        self.lock = threading.Lock()
        self.listing = gr.HTML(
            self.listed(),
            html_template="<div></div>",
            js_on_load=SCRIPT.read_text(encoding="utf-8"),
            apply_default_css=False,
            label="Public weights",
            elem_id="public-weights",
        )

    def connect(self, outputs: list[Any], list_methods: Callable[[], Updates]) -> None:
        """Let visitors fetch, if the operator allows it; a set that has come is on offer at once.

        Args:
            outputs: what `list_methods` sets.
            list_methods: the methods on offer, as updates of all that shows them.
        """
        if not fetch.downloads_allowed():
            return

        @shows_errors
        def get(event: gr.EventData) -> Iterator[Updates]:
            name = registry.find(str(event._data.get("weights"))).name
            for value in self.fetch(name):
                over = value["running"] is None
                yield {self.listing: value, **(list_methods() if over else {})}

        self.listing.submit(get, None, [self.listing, *outputs], **QUIET)

    def show(self) -> Updates:
        """The list as it is now."""
        return {self.listing: self.listed()}

    def listed(self, failures: dict[str, str] | None = None) -> dict[str, Any]:
        """The list's value, with a sentence at each set that could not be fetched."""
        rows = {row.name: row for row in registry.rows()}
        items = [
            _item(each, rows.get(each.name), (failures or {}).get(each.name)) for each in catalogue.public_methods()
        ]
        return {"rows": "".join(items), "running": None}

    def fetch(self, name: str) -> Iterator[dict[str, Any]]:
        """Fetch a set of the table: the list with its progress, and finally the list with the set or the reason."""
        listed = self.listed()
        with self.lock:
            if name not in self.downloads:
                self.downloads[name] = Download(registry.find(name))
            download = self.downloads[name]
        shown = None
        while not download.over(REPORT_SECONDS):
            if shown != (shown := download.progress):
                share, text = shown
                yield {**listed, "running": {"name": name, "share": share, "text": text}}
        with self.lock:
            self.downloads.pop(name, None)
        yield self.listed({} if download.failure is None else {name: download.failure})


class Download:
    """A set that is being fetched, in a thread of its own."""

    def __init__(self, row: PublicWeights) -> None:
        self.row = row
        self.progress: tuple[float | None, str] = (None, "Connecting")  # share in [0, 1], None: not known; what is done
        self.failure: str | None = None  # a sentence
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"get {row.name}")
        self._thread.start()

    def over(self, seconds: float) -> bool:
        """Wait so long at most; True if the set is here, or there is a failure."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            fetch.get(self.row.name, self._received, self._waiting)
        except InpaintError as error:
            self.failure = str(error)
        except Exception as error:
            logging.getLogger(__name__).exception("Fetching %s failed", self.row.name)
            self.failure = f"{self.row.name} could not be fetched ({type(error).__name__}): try again."

    def _received(self, here: int, total: int | None) -> None:
        whole = total or self.row.bytes
        if here == total:
            self.progress = (None, f"All {_megabytes(here)} are here; checking and converting")
        elif whole is None:
            self.progress = (None, _megabytes(here))
        else:
            self.progress = (here / whole, f"{here / 1e6:.1f} of {_megabytes(whole)}")

    def _waiting(self) -> None:
        self.progress = (None, "Another process is fetching it; waiting")


def _item(method: Method, row: PublicWeights | None, failure: str | None) -> str:
    """A set as HTML; `row` is None for one that was imported by hand."""
    name = html.escape(method.name)
    lines = [f"Licence: {method.licence}."]
    size = "imported by hand"
    if row is not None:
        size = "size not published" if row.bytes is None else _megabytes(row.bytes)
        lines = [f"Licence: {row.licence}. {row.commerce}", f"From {row.source}; trained on {row.trained_on}."]
    state = '<span class="public-state">here</span>' if method.ready else ""
    details = ""
    if row is not None and not method.ready and fetch.downloads_allowed():
        details = (
            f"<details{' open' if failure else ''}><summary><span>Get</span><span>Not now</span>"
            f'<span class="unseen-text"> {name}</span></summary>'
            f"<p>You accept this licence: <b>{html.escape(row.licence)}</b>. {html.escape(row.commerce)}</p>"
            f'<button type="button">{"Try again" if failure else "Accept the licence and fetch"}</button></details>'
        )
    failed = f'<p class="public-failed" role="alert">{html.escape(failure)}</p>' if failure else ""
    facts = "".join(f"<small>{html.escape(line)}</small>" for line in lines)
    return (
        f'<li data-weights="{name}" tabindex="-1"><div class="public-head"><b>{html.escape(method.title)}</b>'
        f"<code>{name}</code><span>{size}</span>{state}</div>{facts}{failed}{details}"
        '<div class="public-running" role="status"></div></li>'
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"
