"""Downloads one file over HTTP: a cut connection is resumed, and what is incomplete has another name."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from ssl import SSLContext

    from httpx import Client, Response

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and those there will be; None where the server does not say."""

ATTEMPTS = 5  # in a row that bring no new byte
PAUSE = 1.0  # seconds before the second attempt; twice as long before each further one
SECONDS_OF_SILENCE = 30.0
FULL = (errno.ENOSPC, errno.EDQUOT)
ROOM_TO_LEAVE = 50_000_000  # bytes of the disk
BUSY = (408, 425, 429, 500, 502, 503, 504)  # answers that another attempt may better


class Unreachable(InpaintError):
    """The file could not be had from this address; another one, or another day, may do. Its text is a clause."""


def download(url: str, path: Path, progress: Progress | None = None) -> None:
    """Bring a file here; if there is a part of it from an earlier call, only the rest.

    Args:
        url: http or https. A page of Google Drive that asks to confirm the download of a large file is confirmed.
        path: where the whole file is put. The part is `.NAME.part` beside it, which stays after a cut connection.
        progress: called after each piece.

    Raises:
        Unreachable: no network, an answer that is not the file, or a connection cut again and again.
        InpaintError: the disk is full.
    """
    import httpx

    part = path.with_name(f".{path.name}.part")
    with httpx.Client(
        follow_redirects=True,
        timeout=SECONDS_OF_SILENCE,
        headers={"Accept-Encoding": "identity"},  # ranges count what is sent: let it be the file, not compressed
        verify=_trusted(),
    ) as client:
        failures = 0
        while True:
            before = _size(part)
            try:
                if _receive(client, url, part, progress):
                    break
                reason = "it was cut"
            except httpx.HTTPError as error:
                if isinstance(error, httpx.ConnectError) and not _size(part):
                    raise Unreachable(f"{url} cannot be reached") from error
                reason = str(error) or type(error).__name__
            failures = 0 if _size(part) > before else failures + 1
            if failures >= ATTEMPTS:
                here = f"{_size(part):,} bytes are here, and another call goes on from there"
                raise Unreachable(f"the connection to {url} fails again and again ({reason.rstrip('.')}; {here})")
            time.sleep(PAUSE * 2 ** max(0, failures - 1))
    part.replace(path)
    discard_part(path)


@cache
def _trusted() -> SSLContext:
    """The certificates that servers are checked with; reading them takes a while."""
    import httpx

    return httpx.create_ssl_context()


def discard_part(path: Path) -> None:
    """Remove what an unfinished download of `path` has left."""
    for ending in ("part", "version"):
        path.with_name(f".{path.name}.{ending}").unlink(missing_ok=True)


def require_room(folder: Path, needed: int) -> None:
    """Raise `InpaintError` unless the disk of a folder has room for this many bytes and a little more."""
    free = shutil.disk_usage(folder).free
    if free < needed + ROOM_TO_LEAVE:
        raise InpaintError(
            f"The disk of {folder} has room for {free / 1e6:.0f} MB, and {needed / 1e6:.0f} MB are needed: make room, "
            "or let INPAINT_WEIGHTS name a folder on another disk."
        )


def _receive(client: Client, url: str, part: Path, progress: Progress | None, confirmed: bool = False) -> bool:
    """One attempt to get the rest of a file; True if all of it is here now, False if it is to be tried again."""
    version = part.with_suffix(".version")  # what the server calls the content of which this is a part
    here = _size(part)
    headers = {}
    if here and version.exists():
        headers = {"Range": f"bytes={here}-", "If-Range": version.read_text(encoding="utf-8")}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416:  # the part is no part of what is there now
            part.unlink()
            return False
        if response.status_code in BUSY:
            return False
        if response.status_code not in (200, 206):
            raise Unreachable(f"{url} answers with status {response.status_code}")
        if not response.headers.get("content-type", "").startswith("text/html"):
            if response.status_code == 200:
                here = 0
            length = response.headers.get("content-length")
            total = None if length is None else here + int(length)
            require_room(part.parent, 0 if total is None else total - here)
            _write_version(response, version)
            _write_body(response, part, "ab" if here else "wb", lambda size: progress and progress(size, total))
            return total is None or _size(part) == total
        behind = None if confirmed else _confirmed(response)
    if behind is None:
        raise Unreachable(f"{url} answers with a page in place of the file")
    return _receive(client, behind, part, progress, confirmed=True)


def _write_body(response: Response, part: Path, mode: str, progress: Callable[[int], object]) -> None:
    """Write what comes; with a full disk nothing of it stays."""
    try:
        with part.open(mode) as stream:
            for chunk in response.iter_raw():
                stream.write(chunk)
                progress(stream.tell())
    except OSError as error:
        if error.errno not in FULL:
            raise
        part.unlink(missing_ok=True)
        part.with_suffix(".version").unlink(missing_ok=True)
        raise full_disk(part.parent) from error


def full_disk(folder: Path) -> InpaintError:
    """The sentence for a disk that is full."""
    return InpaintError(
        f"The disk of {folder} is full, and what was written there is removed again: make room, or let INPAINT_WEIGHTS "
        "name a folder on another disk."
    )


def _write_version(response: Response, version: Path) -> None:
    """Keep what the server calls this content, so that a later attempt resumes only this one."""
    tag = response.headers.get("etag", "")
    known = response.headers.get("last-modified", "") if not tag or tag.startswith("W/") else tag
    if known:
        version.write_text(known, encoding="utf-8")
    else:
        version.unlink(missing_ok=True)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _confirmed(response: Response) -> str | None:
    """The address behind the button of Google Drive's page "can't scan this file for viruses"; None: another page."""
    form = _DownloadForm()
    form.feed(response.read().decode("utf-8", errors="replace"))
    if form.action is None:
        return None
    return str(response.request.url.join(form.action).copy_merge_params(form.fields))


class _DownloadForm(HTMLParser):
    """Finds the form `download-form` of a page: where it leads, and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = {key: value or "" for key, value in attributes}
        if tag == "form" and named.get("id") == "download-form":
            self.action, self._inside = named.get("action"), True
        elif tag == "input" and self._inside and named.get("name"):
            self.fields[named["name"]] = named.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
