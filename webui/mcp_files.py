"""Lets MCP clients hand the file that one tool returned to the next one.

The tools return URLs, and Gradio refuses to fetch from its own server where that has a private address, such as
localhost. A file of its own need not be fetched: it lies in its cache.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import gradio as gr
from gradio.utils import get_upload_folder
from gradio_client import handle_file

MARK = "/gradio_api/file="


def take_own_files(demo: gr.Blocks) -> None:
    """Let the tools of a page that was launched take the URLs that they return."""
    server: Any = demo.mcp_server_obj
    convert = server.convert_strings_to_filedata

    def convert_own(value: dict[str, Any], positions: list[list[str | int]]) -> Any:
        found = {name: own_file(each) for name, each in value.items() if [name] in positions}
        return convert({**value, **{name: handle_file(path) for name, path in found.items() if path}}, positions)

    server.convert_strings_to_filedata = convert_own


def own_file(url: object) -> str | None:
    """The path of a file in Gradio's cache that a URL of this server stands for; None for anything else."""
    if not isinstance(url, str) or MARK not in urlsplit(url).path:
        return None
    path = Path(unquote(urlsplit(url).path.partition(MARK)[2])).resolve()
    inside = path.is_relative_to(Path(get_upload_folder()).resolve())
    return str(path) if inside and path.is_file() else None
