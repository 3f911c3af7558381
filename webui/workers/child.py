"""One worker process as the server sees it: started, measured, ended."""

from __future__ import annotations

import contextlib
from multiprocessing.connection import Connection
from typing import Any

import psutil

from webui.workers import messages
from webui.workers import process as worker


class ChildProcess:
    """A worker process, and our end of the connection to it."""

    def __init__(self, context: Any) -> None:
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=worker.serve, args=(theirs,), daemon=True, name="worker")
        self._process.start()
        theirs.close()
        self.sentinel: int = self._process.sentinel
        self.is_warm = False
        self._measured = psutil.Process(self._process.pid)

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def memory(self) -> int:
        """Bytes of memory that the process uses, without those of files such as libraries; 0 once it has ended."""
        try:
            info = self._measured.memory_info()
        except psutil.NoSuchProcess:
            return 0
        return info.rss - getattr(info, "shared", 0)

    def computed(self) -> float:
        """Seconds of computing time that the process has used; 0 once it has ended."""
        try:
            times = self._measured.cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return times.user + times.system

    def send(self, message: worker.Call | str) -> None:
        """Send a call, or `CANCEL` or `TRIM`; `OSError` where the process has ended."""
        messages.send(self.connection, messages.pack(message))

    def receive(self) -> worker.Event | worker.Done | worker.Failed:
        """The next that it has to say; `EOFError` or `OSError` where it has ended."""
        return messages.receive(self.connection)

    def trim(self, seconds: float) -> None:
        """Have an idle process give freed memory back, and wait up to `seconds` for it; one that has ended has."""
        with contextlib.suppress(EOFError, OSError):
            self.send(worker.TRIM)
            if self.connection.poll(seconds):
                self.receive()

    def end(self) -> None:
        """Kill it, and wait until it has ended."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.connection.close()


class _WorkerTracebackError(Exception):
    """The traceback of what a worker process raised, as text; the cause of what is raised here."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def worker_traceback(text: str) -> Exception:
    """An exception to be the cause of one from a worker process."""
    return _WorkerTracebackError(text)
