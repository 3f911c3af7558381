"""Writing files so that a killed process never leaves half of one, and no file of the user's is lost; checksums."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inpaint_core.errors import InpaintError

LEFT_OVER = 600
"""Seconds after which an unfinished file that nobody has written to is taken for that of a killed process."""


def check_output(path: Path, inputs: Iterable[Path | None] = (), overwrite: bool = False) -> Path:
    """The path, if a file may be written there; to be asked before the work begins.

    Args:
        path: of the file to be written.
        inputs: the files of the call (None is skipped), which no output may replace, with `overwrite` or without.
        overwrite: a file that is there may be replaced.

    Raises:
        InpaintError: the path is one of `inputs`, a folder, a device or a pipe, or a file that must not be replaced.
    """
    try:
        taken = any(path.samefile(each) for each in inputs if each is not None and each.exists() and path.exists())
        exists = path.exists()
        if "\0" in str(path):
            raise ValueError("it holds a zero byte")
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "strerror", None) or error).lower()
        raise InpaintError(f"{str(path)[:80]!r} cannot be written to ({reason}): choose another name.") from error
    if taken:
        raise InpaintError(f"{path.name} is a file that this call reads: choose another name for what it writes.")
    _check_regular(path)
    if exists and not overwrite:
        raise InpaintError(f"{path.name} exists already: choose another name, or add --overwrite to replace it.")
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; the file there takes the place of `path` in one step as the block ends.

    It gets the permissions of the file it replaces. After an error the file that was there before is as it was. What a
    killed process left of the same file is removed.

    Raises:
        InpaintError: there is a folder, a device or a pipe at `path`.
    """
    path = path.resolve()  # so that a link stays a link
    _check_regular(path)
    _remove_left_over(path)
    temporary = path.with_name(f"{_prefix(path)}{secrets.token_hex(6)}.part")
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
        InpaintError: there is a folder, a device or a pipe at `path`.
        OSError: the folder cannot be written to; a file that was there before is as it was.
    """
    # with the user's own umask; a mkstemp file would be private
    with replacing(path) as temporary, open(temporary, "xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file's content in hexadecimal digits, by "sha256" or "md5"; raises OSError."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _check_regular(path: Path) -> None:
    """Raise InpaintError where there is something else than a file: moving a file there would destroy it."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or a pipe, not a file"
        raise InpaintError(f"{path.name} is {kind}: give the path of a file to write to.")


def _prefix(path: Path) -> str:
    return f".{path.name[:100]}."


def _remove_left_over(path: Path) -> None:
    """Remove unfinished files of the same name that nobody writes to any more."""
    for left in path.parent.glob(f"{_escaped(_prefix(path))}*.part"):
        try:
            if time.time() - left.stat().st_mtime > LEFT_OVER:
                left.unlink(missing_ok=True)
        except OSError:  # it is gone, or another user's
            continue


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
