"""Edge maps for training: every photo has one of its size, an interrupted run continues, loaders find the maps."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inpaint_core import sketch
from inpaint_core.errors import InpaintError
from train.core.photo_bank import PhotoBank
from train.edge_detection import maps

pytestmark = pytest.mark.skipif(not sketch.ready(), reason="the edge detector's weights are absent")


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """Two sources whose photos have the same names and sizes."""
    random = np.random.default_rng(0)
    for source in ("scenes", "faces"):
        (tmp_path / source).mkdir()
        for number, size in enumerate(((64, 48), (64, 48), (48, 64))):
            photo = Image.fromarray(random.integers(0, 255, (4, 4, 3), dtype=np.uint8)).resize(size)
            photo.save(tmp_path / source / f"{number}.png")
    return [tmp_path / "scenes", tmp_path / "faces"]


def test_every_photo_has_the_detectors_map_under_its_name(sources: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "maps.tar"
    maps.main(maps.Config(data=tuple(sources), out=out, batch=2, device="cpu"))
    with tarfile.open(out) as tar:
        names = tar.getnames()
        assert names == sorted(f"{source.name}/{number}.png" for source in sources for number in range(3))
        for name in names:
            photo = np.asarray(Image.open(tmp_path / name))
            soft = np.asarray(Image.open(tar.extractfile(name)))  # type: ignore[arg-type]
            expected = sketch.edges(photo, "cpu") * 255
            assert soft.shape == photo.shape[:2]
            np.testing.assert_allclose(soft, expected, atol=4)  # batches may be rounded otherwise in bfloat16
    assert [path.name for path in tmp_path.iterdir() if "maps" in path.name] == ["maps.tar"]
    with pytest.raises(InpaintError, match="another --out"):
        maps.main(maps.Config(data=tuple(sources), out=out, device="cpu"))


def test_an_interrupted_run_keeps_its_finished_maps(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = maps.Config(data=tuple(sources), out=tmp_path / "maps.tar", batch=1, device="cpu")
    evaluated: list[int] = []

    def edge_maps(network: object, photos: np.ndarray) -> np.ndarray:
        if len(evaluated) == 4:
            evaluated.append(0)
            raise KeyboardInterrupt
        evaluated.append(len(photos))
        return np.zeros(photos.shape[:3], np.uint8)

    monkeypatch.setattr(maps, "edge_maps", edge_maps)
    with pytest.raises(KeyboardInterrupt):
        maps.main(config)
    assert not config.out.exists()
    maps.main(config)
    assert sum(evaluated) == 6, "no photo is evaluated twice"
    with tarfile.open(config.out) as tar:
        assert len(tar.getnames()) == 6


def test_photos_of_two_sources_find_their_own_maps(
    sources: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All maps of the first source are black, those of the second white, though names and sizes are the same."""
    levels = iter((0, 0, 0, 255, 255, 255))
    monkeypatch.setattr(maps, "edge_maps", lambda _, photos: np.full(photos.shape[:3], next(levels), np.uint8))
    for source in sources:  # one after the other, so that the order of evaluation is known
        maps.main(maps.Config(data=(source,), out=tmp_path / f"{source.name}.tar", batch=1, device="cpu"))
    edges = [tmp_path / "scenes.tar", tmp_path / "faces.tar"]
    for source, level in zip(sources, (0, 255), strict=True):
        bank = PhotoBank.load([source], edges)
        assert bank.has_edges.all()
        assert torch.equal(bank.pixels[:, 3].unique(), torch.tensor([level], dtype=torch.uint8))
