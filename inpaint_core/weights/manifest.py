"""The manifest beside the checkpoints: what each file is, where it comes from, and whether it is here unaltered."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from inpaint_core.errors import InpaintError
from inpaint_core.files import digest_of, write_atomically

MANIFEST = "manifest.json"


@dataclasses.dataclass(frozen=True)
class Record:
    """What the manifest says of one checkpoint: enough to load it and to know where it comes from."""

    method: str  # the word of the catalogue
    file: str  # name of the file beside the manifest
    sha256: str  # of the whole file
    bytes: int  # size of the file
    arguments: dict[str, Any]  # of the network's constructor
    dtype: str  # float32, float16 or int8 (one scale for each output channel)
    command: str  # the training command that made it
    data: str  # what it was trained on
    steps: int
    images_seen: int
    metrics: dict[str, Any]  # measured values, and under "images" on which images and masks
    licence: str
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)  # wall time, device, ...


def directory() -> Path:
    """Where checkpoints are: `$INPAINT_CHECKPOINTS`, or `checkpoints/` beside the package."""
    chosen = os.environ.get("INPAINT_CHECKPOINTS")
    return Path(chosen).expanduser() if chosen else shipped()


@functools.cache
def shipped() -> Path:
    """The `checkpoints/` beside the package, where what no method fills with is read from: LPIPS's network."""
    return Path(__file__).resolve().parents[2] / "checkpoints"


def records(folder: str | Path | None = None) -> dict[str, Record]:
    """The manifest: method name -> record, not to be changed; empty where there is no manifest.

    Raises:
        InpaintError: the manifest is not JSON of this form.
    """
    path = os.path.join(folder or directory(), MANIFEST)
    try:
        status = os.stat(path)
        return dict(_parsed(path, (status.st_ino, status.st_size, status.st_mtime_ns)))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InpaintError(f"The manifest {path} cannot be read ({first_line(error)}): restore it.") from error


@functools.lru_cache(maxsize=64)
def _parsed(path: str, version: tuple[int, int, int]) -> dict[str, Record]:
    """A manifest's content, read once for each `version` of the file: a page asks for it hundreds of times."""
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))["checkpoints"]
        found = [Record(**entry) for entry in entries]
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InpaintError(f"The manifest {path} cannot be read ({first_line(error)}): restore it.") from error
    for record in found:
        if Path(record.file).name != record.file or record.file in ("", ".", ".."):
            raise InpaintError(
                f"The manifest {path} names the file {record.file!r}, which is not beside it: restore it."
            )
    return {record.method: record for record in found}


def record_of(file: str | Path) -> Record | None:
    """What the manifest beside a file says of it; None where there is none, or it does not name the file."""
    file = Path(file)
    return next((record for record in records(file.parent).values() if record.file == file.name), None)


def write_records(folder: Path, found: Iterable[Record]) -> None:
    """Replace the manifest of a folder by these records, sorted by method."""
    entries = [dataclasses.asdict(record) for record in sorted(found, key=lambda record: record.method)]
    content = json.dumps(_as_json({"checkpoints": entries}), indent=2, allow_nan=False) + "\n"
    write_atomically(folder / MANIFEST, content.encode())


_verified: dict[tuple[str, int, int], str] = {}
"""Checksums already computed: (path, size, time of change in ns) -> sha256."""


def ready(method: str, folder: str | Path | None = None) -> bool:
    """True if the method's checkpoint is here and matches its checksum (hashed once per file and change)."""
    folder = Path(folder or directory())
    try:
        record = records(folder).get(method)
        if record is None:
            return False
        path = folder / record.file
        status = path.stat()
        key = (str(path.resolve()), status.st_size, status.st_mtime_ns)
        if status.st_size == record.bytes and key not in _verified:
            _verified[key] = digest_of(path)
    except (OSError, InpaintError):
        return False
    return _verified.get(key) == record.sha256


def first_line(error: Exception) -> str:
    """The first line of an error's text, or the name of its type."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _as_json(value: Any) -> Any:
    """The value as JSON has it: scalars of numpy and torch become numbers, NaN and infinity null, paths text.

    A long training run must not lose its export over a metric that could not be measured.
    """
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_as_json(item) for item in value]
    if hasattr(value, "tolist"):
        return _as_json(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)
