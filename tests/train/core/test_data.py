"""Photos in memory: shards, broken files, crops that are where they should be."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from inpaint_core.errors import InpaintError
from train.core import photo_bank as banks
from train.core import sources
from train.core.data import CropOptions, PhotoLoader, jitter_colours
from train.core.photo_bank import PhotoBank, cached_bank
from train.core.sources import expand


def shard(path: Path, pictures: dict[str, np.ndarray]) -> Path:
    """A tar of lossless pictures."""
    with tarfile.open(path, "w") as tar:
        for name, pixels in pictures.items():
            stream = io.BytesIO()
            Image.fromarray(pixels).save(stream, "png")
            member = tarfile.TarInfo(name)
            member.size = stream.tell()
            stream.seek(0)
            tar.addfile(member, stream)
    return path


@pytest.fixture
def ramp(tmp_path: Path) -> PhotoBank:
    """One photo whose red is its row and green its column, with an edge map whose value is its row."""
    rows, columns = np.meshgrid(np.arange(40), np.arange(60), indexing="ij")
    pixels = np.stack([rows, columns, np.zeros_like(rows)], 2).astype(np.uint8)
    photos = shard(tmp_path / "photos.tar", {"a.png": pixels, "b.png": pixels[:33, :33]})
    edges = shard(tmp_path / "edges.tar", {"a.png": pixels[..., 0]})
    return PhotoBank.load([photos], [edges])


def square(bank: PhotoBank, top: float, left: float, side: float, mirror: bool, size: int) -> torch.Tensor:
    """A crop of the bank's first photo: 1 x channels x size x size."""
    numbers = torch.tensor([[top], [left], [side]])
    return bank.crops(torch.tensor([0]), numbers[0], numbers[1], numbers[2], torch.tensor([mirror]), size)


