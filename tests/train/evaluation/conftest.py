"""Fixtures of the evaluation's tests: three small photos, and records whose figures are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image

from train.evaluation.records import FillRecord

MakeRecords = Callable[..., list[FillRecord]]


@pytest.fixture(scope="session")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three small photos, one of them not square, and a file that is none."""
    from skimage import data

    folder = tmp_path_factory.mktemp("three")
    cuts = {"astronaut": data.astronaut()[:300, 100:400], "cat": data.chelsea()[:, :280], "coffee": data.coffee()}
    for name, pixels in cuts.items():
        Image.fromarray(pixels).resize((72 if name == "cat" else 64, 64)).save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def make_records() -> MakeRecords:
    """Makes the records of a method, one a photo, with the same value of every metric that is an error."""

    def make(
        method: str, values: Sequence[float], ratios: Sequence[float] | None = None, masks: str = "box"
    ) -> list[FillRecord]:
        errors = ("l1", "l2", "tv", "ssim", "lpips", "hole_l1", "hole_l2", "hole_ssim", "hole_lpips", "hole_lattice")
        return [
            FillRecord(
                f"{index}.png",
                masks,
                0.2 if ratios is None else ratios[index],
                method,
                0.1 * (index + 1),
                {**dict.fromkeys(errors, value), "psnr": 20.0, "hole_psnr": 14.0},
            )
            for index, value in enumerate(values)
        ]

    return make
