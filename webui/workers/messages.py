"""Messages between the server and a worker process: small ones through a pipe, large arrays through shared memory.

On Linux a large array is written once, into memory without a name that both processes map; elsewhere it goes through
the pipe as everything else. What is received can be written to, and no one else sees it.
"""

from __future__ import annotations

import mmap
import os
import pickle
import socket
import sys
from dataclasses import dataclass, field
from itertools import accumulate
from multiprocessing.connection import Connection
from typing import Any

LEAST_BYTES = 1 << 16  # of an array that shared memory is worth it for
ALIGNMENT = 64  # bytes, as numpy aligns its own arrays


@dataclass(frozen=True)
class Packed:
    """A message that is ready to be sent."""

    head: bytes  # the pickled message without its large arrays
    arrays: list[memoryview] = field(default_factory=list)  # of bytes


def pack(message: Any) -> Packed:
    """Pickle a message; its large arrays are not copied, so they must not change until it is sent.

    Raises:
        Exception: whatever pickling raises.
    """
    arrays: list[memoryview] = []

    def stays_in_line(buffer: pickle.PickleBuffer) -> bool:
        content = buffer.raw()
        if sys.platform != "linux" or content.nbytes < LEAST_BYTES:
            return True
        arrays.append(content)
        return False

    return Packed(pickle.dumps(message, pickle.HIGHEST_PROTOCOL, buffer_callback=stays_in_line), arrays)


def unpack(packed: Packed) -> Any:
    """The message again, in the process that packed it."""
    return pickle.loads(packed.head, buffers=packed.arrays)


def send(connection: Connection, packed: Packed) -> None:
    """Send a message through a connection of `multiprocessing.Pipe`.

    Raises:
        OSError: the other end is closed, or there is no memory left.
    """
    sizes = [array.nbytes for array in packed.arrays]
    if not sizes:
        connection.send((packed.head, sizes))
        return
    memory = os.memfd_create("message")  # goes when nobody has it open or mapped, in whatever way that ends
    try:
        for array, offset in zip(packed.arrays, _offsets(sizes), strict=True):
            _write(memory, array, offset)
        connection.send((packed.head, sizes))
        with socket.fromfd(connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as end:
            socket.send_fds(end, [b"\0"], [memory])
    finally:
        os.close(memory)


def receive(connection: Connection) -> Any:
    """The next message.

    Raises:
        EOFError: the other end is closed.
        OSError: so it is, in the midst of a message, or there is no memory left.
    """
    head, sizes = connection.recv()
    if not sizes:
        return pickle.loads(head)
    with socket.fromfd(connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as end:
        _, descriptors, _, _ = socket.recv_fds(end, 1, 1, socket.MSG_CMSG_CLOEXEC)
    if not descriptors:
        raise EOFError("the sender ended in the midst of a message")
    (memory,) = descriptors
    try:
        mapped = memoryview(mmap.mmap(memory, os.fstat(memory).st_size))  # stays until the last of the arrays is gone
    finally:
        os.close(memory)
    return pickle.loads(
        head, buffers=[mapped[start:][:size] for start, size in zip(_offsets(sizes), sizes, strict=True)]
    )


def _offsets(sizes: list[int]) -> list[int]:
    """Where each array begins."""
    return list(accumulate((-(-size // ALIGNMENT) * ALIGNMENT for size in sizes[:-1]), initial=0))


def _write(file: int, content: memoryview, offset: int) -> None:
    written = 0
    while written < content.nbytes:
        written += os.pwrite(file, content[written:], offset + written)
