"""What the server refuses before Gradio sees it: foreign pages as files, and requests sent by foreign pages.

Gradio fetches what `/file=http://...` names and hands it out under our origin, and lets any site's script read its
answers. INPAINT_ALLOWED_ORIGINS in the environment names sites whose scripts may, such as https://example.org, with
commas between them; * allows all.
"""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOREIGN_FILE = re.compile(r"/file=\s*[a-z][a-z0-9+.-]*:|/proxy=", re.IGNORECASE)
HEALTH = "/healthz"


def allowed_origins() -> frozenset[str]:
    """The origins of INPAINT_ALLOWED_ORIGINS."""
    named = os.environ.get("INPAINT_ALLOWED_ORIGINS", "").split(",")
    return frozenset(origin.strip().rstrip("/").lower() for origin in named if origin.strip())


class Guard:
    """ASGI middleware that answers `/healthz`, refuses foreign pages as files, and requests of foreign sites."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.allowed = allowed_origins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer it with 403 and a sentence."""
        answer = self._answer(scope) if scope["type"] == "http" else None
        await (self.app if answer is None else answer)(scope, receive, send)

    def _answer(self, scope: Scope) -> Response | None:
        if scope["path"] == HEALTH:
            return JSONResponse({"status": "ok"})
        if FOREIGN_FILE.search(scope["path"]):
            return _refused("This server hands out its own files only.")
        if not self._is_own(Headers(scope=scope)):
            return _refused("This server answers the scripts of its own page only.")
        return None

    def _is_own(self, headers: Headers) -> bool:
        """Whether no foreign page has sent the request; programs send no origin."""
        origin = headers.get("origin")
        if origin is None or headers.get("sec-fetch-site") in ("same-origin", "none"):
            return True
        hosts = {headers.get("host"), *(headers.get("x-forwarded-host") or "").replace(" ", "").split(",")}
        return urlsplit(origin).netloc in hosts - {"", None} or bool({origin.lower(), "*"} & self.allowed)


def _refused(sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status_code=403)
