"""Training the autoencoder, and what its small and large exports say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inpaint_core import weights
from tests.train.runs import SIZE, train
from train import autoencoder
from train.core import export


def test_the_export_of_a_large_network_is_int8_with_the_figures_of_the_stored_weights(
    shared: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "LARGEST_FILE", 10_000)  # lowered, so that a small network counts as a large one
    monkeypatch.setattr(export, "STATISTICS_BATCHES", 2)
    train(autoencoder, photos, tmp_path, val_small=(photos,), steps=4, lr=1e-2, width=4, export=True)
    record = weights.records(tmp_path / "export")["autoencoder"]
    assert record.dtype == "int8"
    figures = [json.loads(line) for line in (tmp_path / "validation.jsonl").read_text().splitlines()]
    assert len(figures) == 2, "of the weights as they are, then as they are stored"
    assert record.metrics[f"centre_{SIZE}"] == figures[-1][f"centre_{SIZE}"]


def test_the_manifest_has_the_recipe(photos: Path, tmp_path: Path) -> None:
    masks = (("centre", 1.0), ("narrow", 0.5))
    train(autoencoder, photos, tmp_path, steps=1, width=4, masks=masks, export=True, stored="int8")
    record = weights.records(tmp_path / "export")["autoencoder"]
    assert record.extra["recipe"]["masks"] == [["centre", 1.0], ["narrow", 0.5]]
    assert record.arguments == {"width": 4, "encoder": "plain"}
    assert record.dtype == "int8"
