"""Writing files so that a killed process never leaves half of one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; the file there takes the place of `path` in one step as the block ends.

    It gets the permissions of the file it replaces. After an error the file that was there before is as it was.
    """
    path = path.resolve()  # so that a link stays a link
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        yield temporary
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there in one step, with the permissions of the file it replaces.

    Raises:
        OSError: the folder cannot be written to; a file that was there before is as it was.
    """
    # with the user's own umask; a mkstemp file would be private
    with replacing(path) as temporary, open(temporary, "xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
