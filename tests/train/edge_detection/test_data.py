"""The edge detector's data: annotators' drawings, what they agree on, crops that turn with their edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from train.edge_detection.data import (
    AGREED,
    DOUBTED,
    EdgeLoader,
    annotated,
    bank_of,
    bank_of_drawings,
    bank_of_maps,
    consensus,
    turned_crops,
)


def test_each_annotator_has_a_map_of_their_own(data: Path) -> None:
    found = annotated([data / "drawn"])
    assert [each.name for each in found] == [str(number) for number in range(6)]
    assert [len(each.drawings) for each in found] == [2, 3, 2, 3, 2, 3]
    assert found[0].drawings.dtype == bool
    assert found[0].drawings.shape[1:] == found[0].photo.shape[:2]
    assert np.array_equal(np.roll(found[0].drawings[0], 1, 0), found[0].drawings[1])


def test_annotators_agree_where_half_of_them_drew_nearby() -> None:
    drawings = np.zeros((4, 20, 40), bool)
    drawings[0, 5], drawings[1, 6], drawings[2, 7] = True, True, True  # one contour, a pixel apart
    drawings[3, 15] = True  # one person's own
    found = consensus(drawings)
    assert (found[5:8] == AGREED).all()
    assert (found[15] == DOUBTED).all()
    assert (found[[0, 4, 8, 10, 14, 16]] == 0).all()


def test_only_photos_with_a_map_are_learned_from(data: Path) -> None:
    assert len(bank_of_maps([data / "photos"], [data / "maps"])) == 5
    with pytest.raises(FileNotFoundError, match="none of the edge maps"):
        bank_of_maps([data / "photos"], [data / "drawn" / "0.annotators.png"])
    with pytest.raises(FileNotFoundError, match="no annotated photos"):
        annotated([data / "photos"])


def test_a_turned_crop_turns_its_edges_along() -> None:
    photo = np.zeros((128, 128, 3), np.uint8)
    photo[60:68, 20:108] = 255
    bank = bank_of([(photo, photo[..., 0])])
    numbers = torch.rand(16, 7, generator=torch.Generator().manual_seed(0))
    numbers[:, 6] = 1.0
    numbers[:8, 6] = 0.0
    crops, inside = turned_crops(bank, numbers, 64, drawn=False)
    torch.testing.assert_close(crops[:, 0], crops[:, 3])
    assert crops.shape == (16, 4, 64, 64)
    assert inside.shape == (16, 1, 64, 64)
    assert (inside[8:] == 1).all()
    turned = crops[:8, 0] > 0.5
    assert any(bool(each.any(0).sum() > 5 and each.any(1).sum() > 20) for each in turned)


def test_a_thin_line_survives_a_crop_at_half_size() -> None:
    photo, line = np.zeros((128, 128, 3), np.uint8), np.zeros((128, 128), np.uint8)
    line[:, 70] = AGREED
    numbers = torch.tensor([[0.0, 1.0, 0.0, 0.5, 0.5, 1.0, 1.0]])
    crops, _ = turned_crops(bank_of([(photo, line)]), numbers, 64, drawn=True)
    assert (crops[0, 3].amax(1) == 1).all()


def test_a_step_draws_the_same_batch_again_and_processes_share_it(data: Path) -> None:
    banks = [bank_of_maps([data / "photos"], [data / "maps"]), bank_of_drawings([data / "drawn"])]
    whole = EdgeLoader(banks, [0.5, 0.5], 64, 8)
    first, again = whole(3), whole(3)
    assert torch.equal(first.image, again.image)
    assert torch.equal(first.edges, again.edges)
    assert not torch.equal(first.image, whole(4).image)
    halves = [EdgeLoader(banks, [0.5, 0.5], 64, 8, process=(rank, 2))(3).image for rank in (0, 1)]
    both = torch.cat(halves)
    assert len(both) == 8
    torch.testing.assert_close(both.sum((1, 2, 3)).sort()[0], first.image.sum((1, 2, 3)).sort()[0])
