"""The sketches of a training batch: where they are, whose edges they are, and how a hand changes them."""

from __future__ import annotations

import torch
from scipy.ndimage import distance_transform_edt
from torch import Generator, Tensor
from torch.nn import functional as F

from train.core.sketches import hand_jitter, keep_strokes, sketch_batch, thin_edges, thin_lines


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def bars(count: int, size: int = 64, wide: int = 4) -> Tensor:
    """Soft-rimmed vertical bars, count x 1 x size x size, as a teacher draws edges."""
    row = torch.zeros(1, 1, size)
    for left in range(8, size - 8, 16):
        row[..., left : left + wide] = 1
    return F.avg_pool1d(row, 3, 1, 1).view(1, 1, 1, size).repeat(count, 1, size, 1)


def square(count: int, size: int = 64) -> Tensor:
    mask = torch.zeros(count, 1, size, size)
    mask[..., 16:48, 16:48] = 1
    return mask


def test_thin_edges_of_a_step_are_one_thin_line() -> None:
    image = torch.zeros(1, 3, 32, 32)
    image[..., 16:] = 1
    edges = thin_edges(image)[0, 0]
    assert (edges.sum(1) == 1).all()
    assert edges[:, 15:17].sum() == 32
    assert thin_edges(torch.full((1, 3, 32, 32), 0.3)).sum() == 0


def test_thin_lines_are_the_middles_of_wide_ones() -> None:
    lines = thin_lines(bars(1, wide=5), 0.3)[0, 0]
    assert (lines.sum(1) == 3).all()
    assert (lines[:, 10] == 1).all()  # the bar is at 8 to 12


def test_thin_lines_follow_slanted_lines_too() -> None:
    row = torch.arange(64).float()
    for slope in (0.3, 1.0, -0.6):
        middle = 32 + slope * (row[:, None] - 32)
        far = (row[None] - middle).abs() / (1 + slope**2) ** 0.5
        lines = thin_lines(torch.exp(-0.5 * (far / 2) ** 2)[None, None], 0.3)[0, 0] > 0
        inside = lines[4:-4, 4:-4]
        assert far[4:-4, 4:-4][inside].max() < 1.1
        assert inside.sum() > 30


def test_sketches_stay_in_the_hole_and_are_given_to_a_share_of_the_photos() -> None:
    image = torch.rand(64, 3, 64, 64, generator=generator())
    known = torch.ones(64, dtype=torch.bool)
    for share, least, most in ((0.0, 0, 0), (0.5, 20, 44), (1.0, 55, 64)):
        sketch = sketch_batch(image, bars(64), known, square(64), generator(1), share)
        assert (sketch * (1 - square(64))).sum() == 0
        assert set(sketch.unique().tolist()) <= {0.0, 1.0}
        assert least <= (sketch.amax((1, 2, 3)) > 0).sum() <= most


def test_the_teachers_edges_are_used_where_there_are_some() -> None:
    image = torch.zeros(2, 3, 64, 64)  # nothing to detect here
    sketch = sketch_batch(image, bars(2), torch.tensor([True, False]), torch.ones(2, 1, 64, 64), generator(), share=1)
    assert sketch[0].sum() > 0
    assert sketch[1].sum() == 0


def test_equal_seeds_draw_the_same_sketch() -> None:
    image, known = torch.rand(4, 3, 64, 64, generator=generator()), torch.tensor([True, False, True, False])
    one, two = (sketch_batch(image, bars(4), known, square(4), generator(5)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, sketch_batch(image, bars(4), known, square(4), generator(6)))


def test_sketches_lie_near_the_true_edges_even_by_a_shaking_hand() -> None:
    teacher = bars(32)
    middle = thin_lines(teacher, 0.3)[0, 0].numpy() > 0
    far = torch.from_numpy(distance_transform_edt(~middle))
    sketch = sketch_batch(
        torch.zeros(32, 3, 64, 64), teacher, torch.ones(32, dtype=torch.bool), teacher * 0 + 1, generator(), 1
    )
    assert far.expand(32, 1, 64, 64)[sketch > 0].max() <= 6
    straight = [not bool(each[0].numpy()[~middle].any()) for each in sketch]
    assert 2 < sum(straight) < 28  # some are drawn as they are, some are not


def test_some_strokes_are_left_out_and_the_others_stay_whole() -> None:
    edges = torch.zeros(1, 1, 96, 96)
    places = [(row, column) for row in range(4, 96, 16) for column in range(4, 90, 16)]
    for row, column in places:  # 36 short strokes
        edges[..., row, column : column + 9] = 1
    kept = keep_strokes(edges, torch.tensor([0.5]), generator())
    sums = [int(kept[0, 0, row, column : column + 9].sum()) for row, column in places]
    assert set(sums) == {0, 9}
    assert 9 <= sum(each == 9 for each in sums) <= 27
    assert torch.equal(keep_strokes(edges, torch.tensor([1.0]), generator()), edges)
    assert keep_strokes(edges, torch.tensor([0.0]), generator()).sum() == 0


def test_of_a_long_stroke_pieces_are_left_out() -> None:
    edges = torch.zeros(8, 1, 16, 512)
    edges[:, :, 8] = 1
    kept = keep_strokes(edges, torch.full((8,), 0.5), generator())[:, 0, 8]
    assert 0.2 < kept.mean() < 0.8
    pieces = (kept[:, 1:] != kept[:, :-1]).sum(1)
    assert (pieces <= 40).all()
    assert pieces.sum() > 0


def test_a_hand_jitter_line_is_moved_and_stays_a_line() -> None:
    line = torch.zeros(1, 1, 64, 64)
    line[..., 32, :] = 1
    moved = hand_jitter(line, torch.tensor([3.0]), generator(1))
    lines = thin_lines(moved, 0.12)[0, 0]
    rows = lines.nonzero()[:, 0]
    assert (rows - 32).abs().max() <= 4
    assert len(rows.unique()) > 2
    assert (lines[:, 3:-3].sum(0) > 0).all()  # without a gap
    torch.testing.assert_close(hand_jitter(line, torch.tensor([0.0]), generator(1)), line)
