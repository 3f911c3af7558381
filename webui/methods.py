"""The Methods tab: what each method is, where it comes from, whether it can run, and how to call it from a program."""

from __future__ import annotations

import html
import re
from typing import Any

import gradio as gr

import inpaint_core
from inpaint_core.weights.public import fetch
from webui.events import Updates
from webui.public_weights import PublicWeightsList

ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+/[A-Za-z0-9._~/-]*")
LOCAL = "http://127.0.0.1:7860/"
CALLING = """#### From a program
```python
from gradio_client import Client, handle_file

studio = Client("{address}")
mask = studio.predict(photo=handle_file("photo.jpg"), kind="free_form", api_name="/make_mask")
filled = studio.predict(
    photo=handle_file("photo.jpg"), mask=handle_file(mask), method="patchmatch", api_name="/inpaint"
)
```
The four endpoints `inpaint`, `compare`, `make_mask` and `methods` are MCP tools too, at `/gradio_api/mcp/`.
In a mask file white is what is to be filled. Without the page: `python -m inpaint_core --help`."""


class MethodsTab:
    """The tab: the table of the catalogue, the list of public weights, and an example of a program."""

    def __init__(self) -> None:
        self.waiting = gr.Markdown(without_weights(), elem_classes="quiet")
        self.table = gr.HTML(method_table(), elem_id="methods-table")
        gr.Markdown(about_public_weights(), elem_id="about-public")
        self.public = PublicWeightsList()
        self.address = gr.Textbox(LOCAL, label="Address of this page", visible="hidden")  # the browser knows it
        self.calling = gr.Markdown(CALLING.format(address=LOCAL), elem_id="calling")

    SEND_ADDRESS = "() => [window.location.origin + window.location.pathname]"
    """The `js` of the event that calls `show_address`."""

    def show_address(self, address: str) -> str:
        """The example of a program, which calls this page at the address that the visitor sees."""
        return CALLING.format(address=address if ADDRESS.fullmatch(address) else LOCAL)

    @property
    def listing(self) -> list[Any]:
        """What `list_methods` sets."""
        return [self.waiting, self.table]

    def list_methods(self) -> Updates:
        """What is here now."""
        return {self.waiting: without_weights(), self.table: method_table()}


def without_weights() -> str:
    """A sentence on the methods whose weights are absent, or nothing."""
    waiting = [method.title for method in inpaint_core.methods() if not method.ready]
    return f"Without weights here: {', '.join(waiting)}." if waiting else ""


def about_public_weights() -> str:
    """What public weights are, and how they come here."""
    words = (
        "#### Public weights\nOf the methods' authors, or of others who trained them for weeks. None ship with this "
        "project; each is a method of its own once it is here, to be chosen in Edit and Compare beside ours."
    )
    if fetch.downloads_allowed():
        return words
    return (
        f"{words} To fetch one: `python -m inpaint_core weights get NAME`. A server whose operator sets "
        "`INPAINT_ALLOW_DOWNLOADS=1` has buttons for it here."
    )


def method_table() -> str:
    """An HTML table of the catalogue, oldest first."""
    rows = []
    for method in inpaint_core.methods():
        sketch = " Follows a sketch." if method.accepts_sketch else ""
        link = f"<a href='{html.escape(method.url)}' target='_blank' rel='noopener'>{html.escape(method.paper)}</a>"
        command = ""
        if not method.ready and method.train_command:
            command = f"<small>To make its weights: <code>{html.escape(method.train_command)}</code></small>"
        size = f"<small>{method.parameters / 1e6:.1f} M parameters</small>" if method.parameters else ""
        rows.append(
            f"<tr><th>{html.escape(method.title)}<small><code>{method.name}</code></small>"
            f"<small>{html.escape(method.family)}</small>{size}</th><td>{method.year}</td>"
            f"<td>{html.escape(method.summary)}{sketch}<small>{link}</small>{command}</td>"
            f"<td>{html.escape(method.licence)}</td><td>{'ready' if method.ready else 'no weights'}</td></tr>"
        )
    head = "".join(f"<th>{word}</th>" for word in ("Method", "Year", "How it fills", "Licence", "State"))
    return f'<div class="measures about"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
