"""A publisher of weights on localhost: files with ranges and versions, and what goes wrong with real ones."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WARNING_PAGE = """<html><body><p>Can't scan this file for viruses</p>
<form id="download-form" action="{address}/confirmed" method="get">
<input type="submit" value="Download anyway"/><input type="hidden" name="id" value="weights.pth">
<input type="hidden" name="confirm" value="t"></form></body></html>"""

REVISION = "0123456789abcdef" * 2 + "01234567"
"""The commit of every file, as the Hugging Face Hub says it."""


@dataclass
class Publisher:
    """What is served, how it goes wrong, and what was asked for."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)  # path -> content
    cuts: list[int] = field(default_factory=list)  # the next answers end after so many bytes
    pages: dict[str, str] = field(default_factory=dict)  # path -> HTML
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, and the range or ""
    slow: threading.Event | None = None  # answers wait for it

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def published() -> Iterator[Publisher]:
    """A publisher that serves until the end of the `with`."""
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.lstrip("/").partition("?")
            wanted = self.headers.get("Range", "")
            publisher.asked.append((path, wanted))
            if publisher.slow is not None:
                publisher.slow.wait(20)
            if path in publisher.pages:
                return self._answer(200, publisher.pages[path].encode(), {"Content-Type": "text/html; charset=utf-8"})
            if path == "confirmed" and "confirm=t" in query:
                (path,) = re.findall("id=([^&]+)", query)
            if path not in publisher.files:
                return self._answer(404, b"not here", {"Content-Type": "text/html"})
            content = publisher.files[path]
            version = f'"{hash(content)}"'
            headers = {"Content-Type": "application/octet-stream", "ETag": version, "X-Repo-Commit": REVISION}
            if wanted and self.headers.get("If-Range") == version:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
                return self._answer(206, content[start:], headers)
            return self._answer(200, content, headers)

        do_HEAD = do_GET

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if publisher.cuts and status < 300:
                body = body[: publisher.cuts.pop(0)]
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    publisher.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
