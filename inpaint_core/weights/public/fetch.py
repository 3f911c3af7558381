"""Fetches public weights: from the first address that answers, checked against their checksum, into the store."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from inpaint_core.errors import InpaintError
from inpaint_core.files import digest_of
from inpaint_core.weights.manifest import Record
from inpaint_core.weights.public import registry, store
from inpaint_core.weights.public.download import Progress, Unreachable, download, require_room
from inpaint_core.weights.public.published import PublicWeights, PublishedFile


def get(name: str, progress: Progress | None = None, waiting: Callable[[], None] | None = None) -> Record:
    """Fetch a set of public weights, unless it is here already.

    The licence is not asked for: that is the caller's to show (`registry.find(name).licence`).

    Args:
        name: such as `lama@big`, or a method's name for its default set.
        progress: called with the bytes that are here and those there will be (None: the server does not say).
        waiting: called once if another process is fetching the same set, which is waited for.

    Returns:
        What the manifest of the set says, once its file is here and its network could be made of it.

    Raises:
        InpaintError: an unknown name, no network, a wrong checksum (the file is deleted), a full disk, or a file of a
            layout that is not known; nothing of it counts as here.
    """
    row = registry.find(name)
    with store.one_at_a_time(row.name, waiting):
        record = store.record_of(row.name)
        if record is not None and store.ready(row.name):
            return record
        try:
            file, path = _published(row, progress)
        except OSError as error:
            raise InpaintError(
                f"{row.name} cannot be written to {store.folder_of(row.name)} ({error.strerror or error}): let "
                "INPAINT_WEIGHTS name another folder."
            ) from error
        record = store.install(row, file, path)
        if path.parent == store.folder_of(row.name):  # not the Hub's own cache
            path.unlink()
        return record


def downloads_allowed() -> bool:
    """True where the operator of a server lets its visitors fetch weights: `INPAINT_ALLOW_DOWNLOADS=1`."""
    return os.environ.get("INPAINT_ALLOW_DOWNLOADS", "").strip().lower() in ("1", "true", "yes", "on")


def fetch_at_start(report: Callable[[str], object] = print) -> None:
    """Fetch what `INPAINT_FETCH` names, as in `lama,glcic@places`; for a server to call in a thread of its own.

    Who sets the variable accepts the licences. On a Hugging Face Space what its front matter has preloaded is taken
    over as well, for which no network is needed. A failure is reported, and the others are fetched all the same.

    Args:
        report: called with one sentence for each set.
    """
    names = [name.strip() for name in os.environ.get("INPAINT_FETCH", "").split(",") if name.strip()]
    if os.environ.get("SPACE_ID"):
        names = [*(row.name for row in registry.rows() if any(map(in_hub_cache, row.files))), *names]
    for name in dict.fromkeys(names):
        try:
            record = get(name)
            report(f"The public weights {registry.find(name).name} are here; their licence: {record.licence}.")
        except Exception as error:  # the page must start whatever happens here
            reason = str(error) if isinstance(error, InpaintError) else f"{type(error).__name__}: {error}."
            report(f"The public weights {name} are not here: {reason}")


def in_hub_cache(file: PublishedFile) -> Path | None:
    """Where the cache of the Hugging Face Hub has a file; None: nowhere, or it is not on the Hub."""
    if file.hub is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    repository, revision, path = file.hub
    found = try_to_load_from_cache(repository, path, revision=revision)
    return Path(found) if isinstance(found, str) else None


def _published(row: PublicWeights, progress: Progress | None) -> tuple[PublishedFile, Path]:
    """One of the published files, its checksum compared, and where it is."""
    for file in row.files:
        for path in (store.folder_of(row.name) / file.name, in_hub_cache(file)):
            if path is not None and path.is_file() and file.checksum is not None and file.checksum.fits(path):
                return file, path
    failures = []
    store.folder_of(row.name).mkdir(parents=True, exist_ok=True)
    for file in row.files:
        try:
            return file, _fetched(file, store.folder_of(row.name), progress)
        except Unreachable as error:
            failures.append(str(error))
    with suppress(OSError):  # a part of the file is kept
        store.folder_of(row.name).rmdir()
    raise InpaintError(
        f"{row.name} could not be fetched ({'; '.join(failures)}): try again later, or download {row.files[0].url} by "
        f"other means and call 'python -m inpaint_core weights import FILE --method {row.name}'."
    )


def _fetched(file: PublishedFile, folder: Path, progress: Progress | None) -> Path:
    """The file, downloaded; one with a wrong checksum is deleted, and raises `Unreachable` as all that fails does."""
    if file.hub is None:
        path = folder / file.name
        download(file.url, path, progress)
    else:
        path = _from_hub(file, progress)
    if file.checksum is None or file.checksum.fits(path):
        return path
    found = digest_of(path, file.checksum.algorithm)
    for copy in {path, path.resolve()}:  # in the Hub's cache a name is a link to the content
        copy.unlink()
    raise Unreachable(
        f"{file.url} gave another file than the published one, which was deleted: its {file.checksum.algorithm} is "
        f"{found}, that of the published one {'begins with ' if 'first' in file.checksum.kind else ''}"
        f"{file.checksum.digits}"
    )


def _from_hub(file: PublishedFile, progress: Progress | None) -> Path:
    """A file of the Hugging Face Hub in its own cache, by its own client, which resumes what was cut."""
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.utils import logging, tqdm

    class Bar(tqdm):
        """Hands the count to `progress` in place of drawing a bar."""

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0
            if progress is not None:
                progress(int(self.n), None if self.total is None else int(self.total))
            return None

        def display(self, *arguments: object, **named: object) -> None:
            pass

    assert file.hub is not None
    repository, revision, path = file.hub
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    require_room(cache, file.bytes or 0)
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # its warnings of every attempt; the last one's reason is in our sentence
    try:
        return Path(hf_hub_download(repository, path, revision=revision, tqdm_class=Bar))
    except LocalEntryNotFoundError as error:  # not in the cache, and no answer
        raise Unreachable(f"{file.url} cannot be reached, or is not there") from error
    except Exception as error:  # errors of its own, of its HTTP library and of the system, all of them final
        reason = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
        raise Unreachable(f"{path} of {repository} on the Hugging Face Hub: {reason}") from error
    finally:
        logging.set_verbosity(verbosity)
