"""Where photos come from: folders, archives as their owners hand them out, single files; read one photo at a time."""

from __future__ import annotations

import glob
import io
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from train.core import cifar

SUFFIXES = {".webp", ".jpg", ".jpeg", ".png", ".bmp"}
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")


def expand(patterns: Iterable[str | Path] | None) -> list[Path]:
    """Files and folders of patterns such as `shards/places-*.tar`, sorted; a plain name stays itself, and so does a
    folder inside an archive.

    Raises:
        FileNotFoundError: nothing matches.
    """
    found: list[Path] = []
    for pattern in map(str, patterns or ()):
        matches = sorted(glob.glob(pattern))
        if not matches:
            try:
                archive_of(Path(pattern))
            except FileNotFoundError:
                raise FileNotFoundError(f"nothing is there by the name {pattern}") from None
            matches = [pattern]
        found += map(Path, matches)
    return found


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

    Raises:
        FileNotFoundError: a source is not there.
    """
    for source in map(Path, sources):
        place, inside = archive_of(source)
        if cifar.batches(place):
            yield from cifar.members(place)
        elif place.is_dir():
            for path in sorted(place.rglob("*")):
                name = str(path.relative_to(place))
                if _is_photo(name):
                    yield name, path.read_bytes()
                elif name.lower().endswith(ARCHIVES):
                    yield from members([path])
        elif place.suffix.lower() == ".zip":
            with zipfile.ZipFile(place) as bundle:
                for name in bundle.namelist():
                    if _is_photo(name) and _is_under(name, inside):
                        yield name, bundle.read(name)
        elif place.name.lower().endswith(ARCHIVES):
            with place.open("rb") as file:
                yield from _in_tar(file, inside)
        else:
            yield place.name, place.read_bytes()


def source_name(source: str | Path) -> str:
    """The name of a folder or archive without its suffix: `photos-00` of `shards/photos-00.tar`."""
    name = archive_of(Path(source))[0].name
    return next((name[: -len(suffix)] for suffix in ARCHIVES if name.lower().endswith(suffix)), name)


def _in_tar(file: IO[bytes], inside: str, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """The same for an open tar file, and for the tar files in it."""
    with tarfile.open(fileobj=file) as shard:
        for member in shard:
            name = prefix + member.name.removeprefix("./")
            is_shard = name.lower().endswith(".tar")
            if member.isfile() and (is_shard or (_is_photo(name) and _is_under(name, inside))):
                stream = shard.extractfile(member)
                assert stream is not None
                if is_shard:
                    yield from _in_tar(stream, inside, f"{name}/")
                else:
                    yield name, stream.read()


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
