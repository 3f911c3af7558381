"""Methods are ranked by what they do where the truth is known, without seeing what the hole hides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import inpaint_core
from inpaint_core import FillOptions, InpaintError, Result
from inpaint_core.suggestion import suggest


@pytest.fixture
def photo(astronaut: np.ndarray) -> np.ndarray:
    return astronaut[100:228, 150:278].copy()


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((128, 128), bool)
    mask[50:70, 40:64] = True
    return mask


def _fills(photo: np.ndarray, seen: list[np.ndarray]) -> Any:
    """Fills that err more from method to method: Telea's are the truth, Navier-Stokes' grey, PatchMatch's black."""

    def fill(image: np.ndarray, mask: np.ndarray, method: str, options: FillOptions, **callbacks: Any) -> Result:
        seen.append(mask.copy())
        value = {"telea": image, "ns": np.full_like(image, 128), "patchmatch": np.zeros_like(image)}[method]
        return Result(method, np.where(mask[..., None], value, image), 0.5)

    return fill


def test_the_method_nearest_to_the_truth_is_first(photo: np.ndarray, mask: np.ndarray) -> None:
    seen: list[np.ndarray] = []
    suggestion = suggest(photo, mask, ["patchmatch", "ns", "telea"], places=3, fill=_fills(photo, seen))
    best, *others = suggestion.scores
    assert (best.method, best.lpips, best.l1, best.wins, best.places) == ("telea", 0, 0, 3, 3)
    assert suggestion.best == best
    assert "Fast marching (Telea) came nearest to the truth" in suggestion.sentence
    assert [score.places for score in others] == [2, 2], "what is far behind is tried no further"
    assert others[0].lpips < others[1].lpips
    assert len(seen) == 3 + 2 * 2


def test_no_method_sees_what_the_hole_hides(photo: np.ndarray, mask: np.ndarray) -> None:
    hidden = photo.copy()
    hidden[mask] = np.random.default_rng(0).integers(0, 255, (mask.sum(), 3))
    ours, theirs = (suggest(image, mask, ["ns", "telea"], places=2) for image in (photo, hidden))
    assert [(s.method, s.lpips, s.l1) for s in ours.scores] == [(s.method, s.lpips, s.l1) for s in theirs.scores]


def test_places_have_the_photos_size_also_of_a_photo_that_is_tried_smaller(photo: np.ndarray, mask: np.ndarray) -> None:
    large, hole = (np.kron(each, np.ones((6, 6, 1)[: each.ndim], each.dtype)) for each in (photo, mask))
    seen: list[np.ndarray] = []
    suggestion = suggest(large, hole, ["telea"], places=2, fill=_fills(large, seen))
    assert all(max(each.shape) <= 512 for each in seen)
    assert all(place.shape == hole.shape and not (place & hole).any() for place in suggestion.places)


def test_by_default_no_slow_method_and_none_that_sees_the_truth_is_tried() -> None:
    from inpaint_core.suggestion.ranking import quick_methods

    names = quick_methods()
    assert {"ns", "telea", "patchmatch"} <= set(names)
    assert not {"latent_search", "pixel_cnn", "deepfill_v1_mosaic"} & set(names)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"methods": []}, "choose at least one"),
        ({"methods": ["magic"]}, "magic"),
        ({"places": 0}, "number of places"),
    ],
)
def test_a_bad_call_is_one_sentence(
    photo: np.ndarray, mask: np.ndarray, arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InpaintError, match=sentence):
        inpaint_core.suggest(photo, mask, **arguments)
