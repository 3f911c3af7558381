"""The free photos that the page offers, each with a mask; `examples/LICENCES.md` says where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inpaint_core import masks, photo
from webui.session import Session, open_photo

FOLDER = Path(__file__).resolve().parents[1] / "examples"


@dataclass(frozen=True)
class Example:
    """A photo, its mask beside it, and what the mask removes."""

    name: str
    caption: str

    @property
    def photo(self) -> Path:
        return FOLDER / f"{self.name}.jpg"

    @property
    def mask(self) -> Path:
        return FOLDER / f"{self.name}_mask.png"


EXAMPLES = (
    Example("launch", "Clear the sky"),
    Example("coffee", "Take the spoon"),
    Example("astronaut", "Remove the badges"),
    Example("scratched_cat", "Mend scratches"),
)


def thumbnails() -> list[tuple[str, str]]:
    """Path and caption of each example, for a gallery."""
    return [(str(example.photo), example.caption) for example in EXAMPLES]


def open_example(index: int) -> Session:
    """A new session on one example."""
    return open_photo(EXAMPLES[index].photo)


def mask_of(index: int) -> np.ndarray:
    """The mask of one example, bool H x W."""
    return masks.from_file(photo.read_mask(EXAMPLES[index].mask))
