"""Where public weights are on this machine: which are here, how a published file gets in, how it is removed.

Every set has a folder of its own, `METHOD@WEIGHTS`, with the weights in our own form: a safetensors file and its
manifest, exactly as the checkpoints that ship.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from inpaint_core.errors import InpaintError
from inpaint_core.files import check_output, digest_of
from inpaint_core.weights import manifest, storage
from inpaint_core.weights.manifest import Record
from inpaint_core.weights.public import registry
from inpaint_core.weights.public.download import FULL, full_disk, require_room
from inpaint_core.weights.public.published import PublicWeights, PublishedFile

if TYPE_CHECKING:
    from inpaint_core.weights.public.conversion import Converted

WORD = re.compile(r"[a-z0-9][a-z0-9_.-]*")
UNKNOWN_LICENCE = "not known: the file was imported by hand"


def directory() -> Path:
    """Where public weights are: `$INPAINT_WEIGHTS`, or the user's cache folder."""
    chosen = os.environ.get("INPAINT_WEIGHTS")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("inpainting-studio") / "weights"


def folder_of(name: str) -> Path:
    """The folder of a set such as `lama@big`, whether it is there or not."""
    return directory() / name


def record_of(name: str) -> Record | None:
    """What the manifest of a set says; None: it is not here (or its manifest is damaged)."""
    method, _, word = name.partition("@")
    if not WORD.fullmatch(word):  # names come from a page's visitors, too: no way out of the folder
        return None
    try:
        return manifest.records(folder_of(name)).get(method)
    except InpaintError:
        return None


def ready(name: str) -> bool:
    """True if a set is here and its file matches its checksum."""
    return manifest.ready(name.partition("@")[0], folder_of(name))


def names() -> list[str]:
    """The sets that are here: those of the table in its order, then those imported from other files."""
    try:
        found = {path.name for path in directory().iterdir() if "@" in path.name and record_of(path.name) is not None}
    except OSError:
        return []
    of_table = [row.name for row in registry.rows() if row.name in found]
    return [*of_table, *sorted(found.difference(of_table))]


def default_of(method: str) -> str | None:
    """The set that a method runs with whose own checkpoint does not exist: the first that is here, or None."""
    return next((name for name in names() if name.partition("@")[0] == method and ready(name)), None)


