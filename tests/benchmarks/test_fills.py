"""The benchmark of methods and of a large photo: that what it prints was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import fills
from inpaint_core import catalogue


def test_every_ready_method_is_timed_and_compared_with_ns(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [catalogue.get(name) for name in ("ns", "telea", "patchmatch", "autoencoder")]
    some.append(replace(some[-1], name="one_without_weights"))
    monkeypatch.setattr(fills.catalogue, "methods", lambda: some)
    section = fills.methods(sizes=(48, 64), repeats=1)
    assert [row[0] for row in section.rows] == [method.name for method in some if method.ready]
    assert len(section.rows) < len(some)
    ratios = {row[0]: float(row[-1]) for row in section.rows}
    assert ratios["ns"] == 1.0
    assert ratios["patchmatch"] > 1.0


def test_the_peak_of_a_large_photo_covers_its_arrays_and_none_of_the_process_that_measures() -> None:
    ballast = np.ones(1_500_000_000, np.uint8)
    (row,) = fills.large_photo(repeats=1, size=(1200, 1600)).rows
    name, fill, whole, idle, peak = row[0], *map(float, row[1:])
    assert name == "telea"
    assert fill < whole
    assert idle > 50
    assert 2 * 3 * 1200 * 1600 / 1e6 < peak < 500  # the photo and its completed copy at least
    assert ballast[-1] == 1


def test_the_stroke_is_a_brush_stroke() -> None:
    stroke = fills.brush_stroke(300, 400)
    assert 0.01 < stroke.mean() < 0.3
    assert not stroke[0].any()


def test_a_large_hole_is_timed_as_a_share_of_the_first_method() -> None:
    first, second = fills.large_hole(repeats=1, size=(240, 320), pixels=6400).rows
    assert first[0] == "telea"
    assert [float(each) for each in first[-2:]] == [1.0, 1.0]
    assert float(second[-1]) > 1.0
