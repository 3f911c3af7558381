"""What is measured: a method by its name, with the photo's true edges drawn in, or refined by another method."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

import inpaint_core
from inpaint_core import catalogue
from inpaint_core.errors import InpaintError
from train.core.sketches import thin_edges

BASELINE = "ns"
EDGES = "edges"


@dataclass(frozen=True)
class Candidate:
    """A word such as "deepfill_v2", "deepfill_v2+edges" or "deepfill_v2+patchmatch", taken apart."""

    word: str
    method: str
    edges: bool = False  # the photo's true edges are drawn in, as a user's sketch would be
    refine: str | None = None  # the method that replaces the texture of the fill

    @classmethod
    def parse(cls, word: str) -> Candidate:
        """The candidate of a word.

        Raises:
            InpaintError: there is no such method, its weights are absent, or it takes no sketch.
        """
        name, *suffixes = word.split("+")
        record = catalogue.require_ready(name)
        refiners = [suffix for suffix in suffixes if suffix != EDGES]
        if len(refiners) > 1:
            raise InpaintError(f"A fill is refined by one method, not by {' and '.join(refiners)}.")
        if EDGES in suffixes and not record.accepts_sketch:
            raise InpaintError(f"{name} takes no sketch; leave +{EDGES} out.")
        return cls(word, name, EDGES in suffixes, refiners[0] if refiners else None)

    @property
    def restores(self) -> bool:
        """True if the method is shown the hidden part pixelated: its figures compare with no other method's."""
        return catalogue.get(self.method).restores

    def fill(
        self, image: np.ndarray, hole: np.ndarray, device: str = "auto", seed: int = 0
    ) -> tuple[np.ndarray, float]:
        """The completed photo, uint8 H x W x 3, and the seconds it took.

        Raises:
            InpaintError: see `inpaint_core.inpaint`.
        """
        sketch = true_edges(image) & hole if self.edges else None
        result = inpaint_core.inpaint(image, hole, self.method, sketch, device, seed, refine=self.refine)
        assert result.image is not None
        return result.image, result.seconds


def true_edges(image: np.ndarray) -> np.ndarray:
    """Thin edges of a whole photo, uint8 H x W x 3 -> bool H x W."""
    return thin_edges(torch.from_numpy(image.copy()).permute(2, 0, 1)[None] / 255)[0, 0].bool().numpy()


def parse_candidates(words: Iterable[str], baseline: bool = True) -> list[Candidate]:
    """The candidates of the words, each once, by default after Navier-Stokes.

    Raises:
        InpaintError: see `Candidate.parse`.
    """
    first = [BASELINE] if baseline else []
    return [Candidate.parse(word) for word in dict.fromkeys([*first, *words])]


def ready_methods(slowest: float = math.inf) -> tuple[list[str], list[str]]:
    """Names of the methods that are ready: those of at most `slowest` seconds at 512 px (the catalogue's figure), and
    the slower ones."""
    ready = [method for method in catalogue.methods() if method.ready]
    quick = [method.name for method in ready if method.cost <= slowest]
    return quick, [method.name for method in ready if method.name not in quick]