@contextmanager
def one_at_a_time(name: str, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a set for this process alone; another process that has it is waited for.

    Args:
        waiting: called once if there is something to wait for.

    Raises:
        InpaintError: the folder of weights cannot be written to.
    """
    from filelock import FileLock, Timeout

    try:
        directory().mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory() / f".{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if waiting is not None:
                waiting()
            lock.acquire()
    except OSError as error:
        raise InpaintError(
            f"The folder {directory()} cannot be written to ({error.strerror}): let INPAINT_WEIGHTS name another one."
        ) from error
    try:
        yield
    finally:
        lock.release()


def install(row: PublicWeights, file: PublishedFile, path: Path) -> Record:
    """Put a published file, its checksum already compared, into the store.

    Args:
        row, file: what it is.
        path: where the file is; it is left as it is.

    Raises:
        InpaintError: it is damaged, of no known layout or of another method, or the disk is full.
    """
    facts: dict[str, Any] = {
        "command": f"python -m inpaint_core weights get {row.name}",
        "data": row.trained_on,
        "licence": row.licence,
        "title": row.title,
        "source": row.source,
        "url": file.url,
        "commercial": row.commercial,
    }
    if record_of(row.name) is None:  # a damaged manifest, of a folder that holds nothing else, would be in the way
        (folder_of(row.name) / manifest.MANIFEST).unlink(missing_ok=True)
    if row.trained_size is not None:
        facts["recipe"] = {"size": row.trained_size}
    with _checkpoint(path, file.member, folder_of(row.name)) as checkpoint:
        return _write(_converted(checkpoint, row.method), folder_of(row.name), published=path, **facts)


def import_file(path: Path, method: str | None = None) -> str:
    """Put a file that was fetched by hand into the store.

    Args:
        path: safetensors, a PyTorch pickle or TorchScript, in any layout known; it is left as it is.
        method: of the catalogue, or the name of the set, as in `deepfill_v2@mine`; None: what the layout says. Without
            the name of a set it is that of the table which the file belongs to, or made of the file's name.

    Returns:
        The name of the set.

    Raises:
        InpaintError: no such file, a layout that is not known or another method's, a name that is taken, a full disk.
    """
    if not path.is_file():
        raise InpaintError(f"There is no weights file {path}: check the path.")
    method, _, word = (method or "").partition("@")
    known = registry.identify(path)
    if known is not None and method in ("", known[0].method) and word in ("", known[0].word):
        row, file = known
        with one_at_a_time(row.name):
            _refuse_existing(row.name)
            install(row, file, path)
        return row.name
    converted = _converted(path, method or None)
    name = f"{converted.method}@{word or _word_of(path)}"
    if not WORD.fullmatch(name.partition("@")[2]):
        raise InpaintError(f"{word!r} is no name for weights: take small letters, digits, '.', '_' and '-'.")
    if any(row.name == name and any(each.checksum is not None for each in row.files) for row in registry.rows()):
        raise InpaintError(f"{path.name} is not the file published as {name}: import it under another name.")
    with one_at_a_time(name):
        _refuse_existing(name)
        facts = {"command": "none", "data": "not known", "licence": UNKNOWN_LICENCE, "commercial": "not stated"}
        _write(converted, folder_of(name), published=path, title=path.name, source="a file imported by hand", **facts)
    return name


def convert(path: Path, folder: Path, dtype: str = "float32", overwrite: bool = False) -> Record:
    """Write the weights of a published file as safetensors with an entry in the manifest of a folder.

    The result runs with `weights=FOLDER/METHOD.safetensors`, or from a folder that `INPAINT_CHECKPOINTS` names.

    Args:
        path: as for `import_file`.
        folder: made if need be.
        dtype: of the kernels: "float32" (exact), "float16" or "int8".
        overwrite: weights of the same method in the folder may be replaced.

    Raises:
        InpaintError: no such file, a layout that is not known, weights that must not be replaced, or a full disk.
    """
    if not path.is_file():
        raise InpaintError(f"There is no weights file {path}: check the path.")
    row, file = registry.identify(path) or (None, None)
    licence, data = (row.licence, row.trained_on) if row else (UNKNOWN_LICENCE, "not known")
    with _checkpoint(path, file.member if file else None, folder) as checkpoint:
        command = f"python -m inpaint_core weights convert {path.name}"
        converted = _converted(checkpoint, None)
        check_output(folder / f"{converted.method}.safetensors", (path,), overwrite)
        return _write(converted, folder, published=path, dtype=dtype, command=command, licence=licence, data=data)


def remove(name: str) -> int:
    """Remove a set; returns how many bytes that frees.

    Raises:
        InpaintError: it is not here.
    """
    folder = folder_of(name)
    if "@" not in name or Path(name).name != name or not folder.is_dir():
        here = ", ".join(names()) or "none"
        raise InpaintError(f"There are no weights {name!r} here to remove; here are: {here}.")
    with one_at_a_time(name):
        freed = sum(path.stat().st_size for path in folder.iterdir())
        shutil.rmtree(folder)
    return freed


def _converted(path: Path, method: str | None) -> Converted:
    """The weights of a published file as our network takes them, put into one as a test."""
    from inpaint_core.weights.public.conversion import convert_public
    from inpaint_core.weights.reading import read_state_dict

    converted = convert_public(read_state_dict(path))
    if method not in (None, converted.method):
        raise InpaintError(
            f"{path.name} holds weights of {converted.method} ({converted.layout.name}), not of {method}: say --method "
            f"{converted.method}."
        )
    converted.network()
    return converted


def _write(converted: Converted, folder: Path, *, published: Path, dtype: str = "float32", **facts: Any) -> Record:
    """Write the converted weights and their manifest into a folder; a full disk leaves what was there before."""
    size = sum(tensor.nbytes for tensor in converted.state.values())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        require_room(folder, size)
        return storage.save(
            converted.method,
            converted.state,
            converted.arguments,
            folder,
            dtype=dtype,
            steps=0,  # here; what is known of the publisher's training stands under "data"
            images_seen=0,
            metrics={},
            layout=converted.layout.name,
            published_file=published.name,
            published_sha256=digest_of(published),
            **facts,
        )
    except OSError as error:
        if error.errno in FULL:
            raise full_disk(folder) from error
        raise InpaintError(f"The folder {folder} cannot be written to ({error.strerror}): name another one.") from error


@contextmanager
def _checkpoint(path: Path, member: str | None, folder: Path) -> Iterator[Path]:
    """The checkpoint in a published file: the file itself, or a member of an archive, unpacked for the time being.

    Raises:
        InpaintError: the archive is damaged or has no such member, or the disk is full.
    """
    if member is None:
        yield path
        return
    unpacked = folder / f".{Path(member).name}"
    try:
        _unpack(path, member, unpacked)
        yield unpacked
    finally:
        unpacked.unlink(missing_ok=True)


def _unpack(path: Path, member: str, target: Path) -> None:
    """Write a member of a zip archive to `target`; raises as `_checkpoint`."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path) as archive:
            require_room(target.parent, archive.getinfo(member).file_size)
            with archive.open(member) as source, target.open("wb") as stream:
                shutil.copyfileobj(source, stream, 1 << 20)
    except (zipfile.BadZipFile, KeyError) as error:
        raise InpaintError(f"{path.name} is no archive with {member} in it: fetch it again.") from error
    except OSError as error:
        raise full_disk(target.parent) if error.errno in FULL else error from error


def _refuse_existing(name: str) -> None:
    if ready(name):
        raise InpaintError(f"{name} is here already: remove it first, or import the file under another name.")


def _word_of(path: Path) -> str:
    """A word made of a file's name."""
    return re.sub(r"[^a-z0-9_.-]+", "_", path.stem.lower()).strip("_.-") or "imported"
