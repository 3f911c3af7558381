"""A sketch guides PatchMatch: what is drawn becomes an edge of the photo, with the photo's textures on both sides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

import inpaint_core
from inpaint_core.methods.base import FillContext, Filled
from inpaint_core.methods.patchmatch import PatchMatch
from inpaint_core.methods.patchmatch.diffusion import membrane
from inpaint_core.methods.patchmatch.guidance import find_straight_lines

SIZE = 96
ROW, COLUMN = np.mgrid[:SIZE, :SIZE]


def tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.atleast_3d(array).astype(np.float32).transpose(2, 0, 1)[None])


def landscape(border: np.ndarray) -> np.ndarray:
    """Bright grain above a border (a row for each column), dark grain below."""
    grain = np.random.default_rng(0).random((SIZE, SIZE, 1)) * 0.1
    return np.where((border > ROW)[..., None], (0.6, 0.75, 0.9), (0.35, 0.25, 0.1)) + grain


def line(points: list[tuple[int, int]]) -> np.ndarray:
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    cv2.polylines(canvas, [np.array(points)], False, 1)
    return canvas > 0


def square(start: int = 24, stop: int = 72) -> np.ndarray:
    hole = np.zeros((SIZE, SIZE), bool)
    hole[start:stop, start:stop] = True
    return hole


def filled(image: np.ndarray, hole: np.ndarray, sketch: np.ndarray, edges: np.ndarray) -> np.ndarray:
    context = FillContext(sketch=tensor(sketch), edges=tensor(edges))
    result = PatchMatch().fill(tensor(np.where(hole[..., None], 0.5, image)), tensor(hole), context)
    return result.image[0].permute(1, 2, 0).numpy()


def test_a_drawn_peak_gets_the_photo_s_textures_on_both_sides() -> None:
    flat = np.full(SIZE, 60)
    image, hole, edges = landscape(flat), square(), line([(0, 60), (SIZE - 1, 60)])
    peak = np.interp(np.arange(SIZE), (24, 48, 71), (60, 30, 60))
    sketch = line([(24, 60), (48, 30), (71, 60)]) & hole
    result = filled(image, hole, sketch, edges & ~hole)
    is_sky = result[..., 2] > result[..., 0]
    assert (is_sky == (peak > ROW))[hole].mean() > 0.93
    assert (is_sky == (flat > ROW))[hole].mean() < 0.8
    assert abs(result[hole & (peak - 4 > ROW)].std(0).mean() / image[ROW < 58].std(0).mean() - 1) < 0.3
    assert np.array_equal(result[~hole], image.astype(np.float32)[~hole])


@pytest.mark.parametrize("what", ["nothing", "a pixel", "everything", "outside"])
def test_odd_sketches_are_filled(what: str) -> None:
    image, hole = landscape(np.full(SIZE, 48)), square()
    sketch = np.zeros((SIZE, SIZE), bool)
    if what == "a pixel":
        sketch[48, 48] = True
    elif what != "nothing":
        sketch[:] = hole if what == "everything" else ~hole
    result = filled(image, hole, sketch, line([(0, 48), (SIZE - 1, 48)]) & ~hole)
    assert np.isfinite(result).all()
    if what in ("nothing", "outside"):
        plain = PatchMatch().fill(tensor(np.where(hole[..., None], 0.5, image)), tensor(hole)).image
        assert np.array_equal(result, plain[0].permute(1, 2, 0).numpy())


def test_a_straight_stroke_between_two_edges_of_the_photo_is_a_rail() -> None:
    hole, horizon = square(), line([(0, 40), (SIZE - 1, 40)])
    (line_found,) = find_straight_lines(horizon & hole, horizon & ~hole, hole)
    assert abs(line_found.row - 40) < 0.5
    assert abs(line_found.right) == pytest.approx(1)
    bent = line([(24, 40), (48, 50), (71, 40)]) & hole
    assert find_straight_lines(bent, horizon & ~hole, hole) == ()
    assert find_straight_lines(horizon & square(30, 66), horizon & ~hole, hole) == ()  # its ends meet nothing


def test_a_membrane_is_held_apart_by_a_line() -> None:
    image = np.where((ROW < 48)[..., None], (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)).astype(np.float32)
    hole = square()
    result = membrane(np.where(hole[..., None], np.float32(0.5), image), hole, line([(0, 48), (SIZE - 1, 48)]))
    assert result[hole & (ROW < 44)][:, 0].min() > 0.9
    assert result[hole & (ROW > 52)][:, 2].min() > 0.9


def test_a_refinement_gets_the_sketch_and_the_photo_s_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[FillContext] = []

    def fill(self: PatchMatch, image: Tensor, mask: Tensor, context: FillContext) -> Filled:
        seen.append(context)
        return Filled(image)

    monkeypatch.setattr(PatchMatch, "fill", fill)
    image, hole = (landscape(np.full(SIZE, 60)) * 255).astype(np.uint8), square()
    inpaint_core.inpaint(image, hole, "telea", line([(24, 60), (71, 60)]) & hole, "cpu", refine="patchmatch")
    (context,) = seen
    assert context.sketch is not None
    assert context.sketch.sum() >= 40
    assert context.edges is not None
    drawn = context.edges[0, 0].numpy() > 0
    assert not drawn[hole].any()
    assert drawn[~hole].sum() > 30  # the horizon beside the hole
    assert (np.abs(np.nonzero(drawn)[0] - 60) <= 3).mean() > 0.8
