"""A real server as a process of its own, with its memory watched, and visitors that call it as programs do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from inpaint_core.errors import InpaintError

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_SECONDS = 1.0
START_SECONDS = 180.0
CALL_SECONDS = 300.0


@dataclass
class Server:
    """A running server."""

    address: str
    process: subprocess.Popen[bytes]
    memory: list[float] = field(default_factory=list)  # MB of all its processes, once a second

    def measure(self) -> float:
        """Megabytes of memory of the server and its processes; what they share counts once."""
        total = 0
        try:
            parent = psutil.Process(self.process.pid)
            for process in [parent, *parent.children(recursive=True)]:
                try:
                    total += process.memory_full_info().pss
                except psutil.Error:  # ended meanwhile
                    continue
        except psutil.NoSuchProcess:
            return 0.0
        return total / 1e6

    def watch(self) -> None:
        """Measure until the server ends."""
        while self.process.poll() is None:
            self.memory.append(self.measure())
            time.sleep(SAMPLE_SECONDS)

    def is_well(self) -> bool:
        """True if it runs and answers."""
        try:
            return self.process.poll() is None and httpx.get(f"{self.address}/healthz", timeout=20).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def served(*, watch: bool = True, **environment: str) -> Iterator[Server]:
    """A server that runs until the end of the `with`.

    Args:
        watch: measure its memory once a second.
        environment: variables beside those of this process.

    Raises:
        InpaintError: it did not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1", **environment}
    process = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=settings, stdout=subprocess.DEVNULL)
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        end = time.monotonic() + START_SECONDS
        while not server.is_well():
            if process.poll() is not None or time.monotonic() > end:
                raise InpaintError("The page did not start; run `python app.py` to see why.")
            time.sleep(0.2)
        if watch:
            threading.Thread(target=server.watch, daemon=True).start()
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Answer:
    """What a visitor got."""

    seconds: float
    data: Any = None  # of the endpoint
    error: str | None = None  # the server's sentence, or what went wrong


class Visitor:
    """Calls the server from a network address of its own, as through a proxy."""

    def __init__(self, server: Server, address: str) -> None:
        self.api = f"{server.address}/gradio_api"
        self.client = httpx.Client(headers={"x-forwarded-for": address}, timeout=CALL_SECONDS)

    def upload(self, path: Path) -> dict[str, Any]:
        """Upload a file; returns it as an argument of a call."""
        with path.open("rb") as stream:
            answer = self.client.post(f"{self.api}/upload", files={"files": (path.name, stream)})
        answer.raise_for_status()
        return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}

    def start(self, endpoint: str, data: list[Any]) -> str:
        """Send a call; returns its id."""
        answer = self.client.post(f"{self.api}/call/{endpoint}", json={"data": data})
        if not answer.is_success:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        return str(answer.json()["event_id"])

    def wait(self, endpoint: str, event: str, leave_after: float | None = None) -> Any:
        """What a call returns; with `leave_after` the connection is closed after so many seconds."""
        kind, end = "", None if leave_after is None else time.monotonic() + leave_after
        timeout = httpx.Timeout(CALL_SECONDS, read=leave_after or CALL_SECONDS)
        with self.client.stream("GET", f"{self.api}/call/{endpoint}/{event}", timeout=timeout) as answer:
            for line in answer.iter_lines():
                if end is not None and time.monotonic() > end:
                    raise TimeoutError("left")
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "complete":
                    return json.loads(line[6:])
                elif line.startswith("data: ") and kind == "error":
                    error = json.loads(line[6:])
                    raise RuntimeError(str(error.get("error") if isinstance(error, dict) else error))
        raise RuntimeError("the connection was closed without an answer")

    def call(self, endpoint: str, data: list[Any]) -> Answer:
        """Call and wait."""
        start = time.monotonic()
        try:
            value = self.wait(endpoint, self.start(endpoint, data))
            return Answer(time.monotonic() - start, value)
        except (RuntimeError, httpx.HTTPError) as error:
            return Answer(time.monotonic() - start, error=str(error) or type(error).__name__)

    def fill(self, photo: Path, mask: Path, method: str) -> Answer:
        """Upload a photo and a mask, fill the hole, fetch the result: `data` is the file's bytes."""
        start = time.monotonic()
        try:
            sent = fill_arguments(self.upload(photo), self.upload(mask), method)
            (file,) = self.wait("inpaint", self.start("inpaint", sent))
            picture = self.client.get(f"{self.api}/file={file['path']}")
            picture.raise_for_status()
            return Answer(time.monotonic() - start, picture.content)
        except (RuntimeError, httpx.HTTPError) as error:
            return Answer(time.monotonic() - start, error=str(error) or type(error).__name__)


def fill_arguments(photo: Any, mask: Any, method: str) -> list[Any]:
    """The arguments of the endpoint `inpaint`, in their order."""
    return [photo, mask, method, None, 0, 0, False, False, "", "", None]


def mask_arguments(width: int, height: int) -> list[Any]:
    """The arguments of the endpoint `make_mask` for a random mask."""
    return [None, None, "free_form", 0, width, height, 0, False, 0, False]


def quantile(values: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
