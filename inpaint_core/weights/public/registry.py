"""Finds public weights: by name, or by the content of a file."""

from __future__ import annotations

from pathlib import Path

from inpaint_core.errors import InpaintError
from inpaint_core.files import digest_of
from inpaint_core.weights.public import table
from inpaint_core.weights.public.published import PublicWeights, PublishedFile


def rows() -> tuple[PublicWeights, ...]:
    """Every set of public weights of the table; the first of a method is its default."""
    return table.PUBLIC_WEIGHTS


def find(name: str) -> PublicWeights:
    """The row of a name such as `lama@big`, or of a method's name: its default set.

    Raises:
        InpaintError: no such set; the sentence lists the ones that exist.
    """
    for row in rows():
        if name in (row.name, row.method):
            return row
    method = name.partition("@")[0]
    known = [row.name for row in rows() if row.method == method] or [row.name for row in rows()]
    raise InpaintError(f"There are no public weights {name!r}; choose one of {', '.join(known)}.")


def identify(path: Path) -> tuple[PublicWeights, PublishedFile] | None:
    """The row a file belongs to by its checksum or, where none is known, by its name; None: not in the table."""
    digests = {algorithm: digest_of(path, algorithm) for algorithm in ("sha256", "md5")}
    for row in rows():
        for file in row.files:
            if file.checksum is None and file.name == path.name:
                return row, file
            if file.checksum is not None and digests[file.checksum.algorithm].startswith(file.checksum.digits):
                return row, file
    return None
