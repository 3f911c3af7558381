"""The benchmark: that what it prints was measured."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor, nn

import inpaint_core
from benchmarks import fills as benchmark
from benchmarks import networks as network_benchmark
from inpaint_core import weights
from inpaint_core.methods.feed_forward import FeedForward


def test_every_ready_method_is_timed_and_compared_with_ns() -> None:
    section = benchmark.methods(sizes=(48, 64), repeats=1)
    assert [row[0] for row in section.rows] == [method.name for method in inpaint_core.methods() if method.ready]
    ratios = {row[0]: float(row[-1]) for row in section.rows}
    assert ratios["ns"] == 1.0
    assert ratios["patchmatch"] > 1.0


def test_the_machine_has_a_rate_in_both_precisions() -> None:
    rates = benchmark.convolution_rates(repeats=1)
    assert list(rates)[:2] == ["cpu float32", "cpu bfloat16"]
    assert all(1e9 < rate < 1e16 for rate in rates.values())
    section = benchmark.machine({"cpu float32": 2.5e11})
    assert section.rows == [("cpu float32", "0.25")]


def test_a_network_is_measured_beside_the_rate_of_the_machine() -> None:
    rates = {f"{device} {dtype}": 1e12 for device in ("cpu", "cuda") for dtype in ("float32", "bfloat16")}
    section = network_benchmark.networks(rates, sizes=(62,), repeats=1, names=["glcic"])
    (row,) = (dict(zip(section.columns, row, strict=True)) for row in section.rows)
    assert row["side"] == "64"  # the next multiple that the network takes
    assert row["weights"] in ("trained", "random")
    assert 0 < float(row["seconds"]) < float(row["first, s"]) + 0.01
    assert float(row["peak, MB"]) > 1
    share = float(row["TFLOP"]) * 1e12 / float(row["seconds"]) / 1e12
    assert float(row["share of rate"].rstrip("%")) == pytest.approx(100 * share, rel=0.2, abs=2)


def test_every_network_has_its_operations_counted() -> None:
    names = network_benchmark.network_names()
    assert {"glcic", "deepfill_v1", "deepfill_v2", "partial_conv"} <= set(names)
    for name in names:
        method = inpaint_core.catalogue.get(name).build()
        assert isinstance(method, FeedForward)
        side = method.native_size if method.fixed_size else 64
        assert side is not None
        assert network_benchmark.operations(weights.network_class(name), side) > 1e8


def test_the_operations_of_a_convolution_are_those_on_paper() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, image: Tensor, mask: Tensor) -> Tensor:
            return self.layer(image)

    assert network_benchmark.operations(Network, 32) == 2 * 9 * 3 * 8 * 32 * 32


def test_the_peak_of_a_large_photo_covers_the_arrays_it_must_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "LARGE_PHOTO", (1200, 1600))
    (row,) = benchmark.large_photo(repeats=1).rows
    name, fill, whole, idle, peak = row[0], *map(float, row[1:])
    assert name == "telea"
    assert fill < whole
    assert idle > 50
    assert 2 * 3 * 1200 * 1600 / 1e6 < peak < 1000  # the photo and its completed copy at least


def test_the_peak_is_not_inherited_from_the_process_that_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "LARGE_PHOTO", (240, 320))
    ballast = np.ones(1_500_000_000, np.uint8)
    (row,) = benchmark.large_photo(repeats=1).rows
    assert float(row[4]) < 500
    assert ballast[-1] == 1


def test_the_stroke_is_a_brush_stroke() -> None:
    stroke = benchmark.brush_stroke(300, 400)
    assert 0.01 < stroke.mean() < 0.3
    assert not stroke[0].any()


def test_the_rate_of_every_mask_generator_is_printed() -> None:
    from inpaint_core import masks

    section = benchmark.mask_rates(sizes=(32,))
    assert [row[0] for row in section.rows] == list(masks.GENERATORS)