def test_broken_and_tiny_files_are_skipped_by_name(photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    bank = PhotoBank.load([photos], least=72)
    assert bank.broken == ["0.png", "broken.jpg"]
    assert len(bank) == 5
    assert "broken.jpg" in caplog.text


def test_edges_belong_to_the_photo_of_the_same_name(ramp: PhotoBank) -> None:
    assert ramp.has_edges.tolist() == [True, False]
    crop = square(ramp, 4.0, 7.0, 32.0, False, 32)
    assert torch.equal(crop[0, 3], crop[0, 0])


@pytest.mark.parametrize("mirror", [False, True])
def test_a_crop_is_the_square_asked_for(ramp: PhotoBank, mirror: bool) -> None:
    crop = square(ramp, 4.0, 7.0, 32.0, mirror, 32)[0] * 255
    columns = torch.arange(7, 39).float()
    assert torch.allclose(crop[0], torch.arange(4, 36).float()[:, None].expand(32, 32))
    assert torch.allclose(crop[1], (columns.flip(0) if mirror else columns).expand(32, 32))


def test_a_reduced_crop_averages_instead_of_skipping(ramp: PhotoBank) -> None:
    crop = square(ramp, 0.0, 0.0, 40.0, False, 20)[0] * 255
    assert torch.allclose(crop[0, :, 0], torch.arange(20) * 2 + 0.5)


def test_a_batch_depends_on_seed_and_step_alone(photos: Path) -> None:
    bank = PhotoBank.load([photos])
    first, again = (PhotoLoader([bank], [1.0], 64, 4, CropOptions(), seed=1) for _ in range(2))
    first(0)
    assert torch.equal(first(5).image, again(5).image)
    assert not torch.equal(first(5).image, first(6).image)


def test_banks_are_drawn_by_weight(ramp: PhotoBank, photos: Path) -> None:
    batch = PhotoLoader([ramp, PhotoBank.load([photos])], [0.0, 1.0], 32, 16, CropOptions())(0)
    assert not batch.edges_known.any()
    assert batch.image.shape == (16, 3, 32, 32)
    assert batch.image.min() >= 0
    assert batch.image.max() <= 1


def test_processes_share_a_batch_without_overlap(photos: Path) -> None:
    bank = PhotoBank.load([photos])
    whole = PhotoLoader([bank], [1.0], 64, 4, CropOptions())(3).image
    parts = [PhotoLoader([bank], [1.0], 64, 4, CropOptions(), process=(rank, 2))(3).image for rank in range(2)]
    assert torch.equal(torch.stack(parts, 1).flatten(0, 1), whole)
    with pytest.raises(InpaintError, match="5 cannot be divided among 2"):
        PhotoLoader([bank], [1.0], 64, 5, CropOptions(), process=(0, 2))


def test_held_out_crops_are_the_same_in_every_process_and_in_no_step(photos: Path) -> None:
    bank = PhotoBank.load([photos])
    loaders = [PhotoLoader([bank], [1.0], 64, 4, CropOptions(), process=(rank, 2)) for rank in range(2)]
    first, second = (loader.held_out(6).image for loader in loaders)
    assert len(first) == 6
    assert torch.equal(first, second)
    assert not any(torch.equal(loaders[0](step).image[0], first[0]) for step in range(4))


def test_crops_smaller_than_the_batch_are_enlarged_smoothly(ramp: PhotoBank) -> None:
    crop = square(ramp, 4.0, 8.0, 16.0, False, 32)[0] * 255
    steps = crop[0, 1:, 0] - crop[0, :-1, 0]
    assert steps.abs().max() <= 0.51  # half a level a pixel, no blocks
    assert crop[0].min() >= 4
    assert crop[0].max() <= 19


def test_zoom_gives_crops_of_all_scales(photos: Path) -> None:
    bank = PhotoBank.load([photos])
    loader = PhotoLoader([bank], [1.0], 64, 32, CropOptions(zoom=0.5, jitter=0))
    assert loader(0).image.shape == (32, 3, 64, 64)


def test_jitter_keeps_grey_grey_and_stays_in_range() -> None:
    grey = torch.full((2, 3, 4, 4), 0.5)
    result = jitter_colours(grey, torch.tensor([[0.0, 0.5, 0.0], [1.0, 0.5, 1.0]]), 0.1)
    assert torch.allclose(result, torch.tensor([0.45, 0.55]).view(2, 1, 1, 1).expand_as(grey))


def test_a_cached_bank_is_the_same_bank_without_decoding(photos: Path, tmp_path: Path) -> None:
    sources = sorted(photos.iterdir())
    first = cached_bank(sources, [], tmp_path)
    files = list(tmp_path.iterdir())
    again = cached_bank(sources, [], tmp_path)
    assert list(tmp_path.iterdir()) == files
    assert torch.equal(first.pixels, again.pixels)
    assert again.broken == ["broken.jpg"]


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\*"):
        expand([tmp_path / "nowhere*"])
    with pytest.raises(FileNotFoundError, match="no photos"):
        PhotoBank.load([tmp_path])


def picture(number: int, suffix: str = "jpeg") -> bytes:
    """A file whose red is its number."""
    stream = io.BytesIO()
    Image.new("RGB", (40, 36), (number, 0, 0)).save(stream, suffix)
    return stream.getvalue()


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def reds(source: Path | str) -> list[int]:
    """Which pictures a source holds."""
    bank = PhotoBank.load(expand([source]))
    return bank.pixels[bank.offset, 0].tolist()


def test_places_as_downloaded_is_a_tar_of_nested_folders_with_splits(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "places.tar", "w") as tar:
        for number, name in enumerate(("train/a/airfield/1.jpg", "train/b/1.jpg", "val/1.jpg")):
            add(tar, f"data_large/{name}", picture(number * 40))
        add(tar, "data_large/readme.txt", b"no picture")
    assert reds(tmp_path / "places.tar") == pytest.approx([0, 40, 80], abs=3)
    assert reds(tmp_path / "places.tar" / "data_large" / "train") == pytest.approx([0, 40], abs=3)
    assert reds(tmp_path / "places.tar" / "data_large/val") == pytest.approx([80], abs=3)
    with pytest.raises(FileNotFoundError, match="no photos"):
        reds(tmp_path / "places.tar" / "data_large/va")


def test_imagenet_as_downloaded_is_a_tar_of_tars_with_suffixes_in_capitals(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "ILSVRC2012_img_train.tar", "w") as tar:
        for number, name in enumerate(("n01440764", "n01443537")):
            stream = io.BytesIO()
            with tarfile.open(fileobj=stream, mode="w") as inner:
                add(inner, f"{name}_10026.JPEG", picture(number * 40 + 40))
            add(tar, f"{name}.tar", stream.getvalue())
    assert reds(tmp_path / "ILSVRC2012_img_train.tar") == pytest.approx([40, 80], abs=3)
    assert reds(tmp_path / "ILSVRC2012_img_train.tar" / "n01443537.tar") == pytest.approx([80], abs=3)


def test_celeba_hq_as_downloaded_is_a_zip_whose_label_maps_stay_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "CelebAMask-HQ.zip", "w") as bundle:
        bundle.writestr("CelebAMask-HQ/CelebA-HQ-img/0.jpg", picture(40))
        bundle.writestr("CelebAMask-HQ/CelebAMask-HQ-mask-anno/0/00000_hair.png", picture(200, "png"))
        bundle.writestr("__MACOSX/CelebAMask-HQ/CelebA-HQ-img/._0.jpg", b"no picture")
    inside = tmp_path / "CelebAMask-HQ.zip" / "CelebAMask-HQ" / "CelebA-HQ-img"
    assert reds(inside) == pytest.approx([40], abs=3)
    first = cached_bank([inside], [], tmp_path / "cache")
    assert len(first) == 1
    both = cached_bank([tmp_path / "CelebAMask-HQ.zip"], [], tmp_path / "cache")
    assert len(both) == 2, "another part of the archive is another bank"
    assert both.broken == []


