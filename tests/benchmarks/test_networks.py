"""The benchmark of networks: their seconds and operations beside the machine's rate of convolution."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from benchmarks import machine, networks


def test_the_machine_has_a_rate_in_both_precisions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SIDE", 32)
    rates = machine.convolution_rates(repeats=1)
    assert list(rates)[:2] == ["cpu float32", "cpu bfloat16"]
    assert all(1e6 < rate < 1e16 for rate in rates.values())
    assert machine.machine({"cpu float32": 2.5e11}).rows == [("cpu float32", "0.25")]


@pytest.mark.parametrize("name", ["glcic", "lama"])
def test_a_network_is_measured_beside_the_rate_of_the_machine(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name != "glcic":  # one in a process of its own is enough
        monkeypatch.setattr(networks, "in_a_fresh_process", lambda function, *arguments: function(*arguments))
    rates = {f"{device} {dtype}": 1e12 for device in ("cpu", "cuda") for dtype in ("float32", "bfloat16")}
    section = networks.networks(rates, sizes=(62,), repeats=1, names=[name])
    (row,) = (dict(zip(section.columns, row, strict=True)) for row in section.rows)
    assert row["side"] == "64"  # the next multiple that the network takes
    assert row["weights"] in ("trained", "random")
    assert 0 < float(row["seconds"]) < float(row["first, s"]) + 0.01
    assert float(row["peak, MB"]) > 1
    share = float(row["TFLOP"]) / float(row["seconds"])
    assert float(row["share of rate"].rstrip("%")) == pytest.approx(100 * share, rel=0.2, abs=2)


def test_every_paper_with_a_feed_forward_network_is_measured() -> None:
    assert {"glcic", "deepfill_v1", "deepfill_v2", "partial_conv", "lama"} <= set(networks.network_names())


def test_the_operations_of_a_convolution_are_those_on_paper() -> None:
    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 8, 3, padding=1)

        def forward(self, image: Tensor, mask: Tensor) -> Tensor:
            return self.layer(image)

    assert networks.operations(Network, 32) == 2 * 9 * 3 * 8 * 32 * 32
