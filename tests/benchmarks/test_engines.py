"""The benchmark of engines: every one runs, and is compared with torch."""

from __future__ import annotations

import pytest

pytest.importorskip("openvino", reason="OpenVINO is not installed here")

from benchmarks import engines
from inpaint_core.methods.engines import winograd_networks


def test_every_engine_is_measured_beside_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "in_a_fresh_process", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(engines, "NETWORKS", {"small": ("lama", {"width": 8, "blocks": 1})})
    monkeypatch.setattr(winograd_networks, "LEAST_CHANNELS", 1)
    section = engines.engines(repeats=1, side=64)
    rows = [dict(zip(section.columns, row, strict=True)) for row in section.rows]
    assert [row["engine"] for row in rows] == list(engines.ENGINES)
    assert rows[0]["torch's over this"] == "1.00"
    assert all(float(row["peak, MB"]) >= 0 for row in rows)


def test_each_engine_is_the_one_it_is_named_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "NETWORKS", {"small": ("lama", {"width": 8, "blocks": 1})})
    monkeypatch.setattr(winograd_networks, "LEAST_CHANNELS", 1)
    ran: list[int] = []
    convolve = winograd_networks.convolve
    monkeypatch.setattr(winograd_networks, "convolve", lambda *given: ran.append(1) or convolve(*given))
    for engine in engines.ENGINES:
        ran.clear()
        output = engines._filler("small", engine, 64)()
        assert bool(ran) == engine.startswith("winograd")
        assert output.shape == (1, 3, 64, 64)
