"""One set of public weights: who published it where, under which licence, and how a file is known to be it.

Every fact is as found in the publishers' repositories; what they do not state is None or "not stated".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inpaint_core.files import digest_of

HUB = re.compile(r"https://huggingface\.co/([^/]+/[^/]+)/resolve/([0-9a-f]{40})/(.+)")


@dataclass(frozen=True)
class Checksum:
    """What is known of a file's content: all of a SHA-256, its first digits, or an MD5."""

    kind: Literal["sha256", "first digits of sha256", "md5"]
    digits: str  # hexadecimal, lower case

    @property
    def algorithm(self) -> str:
        """The name that hashlib has for it."""
        return "md5" if self.kind == "md5" else "sha256"

    def fits(self, path: Path) -> bool:
        """True if the file has this checksum."""
        return digest_of(path, self.algorithm).startswith(self.digits)


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One address at which the weights are published."""

    url: str  # at a pinned revision where the host has revisions
    name: str  # of the file, as published where that is known
    checksum: Checksum | None  # None: none is known
    bytes: int | None = None  # None: not published
    member: str | None = None  # the checkpoint inside, of a zip archive

    @property
    def hub(self) -> tuple[str, str, str] | None:
        """Repository, revision and path on the Hugging Face Hub; None for a file that lies elsewhere."""
        match = HUB.fullmatch(self.url)
        return match and (match[1], match[2], match[3])


@dataclass(frozen=True, kw_only=True)
class PublicWeights:
    """One set of public weights of one method."""

    method: str  # the word of the catalogue
    word: str  # what comes after the @
    title: str  # as a list shows it
    source: str  # who published them
    files: tuple[PublishedFile, ...]  # the same weights, the best place first
    licence: str  # of the weights, in words
    commercial: Literal["yes", "no", "not stated"]  # may they be used commercially?
    trained_on: str
    trained_size: int | None = None  # side of the training photos in pixels; None: not stated

    @property
    def name(self) -> str:
        """As in `deepfill_v2@places2`."""
        return f"{self.method}@{self.word}"

    @property
    def commerce(self) -> str:
        """A sentence on commercial use."""
        return {
            "yes": "Commercial use is allowed.",
            "no": "Commercial use is NOT allowed.",
            "not stated": "Whether commercial use is allowed is not stated.",
        }[self.commercial]

    @property
    def bytes(self) -> int | None:
        """How much is fetched, from the first place; None: not published."""
        return self.files[0].bytes
