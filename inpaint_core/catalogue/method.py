"""What the catalogue says of one method, and how an instance of it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inpaint_core import weights as checkpoints
from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from torch import nn

    from inpaint_core.methods.base import FillMethod


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
    make: Callable[[], FillMethod]  # a new instance; its weights are loaded at the first fill
    network: Callable[[], type[nn.Module]] | None = None  # the class that its checkpoint holds the weights of
    parameters: int | None = None  # of the generator at the paper's width; the manifest has the width shipped
    cost: float  # rough seconds at 512 x 512 on two CPU cores: the order in which a comparison runs
    accepts_sketch: bool = False
    restores: bool = False  # it is shown the hidden part pixelated: compare it with no method that is not
    trained_here: bool = True  # there is a script in train/ for it
    train_options: str = ""  # "SCRIPT --options" where they differ from the method's name
    public_arguments: Mapping[str, Any] | None = None  # of the network for the public PyTorch port's weights

    @property
    def needs_weights(self) -> bool:
        """True if the method is a network."""
        return self.network is not None

    @property
    def ready(self) -> bool:
        """True if the method can run now: it needs no weights, or they are here and match their checksum."""
        return not self.needs_weights or checkpoints.ready(self.name)

    @property
    def train_command(self) -> str | None:
        """The command that makes the weights; None for a method without any, or without a training script here."""
        if not self.needs_weights or not self.trained_here:
            return None
        return f"python -m train.{self.train_options or self.name} --data PHOTOS --out runs/{self.name} --export"

    def build(self, weights: str | Path | None = None) -> FillMethod:
        """A new instance of the method; its weights, if any, are loaded at the first fill.

        Args:
            weights: in place of the checkpoint, a file that training has exported beside its manifest, or public ones.

        Raises:
            InpaintError: weights were given, but they are another method's, or this one cannot take public ones.
        """
        method = self.make()
        if weights is None:
            return method
        record = checkpoints.record_of(weights)
        if record is not None:
            if record.method != self.name:
                raise InpaintError(f"{weights} holds weights of {record.method}: choose that method, not {self.name}.")
            method.folder = Path(weights).parent
        elif self.public_arguments is not None:
            method.load = partial(checkpoints.load_public_network, self.name, weights, **self.public_arguments)
        else:
            raise InpaintError(
                f"{self.name} takes no weights from {weights}: give a file that lies beside its "
                f"{checkpoints.MANIFEST}, as training exports it."
            )
        return method
