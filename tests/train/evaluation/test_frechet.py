"""What is measured and shown of samples that are drawn from nothing."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from train.evaluation.frechet import SampleCheck
from train.evaluation.photos import read_photos


def photos(folder: Path, first: int) -> Tensor:
    """32 photos from the `first` on: 32 x 3 x 64 x 64."""
    pixels = [photo.pixels for photo in read_photos([folder], 64, first + 32)][first:]
    return torch.stack([torch.from_numpy(each.copy()) for each in pixels]).permute(0, 3, 1, 2).float() / 255


def test_the_frechet_distance_is_small_for_photos_and_large_for_noise(shared: Path, tmp_path: Path) -> None:
    source = shared / "data" / "bsds500-val.tar"
    check = SampleCheck(tmp_path, photos(source, 0), lambda count: photos(source, 32)[:count])
    near = check.measure(None, 1, 1)["samples_64"]["frechet"]
    check.draw = lambda count: torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    far = check.measure(None, 2, 2)["samples_64"]["frechet"]
    assert far > 3 * near > 0
    assert len((tmp_path / "validation.jsonl").read_text().splitlines()) == 2


def test_the_grid_shows_the_samples_in_rows(shared: Path, tmp_path: Path) -> None:
    def draw(count: int) -> Tensor:
        return torch.linspace(0, 1, count).view(-1, 1, 1, 1).expand(-1, 3, 32, 32)

    path = SampleCheck(tmp_path, draw(4), draw).grid(None, 7)
    assert path.name == "0000007.png"
    picture = Image.open(path)
    assert picture.size == (16 * 32, 8 * 32)
    assert picture.getpixel((0, 0)) == (0, 0, 0)
    assert picture.getpixel((511, 255)) == (255, 255, 255)
