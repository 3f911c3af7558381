"""What the server refuses before Gradio sees it: foreign pages as files, requests sent by foreign pages, floods.

Gradio fetches what `/file=http://...` names and hands it out under our origin, and lets any site's script read its
answers. INPAINT_ALLOWED_ORIGINS in the environment names sites whose scripts may, such as https://example.org, with
commas between them; * allows all.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter, deque
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from inpaint_core import InpaintError
from webui.disk import Disk

FOREIGN_FILE = re.compile(r"/file=\s*[a-z][a-z0-9+.-]*:|/proxy=", re.IGNORECASE)
HEALTH = "/healthz"
UPLOAD = re.compile(r"/upload$")
CALL = re.compile(r"/(queue/join|call/.+|run/.+|api/.+)$")
HEARTBEAT = re.compile(r"/heartbeat/([^/]+)$")
MCP = re.compile(r"/gradio_api/mcp(/|$)")
CALLS_OF_ADDRESS = 80  # that wait or run in Gradio at once; the visitors' shares are smaller
UPLOADED_BYTES = 1e9  # of one address in an hour
HOUR = 3600.0


def allowed_origins() -> frozenset[str]:
    """The origins of INPAINT_ALLOWED_ORIGINS."""
    named = os.environ.get("INPAINT_ALLOWED_ORIGINS", "").split(",")
    return frozenset(origin.strip().rstrip("/").lower() for origin in named if origin.strip())


class Guard:
    """ASGI middleware that answers `/healthz`, refuses foreign pages as files, requests of foreign sites, and floods.

    Args:
        app: what the requests are for.
        disk: where uploads go; a full one takes no more.
        open_pages: sessions of the pages that are open now; kept up to date.
    """

    def __init__(self, app: ASGIApp, disk: Disk | None = None, open_pages: Counter[str] | None = None) -> None:
        self.app = app
        self.disk = disk
        self.open_pages: Counter[str] = Counter() if open_pages is None else open_pages
        self.allowed = allowed_origins()
        self.uploads: deque[tuple[float, str, int]] = deque()  # time, address, bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer it with a sentence."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = self._answer(scope)
        if answer is None and MCP.search(scope["path"]):
            scope = _with_address(scope)
        beat = HEARTBEAT.search(scope["path"])
        if answer is not None or beat is None:
            await (self.app if answer is None else answer)(scope, receive, send)
            return
        self.open_pages[beat[1]] += 1  # the answer lasts as long as the page is open
        try:
            await self.app(scope, receive, send)
        finally:
            self.open_pages[beat[1]] -= 1
            self.open_pages += Counter()  # without those at zero

    def _answer(self, scope: Scope) -> Response | None:
        if scope["path"] == HEALTH:
            return JSONResponse({"status": "ok"})
        if FOREIGN_FILE.search(scope["path"]):
            return _refused("This server hands out its own files only.")
        headers = Headers(scope=scope)
        if not self._is_own(headers):
            return _refused("This server answers the scripts of its own page only.")
        if scope["method"] != "POST":
            return None
        if CALL.search(scope["path"]) and _calls_of(scope) >= CALLS_OF_ADDRESS:
            return _refused("Too many calls from your network address wait already; try again in a minute.", 429)
        if UPLOAD.search(scope["path"]):
            return self._refused_upload(_address(scope), headers)
        return None

    def _refused_upload(self, address: str, headers: Headers) -> Response | None:
        """The refusal of what is more than the disk or this address may take; else None, and it is counted."""
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return _refused("Send the length of what you upload.", 411)
        now = time.monotonic()
        while self.uploads and self.uploads[0][0] < now - HOUR:
            self.uploads.popleft()
        size = int(length)
        if sum(each for _, sender, each in self.uploads if sender == address) + size > UPLOADED_BYTES:
            return _refused("Your network address has uploaded too much; try again in an hour.", 429)
        try:
            if self.disk is not None:
                self.disk.check(size)
        except InpaintError as error:
            return _refused(str(error), 507)
        self.uploads.append((now, address, size))
        return None

    def _is_own(self, headers: Headers) -> bool:
        """Whether no foreign page has sent the request; programs send no origin."""
        origin = headers.get("origin")
        if origin is None or headers.get("sec-fetch-site") in ("same-origin", "none"):
            return True
        hosts = {headers.get("host"), *(headers.get("x-forwarded-host") or "").replace(" ", "").split(",")}
        return urlsplit(origin).netloc in hosts - {"", None} or bool({origin.lower(), "*"} & self.allowed)


def _refused(sentence: str, status: int = 403) -> Response:
    return JSONResponse({"error": sentence, "detail": sentence}, status_code=status)


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return "" if client is None else client[0]


def _calls_of(scope: Scope) -> int:
    """How many calls of the sender's address wait or run in Gradio."""
    blocks = getattr(scope.get("app"), "blocks", None)
    if blocks is None:
        return 0
    queue = blocks._queue
    waiting = [event for each in queue.event_queue_per_concurrency_id.values() for event in each.queue]
    running = [event for events in queue.active_jobs for event in events or ()]
    return sum(
        event.request.client is not None and event.request.client.host == _address(scope)
        for event in [*waiting, *running]
    )


def _with_address(scope: Scope) -> Scope:
    """The same request, which says itself where it came from: Gradio's MCP server sends it on from this machine."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"x-forwarded-for"]
    return {**scope, "headers": [*headers, (b"x-forwarded-for", _address(scope).encode())]}
