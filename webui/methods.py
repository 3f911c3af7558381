"""The Methods tab: what each method is, where it comes from, whether it can run, and how to call it from a program."""

from __future__ import annotations

import html

import gradio as gr

import inpaint_core

CALLING = """#### From a program
```python
from gradio_client import Client, handle_file

studio = Client("http://127.0.0.1:7860")
mask = studio.predict(photo=handle_file("photo.jpg"), kind="free_form", api_name="/make_mask")
filled = studio.predict(
    photo=handle_file("photo.jpg"), mask=handle_file(mask), method="patchmatch", api_name="/inpaint"
)
```
The four endpoints `inpaint`, `compare`, `make_mask` and `methods` are MCP tools too, at `/gradio_api/mcp/`.
In a mask file white is what is to be filled. Without the page: `python -m inpaint_core --help`."""


class MethodsTab:
    """The tab: the table of the catalogue, and an example of a program; nothing on it can be pressed."""

    def __init__(self) -> None:
        waiting = [method.title for method in inpaint_core.methods() if not method.ready]
        if waiting:
            gr.Markdown(f"Without weights here: {', '.join(waiting)}.", elem_classes="quiet")
        gr.HTML(method_table(), elem_id="methods-table")
        gr.Markdown(CALLING, elem_id="calling")


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
