"""Writing files so that a killed process never leaves half of one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there in one step, with the permissions of the file it replaces.

    Raises:
        OSError: the folder cannot be written to; a file that was there before is as it was.
    """
    path = path.resolve()  # so that a link stays a link
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.part")
    try:
        with open(temporary, "xb") as stream:  # with the user's own umask; a mkstemp file would be private
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