def test_paris_as_handed_out_is_folders_with_suffixes_in_capitals(tmp_path: Path) -> None:
    for number, name in enumerate(
        ("paris_train_original/1.JPG", "paris_train_original/deeper/2.Jpg", "eval/001_im.PNG")
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number * 40, "png" if path.suffix == ".PNG" else "jpeg"))
    assert reds(tmp_path) == pytest.approx([80, 0, 40], abs=3)
    with tarfile.open(tmp_path / "paris.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "paris_train_original", "paris_train_original")
    assert sorted(reds(tmp_path / "paris.tar.gz")) == pytest.approx([0, 40], abs=3)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        expand([tmp_path / "paris_train_original" / "nowhere"])


def test_photos_beyond_memory_wait_in_a_file_and_are_the_same(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = PhotoBank.load([photos], [photos])
    assert expected.pixels.shape[1] == 4
    monkeypatch.setattr(banks, "IN_MEMORY", 1000)
    monkeypatch.setattr(banks, "AT_A_TIME", 2)
    mapped: list[int] = []
    original = np.memmap

    def remembered(*arguments: Any, **options: Any) -> np.ndarray:
        found = original(*arguments, **options)
        mapped.append(found.ctypes.data)
        return found

    monkeypatch.setattr(np, "memmap", remembered)
    for maps in ([photos], []):
        bank = PhotoBank.load([photos], maps, folder=tmp_path)
        assert torch.equal(bank.pixels, expected.pixels[:, : bank.pixels.shape[1]])
        assert torch.equal(bank.offset, expected.offset)
        assert bank.broken == expected.broken
        assert mapped[-1] == bank.pixels.data_ptr()
    assert torch.equal(cached_bank([photos], [], tmp_path / "cache").pixels, bank.pixels)
    assert list(tmp_path.iterdir()) == [tmp_path / "cache"], "nothing is left behind"


def test_what_is_broken_in_archives_and_folders_is_skipped_counted_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MEMBER_LIMIT", 100_000)
    folder = tmp_path / "photos"
    (folder / "folder.jpg").mkdir(parents=True)
    (folder / "fine.jpg").write_bytes(picture(1))
    os.mkfifo(folder / "pipe.jpg")
    bundle = folder / "bundle.zip"
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("fine.jpg", picture(2))
        archive.writestr("damaged.jpg", picture(3))
        archive.writestr("folder.jpg/", b"")
        archive.writestr("bomb.jpg", bytes(100_001))
    data = bytearray(bundle.read_bytes())
    data[data.index(picture(3)) + 200] ^= 255  # the checksum no longer fits
    bundle.write_bytes(data)
    with tarfile.open(folder / "cut.tar", "w") as tar:
        add(tar, "first.jpg", picture(4))
        add(tar, "second.jpg", picture(5))
    whole = (folder / "cut.tar").read_bytes()
    (folder / "cut.tar").write_bytes(whole[: whole.rindex(picture(5)) + 100])
    bank = PhotoBank.load([folder])
    assert len(bank) == 3
    assert sorted(bank.broken) == ["bomb.jpg", "cut.tar", "damaged.jpg"]


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar"])
def test_a_file_that_only_has_the_name_of_an_archive_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("This is no archive.")
    with pytest.raises(InpaintError, match="not a complete archive"):
        PhotoBank.load([tmp_path / name])
