"""Where photos come from: folders, archives as their owners hand them out, single files; read one photo at a time."""

from __future__ import annotations

import glob
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError
from train.core import cifar

Archive = TypeVar("Archive", zipfile.ZipFile, tarfile.TarFile)

SUFFIXES = {".webp", ".jpg", ".jpeg", ".png", ".bmp"}
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
MEMBER_LIMIT = 256 << 20
"""Bytes of the largest file in an archive that is read: no photo is larger, but a packed bomb is."""
UNREADABLE = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error, tarfile.TarError)
"""What archives raise for damaged, encrypted or unknown members."""


def expand(patterns: Iterable[str | Path] | None) -> list[Path]:
    """Files and folders of patterns such as `shards/places-*.tar`, sorted; a plain name stays itself, and so does a
    folder inside an archive.

    Raises:
        FileNotFoundError: nothing matches.
    """
    paths: list[Path] = []
    for pattern in map(str, patterns or ()):
        matches = sorted(glob.glob(pattern))
        if not matches:
            try:
                archive_of(Path(pattern))
            except FileNotFoundError:
                raise FileNotFoundError(f"nothing is there by the name {pattern}") from None
            matches = [pattern]
        paths += map(Path, matches)
    return paths


def archive_of(source: Path) -> tuple[Path, str]:
    """The file or folder on the disk, and the folder meant inside it where it is an archive ("": all of it).

    Raises:
        FileNotFoundError: neither is there.
    """
    for place in (source, *source.parents):
        if place.is_file() and (place == source or place.name.lower().endswith(ARCHIVES)):
            return place, "" if place == source else source.relative_to(place).as_posix()
        if place.exists():
            break
    if not source.exists():
        raise FileNotFoundError(f"{source} is not there")
    return source, ""


def members(sources: Iterable[str | Path]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every image file, one at a time, in sorted order in folders and the archive's own in archives.

    What the owners of Places2, CelebA-HQ, ImageNet and Paris street view hand out is read as it is: folders at any
    depth, archives in them, suffixes in capitals, tar files (also of ImageNet's classes, in a tar file), zip files. Of
    CIFAR-10's folder the training batches are read; its file `test_batch` is a source of its own.

    Args:
        sources: folders, archives (.tar, .tar.gz, .tgz, .zip), single image files, or a folder inside an archive:
            `CelebAMask-HQ.zip/CelebAMask-HQ/CelebA-HQ-img` leaves out the label maps, `places.tar/data/val` is a split.

    Yields:
        A file that cannot be read, or that is unpacked larger than `MEMBER_LIMIT`, comes without bytes; so does the
        rest of an archive that is cut off, as one file by the name of the archive.

    Raises:
        FileNotFoundError: a source is not there.
        InpaintError: a file by the name of an archive is not one.
    """
    for source in map(Path, sources):
        place, inside = archive_of(source)
        if cifar.batches(place):
            yield from cifar.members(place)
        elif place.is_dir():
            for path in sorted(place.rglob("*")):
                name = str(path.relative_to(place))
                if not path.is_file():  # a folder or a pipe by the name of a photo
                    continue
                if _is_photo(name):
                    yield name, _bytes_or_none(path.read_bytes)
                elif name.lower().endswith(ARCHIVES):
                    yield from members([path])
        elif place.suffix.lower() == ".zip":
            with _opened(place, zipfile.ZipFile) as bundle:
                for member in bundle.infolist():
                    name = member.filename
                    if not member.is_dir() and _is_photo(name) and _is_under(name, inside):
                        fits = member.file_size <= MEMBER_LIMIT
                        yield name, _bytes_or_none(partial(bundle.read, name)) if fits else b""
        elif place.name.lower().endswith(ARCHIVES):
            with _opened(place, tarfile.open) as shard:
                yield from _in_tar(shard, inside, place.name)
        else:
            yield place.name, place.read_bytes()


def _opened(place: Path, archive: Callable[[Path], Archive]) -> Archive:
    """The archive; `InpaintError` where the file is not one."""
    try:
        return archive(place)
    except UNREADABLE as error:
        raise InpaintError(f"{place} is not a complete archive: copy it again, or leave it out.") from error


def _bytes_or_none(read: Callable[[], bytes]) -> bytes:
    """What `read` returns; no bytes where it fails."""
    try:
        return read()
    except UNREADABLE:
        return b""


def source_name(source: str | Path) -> str:
    """The name of a folder or archive without its suffix: `photos-00` of `shards/photos-00.tar`."""
    name = archive_of(Path(source))[0].name
    return next((name[: -len(suffix)] for suffix in ARCHIVES if name.lower().endswith(suffix)), name)


def _in_tar(shard: tarfile.TarFile, inside: str, label: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """The same for an open tar file, called `label`, and for the tar files in it."""
    try:
        for member in shard:
            name = prefix + member.name.removeprefix("./")
            is_shard = name.lower().endswith(".tar")
            if not member.isfile() or not (is_shard or (_is_photo(name) and _is_under(name, inside))):
                continue
            stream = shard.extractfile(member)
            assert stream is not None
            if is_shard:
                with tarfile.open(fileobj=stream) as inner:
                    yield from _in_tar(inner, inside, name, f"{name}/")
            else:
                yield name, stream.read() if member.size <= MEMBER_LIMIT else b""
    except UNREADABLE:
        yield label, b""


def _is_photo(name: str) -> bool:
    path = Path(name)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith("._")  # macOS puts its own files beside photos


def _is_under(name: str, folder: str) -> bool:
    return not folder or name.startswith(f"{folder}/")


def decode(data: bytes, mode: str, least: int, most: int | None) -> np.ndarray | None:
    """The picture as uint8 H x W (x 3), or None where the file is broken or its shorter side is under `least`."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            photo = picture.convert(mode)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    short = min(photo.size)
    if short < least:
        return None
    if most is not None and short > most:
        photo = photo.resize(
            (round(photo.width * most / short), round(photo.height * most / short)), Image.Resampling.LANCZOS
        )
    return np.array(photo)
