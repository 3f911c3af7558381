"""Who a call comes from, and whether anybody still waits for its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inpaint_core import InpaintError

MCP = "mcp"  # in a header of the calls that Gradio's MCP server makes for its clients, all in one session


_given_up: set[str] = set()  # ids of calls whose senders have pressed Stop


class Gone(InpaintError):
    """Nobody waits any more for what is being done."""


@dataclass(frozen=True)
class Visitor:
    """The sender of a call."""

    address: str = ""  # in the network; behind a proxy the one it forwards
    session: str = ""  # of a page or a program's client; a call outside of any is a session of its own
    event: str | None = None  # Gradio's id of the call, if it went through Gradio's queue
    queue: Any = None  # Gradio's queue

    def is_gone(self) -> bool:
        """True once the call was given up or cancelled, or its connection was closed."""
        return self.has_given_up or (self.event is not None and not _runs(self.queue, self.event))

    @property
    def has_given_up(self) -> bool:
        """True between `give_up` and `forget`."""
        return self.event in _given_up

    def give_up(self) -> None:
        """End the call soon, though its answer is still awaited."""
        if self.event is not None:
            _given_up.add(self.event)

    def forget(self) -> None:
        """The call has ended."""
        _given_up.discard(self.event or "")


def current() -> Visitor:
    """The sender of the call whose handler runs in this thread; one without an address outside of any call."""
    from gradio.context import LocalContext  # heavy, and of no use in a worker process

    request, event = LocalContext.request.get(None), LocalContext.event_id.get(None)
    blocks = LocalContext.blocks.get(None)
    if request is None or request.request is None or blocks is None:
        return Visitor()
    client, queue = request.request.client, blocks._queue
    address = "" if client is None else client.host
    session = (None if request.headers.get("x-gradio-user") == MCP else request.session_hash) or event or ""
    # A call that goes past the queue cannot be cancelled, and Gradio does not notice when its connection closes.
    queued = event is not None and _runs(queue, event)
    return Visitor(address, session, event if queued else None, queue)


def _runs(queue: Any, event: str) -> bool:
    """True while Gradio waits for this call's handler and its sender for the answer."""
    return any(each._id == event and each.alive for calls in list(queue.active_jobs) for each in calls or ())
