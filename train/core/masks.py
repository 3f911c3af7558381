"""Holes of a training batch: one mask a photo, of kinds drawn at random."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from inpaint_core.errors import InpaintError
from inpaint_core.masks.generators import GENERATORS
from train.core.config import Masks


def check_kinds(kinds: Masks) -> None:
    """Raise `InpaintError` unless every kind has a generator and the weights can be drawn from."""
    for kind, weight in kinds:
        if kind not in GENERATORS:
            raise InpaintError(f'There are no "{kind}" masks; choose of {", ".join(GENERATORS)}.')
        if not weight >= 0:
            raise InpaintError(f"The weight of {kind} masks must not be negative, but is {weight}.")
    if not sum(weight for _, weight in kinds) > 0:
        raise InpaintError("Give at least one kind of masks a weight above 0, such as --masks box 1.")


def draw_masks(kinds: Masks, count: int, size: int, generator: Generator, device: torch.device) -> Tensor:
    """One mask a photo.

    Args:
        kinds: names of `inpaint_core.masks.GENERATORS` and how often each is drawn.
        count: photos.
        size: side in pixels.
        generator: of the random numbers, on the CPU.
        device: of the masks.

    Returns:
        float32 (count, 1, size, size), 1 = hole.
    """
    names, weights = zip(*kinds, strict=True)
    drawn = torch.multinomial(torch.tensor(weights), count, replacement=True, generator=generator)
    masks = torch.zeros(count, 1, size, size, device=device)
    for number, name in enumerate(names):
        chosen = (drawn == number).nonzero()[:, 0].to(device)
        if len(chosen):
            masks[chosen] = GENERATORS[name](len(chosen), size, size, generator=generator, device=device)
    return masks
