"""Packs: under their limit, each a fair mixture, read by training as they are."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core.errors import InpaintError
from train.core.photo_bank import PhotoBank
from train.tools.pack import Config, main


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, Path]:
    """Forty noisy red photos and forty noisy blue ones, of which ten have edge maps."""
    noise = np.random.default_rng(0)
    for channel, folder in ((0, "red"), (2, "blue")):
        (tmp_path / folder).mkdir()
        for number in range(40):
            pixels = noise.integers(0, 60, (80, 100, 3), dtype=np.uint8)
            pixels[..., channel] += 180
            Image.fromarray(pixels).save(tmp_path / folder / f"{folder}{number:02d}.png")
    (tmp_path / "edges").mkdir()
    for number in range(10):
        Image.new("L", (100, 80), 255).save(tmp_path / "edges" / f"red{number:02d}.png")
    return tmp_path / "red", tmp_path / "blue"


def test_packs_stay_under_their_limit_and_the_first_is_a_fair_mixture(
    sources: tuple[Path, Path], tmp_path: Path
) -> None:
    packs = main(Config(data=sources, out=tmp_path / "packs", size=64, limit_mb=0.1))
    assert len(packs) > 2
    assert all(pack.stat().st_size <= 100_000 for pack in packs)
    first = PhotoBank.load([packs[0]])
    reds = sum(bool((photo[:, 0] > photo[:, 2]).float().mean() > 0.5) for photo in first.pixels.float().split(64 * 80))
    assert 0.25 < reds / len(first) < 0.75
    names = []
    for pack in packs:
        with tarfile.open(pack) as tar:
            names += tar.getnames()
    assert len(names) == len(set(names)) == 80


def test_a_folder_of_packs_is_a_source_of_training_and_edges_match(sources: tuple[Path, Path], tmp_path: Path) -> None:
    options = {"edges": (tmp_path / "edges",), "edges_out": tmp_path / "packed_edges"}
    main(Config(data=sources, out=tmp_path / "packs", size=64, **options))
    bank = PhotoBank.load([tmp_path / "packs"], [tmp_path / "packed_edges"])
    assert len(bank) == 80
    assert set(bank.height.tolist()) == {64}
    assert int(bank.has_edges.sum()) == 10


def test_bad_calls_are_refused(sources: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="not empty"):
        main(Config(data=sources, out=sources[0]))
    with pytest.raises(InpaintError, match="together"):
        main(Config(data=sources, out=tmp_path / "new", edges=sources))
    with pytest.raises(InpaintError, match="--limit-mb"):
        main(Config(data=sources, out=tmp_path / "new", limit_mb=0))
