"""A hole too wide for one pass is filled in steps: the structure of the smaller fill, the detail of the larger."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch

import inpaint_core
from inpaint_core.methods.base import FillContext, Filled
from inpaint_core.predictor import FillOptions, estimate, fill
from tests.predictor.samples import Declared, noise, use


class Striped(Declared):
    """The smaller the tensor, the darker the fill; always with lines of one pixel."""

    def fill(self, image, mask, context=FillContext()):
        super().fill(image, mask, context)
        filled = torch.full_like(image, 0.1 + 0.6 * image.shape[2] / 320)
        filled[..., ::2] += 0.2
        return Filled(filled)


def hole_of(side: int, size: int) -> np.ndarray:
    mask = np.zeros((size, size), bool)
    start = (size - side) // 2
    mask[start : start + side, start : start + side] = True
    return mask


def run(monkeypatch, mask, **attributes):
    method = Striped(**attributes)
    use(monkeypatch, method)
    return inpaint_core.inpaint(noise(*mask.shape), mask, "ns"), method


def test_the_structure_is_that_of_the_smallest_step_and_the_detail_that_of_the_largest(monkeypatch):
    mask = hole_of(200, 320)
    once, _ = run(monkeypatch, mask)
    result, method = run(monkeypatch, mask, coherent_depth=50)
    assert [shape[2:] for shape in method.shapes] == [(160, 160), (320, 320)]
    deep = np.s_[110:210, 110:210]
    darkest = 255 * (0.1 + 0.6 * 160 / 320 + 0.1)  # the mean of the first step's lines
    assert result.image[deep].mean() == pytest.approx(darkest, abs=3)
    lines = result.image[110:210, 110:210:2].astype(float) - result.image[110:210, 111:210:2]
    assert lines.mean() == pytest.approx(0.2 * 255, abs=3)
    assert once.image[deep].mean() > darkest + 60
    assert result.details["scale"] == 1
    assert "2 steps, at 50% and 100%" in result.details["notes"][0]


@pytest.mark.parametrize("attributes", [{}, {"max_pixels": 320 * 320}])
def test_a_hole_that_fits_is_filled_as_ever(monkeypatch, attributes):
    mask = hole_of(200, 320)
    expected, _ = run(monkeypatch, mask)
    result, method = run(monkeypatch, mask, coherent_depth=100, **attributes)
    assert len(method.shapes) == 1
    assert np.array_equal(result.image, expected.image)
    assert result.details["notes"] == []


def test_a_crop_that_must_be_shrunk_comes_nearer_to_the_photos_size_in_steps(monkeypatch):
    mask = hole_of(200, 600)
    shrunk, method = run(monkeypatch, mask, max_pixels=200 * 200)
    assert len(method.shapes) == 1
    result, method = run(monkeypatch, mask, max_pixels=200 * 200, coherent_depth=128)
    assert len(method.shapes) == 2
    assert all(shape[2] * shape[3] <= 200 * 200 for shape in method.shapes)
    assert result.details["scale"] > 1.8 * shrunk.details["scale"]
    assert result.details["box"].height < shrunk.details["box"].height
    assert np.array_equal(result.image[~mask], noise(600, 600)[~mask])


def test_every_step_is_reported_and_the_work_ends_where_it_is_stopped(monkeypatch):
    class Stopped(Exception):
        pass

    seen: list[tuple[float, str]] = []

    def stop(share: float, text: str) -> None:
        seen.append((share, text))
        if "Step 1" in text:
            raise Stopped

    shown: list[np.ndarray] = []
    mask, method = hole_of(200, 320), Striped(coherent_depth=25)
    use(monkeypatch, method)
    with pytest.raises(Stopped):
        fill(noise(320, 320), mask, "ns", progress=stop)
    assert len(method.shapes) == 1
    assert seen[-1][0] == pytest.approx(1 / (1 + 4 + 16))  # of three steps, each with four times the pixels
    result = fill(
        noise(320, 320), mask, "ns", progress=lambda share, text: seen.append((share, text)), preview=shown.append
    )
    shares = [share for share, _ in seen[2:]]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shown) == 2
    assert not np.array_equal(shown[0], shown[1])
    assert np.array_equal(shown[0][~mask], result.image[~mask])


@pytest.mark.parametrize("attributes", [{"coherent_depth": 30}, {"coherent_depth": 100, "max_pixels": 200 * 200}])
def test_the_estimate_counts_every_step(monkeypatch, attributes):
    mask = hole_of(200, 600)
    _, method = run(monkeypatch, mask, **attributes)
    assert len(method.shapes) > 1
    module = importlib.import_module("inpaint_core.predictor.estimate")  # its function has the same name
    monkeypatch.setattr(module, "instance", lambda name: method)
    monkeypatch.setattr(module, "LEAST_SHARE", 0)
    pixels = sum(shape[2] * shape[3] for shape in method.shapes)
    cost = inpaint_core.catalogue.get("ns").cost * pixels / 512**2
    assert estimate(mask, "ns", FillOptions()) == pytest.approx(cost, rel=0.1)


def test_a_thin_stroke_is_not_wide_however_long_it_is(monkeypatch):
    mask = np.zeros((320, 320), bool)
    mask[100:120, 10:310] = True
    _, method = run(monkeypatch, mask, coherent_depth=20)
    assert len(method.shapes) == 1
