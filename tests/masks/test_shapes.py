"""Strokes and boxes have the numbers, widths, lengths and angles that the papers and their released code give."""

from __future__ import annotations

import math

import pytest
import torch

from inpaint_core.masks.shapes import Sampler, Strokes, gated_strokes, lama_boxes, lama_strokes, square_box

COUNT = 400
SIZES = [
    (256, 256),
    (512, 512),
    (128, 512),
]  # the papers' lengths are for 256 x 256; others scale with the root of area


def sampler(seed: int = 0) -> Sampler:
    return Sampler(torch.Generator().manual_seed(seed), "cpu")


def scale_of(size: tuple[int, int]) -> float:
    return math.sqrt(size[0] * size[1]) / 256


def moves_within(strokes: Strokes) -> tuple[torch.Tensor, torch.Tensor]:
    """y and x of every segment's move, and where it is one that no border has cut."""
    moves = strokes.vertices[1:] - strokes.vertices[:-1]
    limit = torch.tensor([side - 1 for side in strokes.size])
    inside = ((strokes.vertices > 0) & (strokes.vertices < limit)).all(dim=-1)
    return moves, strokes.present & inside[1:] & inside[:-1]


@pytest.mark.parametrize("size", SIZES)
def test_free_form_masks_have_1_to_3_strokes_of_12_to_40_px(size: tuple[int, int]) -> None:
    strokes = gated_strokes(sampler(), COUNT, size, (1, 3))
    assert set(strokes.present[0].sum(dim=1).tolist()) == {1, 2, 3}
    width = strokes.width[strokes.present] / scale_of(size)
    assert 12 <= width.min() < 12.5
    assert 39.5 < width.max() <= 40


@pytest.mark.parametrize("size", SIZES)
def test_free_form_strokes_have_4_to_11_segments_around_an_eighth_of_the_diagonal(size: tuple[int, int]) -> None:
    strokes = gated_strokes(sampler(), COUNT, size, (1, 3))
    moves, whole = moves_within(strokes)
    length = moves.norm(dim=-1)
    average = math.sqrt(2) * 256 / 8 * scale_of(size)
    # an unlucky length of zero ends a stroke one segment early, which rounds no number here up
    used = (length > 0).sum(dim=0)[strokes.present[0]]
    assert used.max() == 11
    assert used.float().quantile(0.02) >= 3
    assert length[whole].max() <= 2 * average * 1.0001
    median = length[whole & (length > 0)].median()
    assert 0.8 * average < median < 1.2 * average


def test_free_form_segments_go_above_and_below_the_axis_in_turn() -> None:
    strokes = gated_strokes(sampler(), COUNT, (256, 256), (1, 3))
    moves, whole = moves_within(strokes)
    long = whole & (moves.norm(dim=-1) > 1)
    angle = torch.atan2(moves[..., 0].abs(), moves[..., 1].abs())[long]
    # 2 pi / 5 give or take 2 pi / 15; folded into the first quadrant, what goes beyond the vertical comes back
    assert angle.min() >= 2 * math.pi / 5 - 2 * math.pi / 15 - 1e-3
    assert angle.min() < 0.9
    assert angle.max() > 1.5
    both = long[1:] & long[:-1]
    assert both.sum() > 100
    assert (moves[1:, ..., 0][both] * moves[:-1, ..., 0][both] < 0).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("times", "length", "thickness"), [((4, 50), (10, 49), (5, 14)), ((1, 5), (10, 209), (5, 104))]
)
def test_lama_strokes_keep_their_ranges(
    size: tuple[int, int], times: tuple[int, int], length: tuple[int, int], thickness: tuple[int, int]
) -> None:
    strokes = lama_strokes(sampler(), COUNT, size, times, length, thickness)
    number = strokes.present[0].sum(dim=1)
    assert (number.min(), number.max()) == times
    segments = strokes.present.sum(dim=0)[strokes.present[0]]
    assert set(segments.tolist()) == {1, 2, 3, 4, 5}
    width = (strokes.width[strokes.present] / scale_of(size)).round()
    assert (width.min(), width.max()) == thickness
    moves, whole = moves_within(strokes)
    reach = moves[whole].norm(dim=-1) / scale_of(size)
    assert length[0] - 0.01 <= reach.min() < length[0] + 5
    assert reach.max() <= length[1] + 0.01


def test_lama_angles_are_whole_radians_in_turn_to_both_sides() -> None:
    strokes = lama_strokes(sampler(), COUNT, (256, 256), (4, 50), (10, 49), (5, 14))
    moves, whole = moves_within(strokes)
    angle = torch.atan2(moves[..., 0], moves[..., 1])
    for parity, sign in ((0, 1), (1, -1)):
        found = (sign * angle[parity::2][whole[parity::2]] + 0.49).remainder(2 * math.pi) - 0.5
        assert (found - found.round()).abs().max() < 1e-3
        assert set(found.round().int().tolist()) == {0, 1, 2, 3}


def test_a_deepfill_box_is_half_the_picture_less_up_to_a_sixteenth_a_side() -> None:
    boxes = square_box(sampler(), COUNT, (256, 512))
    for first, last, extent in ((boxes.top, boxes.bottom, 256), (boxes.left, boxes.right, 512)):
        side = last - first
        assert side.min() == extent / 2 - 2 * (extent // 16)
        assert side.max() == extent / 2
        assert first.min() >= 0
        assert last.max() <= extent


def test_lama_boxes_are_30_to_150_px_in_three_masks_of_ten() -> None:
    boxes = lama_boxes(sampler(), 2000, (256, 256))
    present = boxes.bottom > boxes.top
    number = present.sum(dim=1)
    assert set(number.tolist()) == {0, 1, 2, 3}
    assert (number > 0).float().mean().item() == pytest.approx(0.3, abs=0.03)
    for side in ((boxes.bottom - boxes.top)[present], (boxes.right - boxes.left)[present]):
        assert side.min() == 30
        assert 148 <= side.max() <= 150
