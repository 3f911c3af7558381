"""Fixtures of the training tests: a folder of small photos, and a fresh accelerate state for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image


@pytest.fixture(autouse=True)
def fresh_accelerate() -> Iterator[None]:
    """accelerate keeps precision and process group in a singleton; two engines of a test run may differ."""
    AcceleratorState._reset_state(reset_partial_state=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the same sums in the same order in every process
    yield
    torch.set_num_threads(threads)
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six smooth pictures of different sizes, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    for i in range(6):
        small = Image.fromarray(random.integers(0, 255, (5, 5, 3), dtype=np.uint8))
        small.resize((64 + 8 * i, 72), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="session")
def one_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one photo of 64 x 64 px, the same mirrored: every crop of that size shows the same."""
    folder = tmp_path_factory.mktemp("one_photo")
    left = np.random.default_rng(0).integers(0, 255, (4, 2, 3), dtype=np.uint8)
    both = Image.fromarray(np.concatenate((left, left[:, ::-1]), axis=1))
    both.resize((64, 64), Image.Resampling.BICUBIC).save(folder / "photo.png")
    return folder
