"""What the catalogue says of one method, and how an instance of it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from inpaint_core import weights as checkpoints
from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from torch import nn

    from inpaint_core.methods.base import FillMethod

GROUPS = (
    "small scratches, skies",
    "textures, objects",
    "following a sketch",
    "large holes",
    "restoring mosaics",
    "historic, to compare",
)
"""What methods are good at, as measured in docs/RESULTS.md; menus have them in this order."""
QUICK = 1.2  # seconds at 512 x 512 on two CPU cores


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method: what is known of it before it runs, its network and how it runs.

    `make` and `network` are callables, so that listing the methods does not import torch.
    """

    name: str  # the word used on the command line, in the API, in the manifest and in train/
    title: str  # as the page shows it
    year: int
    paper: str  # authors, title, venue
    url: str  # where the paper is
    family: str  # diffusion, patches, encoder-decoder, generative prior, autoregressive
    licence: str  # of the code and weights shipped here
    summary: str  # one sentence on how it fills
    group: str = GROUPS[-1]  # what it is good at, one of GROUPS
    advice: str = ""  # one sentence on when to take it
    make: Callable[[], FillMethod]  # a new instance; its weights are loaded at the first fill
    network: Callable[[], type[nn.Module]] | None = None  # the class that its checkpoint holds the weights of
    parameters: int | None = None  # of the generator at the paper's width; the manifest has the width shipped
    cost: float  # rough seconds at 512 x 512 on two CPU cores: the order in which a comparison runs
    accepts_sketch: bool = False
    accepts_colours: bool = False  # follows dabs of colour
    uses_seed: bool = False  # it draws numbers: another seed gives another fill
    restores: bool = False  # it is shown the hidden part pixelated: compare it with no method that is not
    trained_here: bool = True  # there is a script in train/ for it
    folder: Path | None = None  # of its weights' manifest, if they are public ones; None: the checkpoints folder
    train_options: str = ""  # "SCRIPT --options" where they differ from the method's name

    @property
    def needs_weights(self) -> bool:
        """True if the method is a network."""
        return self.network is not None

    @property
    def is_quick(self) -> bool:
        """True if it takes little time."""
        return self.cost <= QUICK

    @property
    def compared_by_default(self) -> bool:
        """True if a comparison that names no methods runs it: quick, and shown nothing of what the hole hides."""
        return self.is_quick and not self.restores

    @property
    def checkpoint(self) -> str:
        """The name of its weights in their manifest: the method's, without the @ of public weights."""
        return self.name.partition("@")[0]

    @property
    def ready(self) -> bool:
        """True if the method can run now: it needs no weights, or they are here and match their checksum."""
        return not self.needs_weights or checkpoints.ready(self.checkpoint, self.folder)

    @property
    def train_command(self) -> str | None:
        """The command that makes the weights; None for a method without any, or without a training script here."""
        if not self.needs_weights or not self.trained_here:
            return None
        return f"python -m train.{self.train_options or self.name} --data PHOTOS --out runs/{self.name} --export"

    def build(self, weights: str | Path | None = None) -> FillMethod:
        """A new instance of the method; its weights, if any, are loaded at the first fill.

        Args:
            weights: in place of the checkpoint, a file that training has exported beside its manifest, or a published
                one in any layout of `weights.LAYOUTS`, which is read and recognised at the first fill.

        Raises:
            InpaintError: weights were given to a method that takes none, or a manifest says they are another one's.
        """
        method = self.make()
        if weights is None:
            if self.folder is not None:
                method.folder = self.folder
            return method
        record = checkpoints.record_of(weights)
        if record is not None:
            if record.method != self.checkpoint:
                raise InpaintError(f"{weights} holds weights of {record.method}: choose that method, not {self.name}.")
            method.folder = Path(weights).parent
        elif self.needs_weights:
            method.load = partial(checkpoints.load_public, self.checkpoint, weights)
        else:
            raise InpaintError(f"{self.name} takes no weights, so {weights} cannot be its own: choose another method.")
        return method
