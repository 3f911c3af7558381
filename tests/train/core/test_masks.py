"""Masks of a batch: kinds by their weights, bad kinds refused in a sentence."""

from __future__ import annotations

import pytest
import torch

from inpaint_core.errors import InpaintError
from inpaint_core.masks.generators import GENERATORS
from train.core.config import MIXED_MASKS
from train.core.masks import check_kinds, draw_masks

CPU = torch.device("cpu")


def test_kinds_are_drawn_by_their_weights() -> None:
    kinds = (("centre", 3.0), ("box", 1.0))
    masks = draw_masks(kinds, 400, 32, torch.Generator().manual_seed(0), CPU)
    centre = GENERATORS["centre"](1, 32, 32, generator=torch.Generator())
    share = (masks == centre).flatten(1).all(1).float().mean()
    assert share == pytest.approx(0.75, abs=0.07)


def test_the_default_mixture_has_holes_of_several_makes() -> None:
    check_kinds(MIXED_MASKS)
    masks = draw_masks(MIXED_MASKS, 64, 64, torch.Generator().manual_seed(0), CPU)
    assert len({name for name, _ in MIXED_MASKS}) >= 5
    assert ((masks == 0) | (masks == 1)).all()
    assert (masks.flatten(1).sum(1) > 0).all()


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [((("round", 1.0),), '"round"'), ((("box", -1.0),), "negative"), ((("box", 0.0),), "above 0")],
)
def test_bad_kinds_are_refused(kinds: tuple[tuple[str, float], ...], sentence: str) -> None:
    with pytest.raises(InpaintError, match=sentence):
        check_kinds(kinds)
