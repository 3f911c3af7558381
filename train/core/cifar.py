"""CIFAR-10 as its owners hand it out: pickled batches or binary ones, read without running what a pickle might hold."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

SIDE = 32
VALUES = 3 * SIDE * SIDE  # of a photo: all of red row by row, then green, then blue
TRAINING, TEST = "data_batch", "test_batch"


class _ArraysOnly(pickle.Unpickler):
    """Unpickles numpy arrays, plain containers and strings, and refuses everything else."""

    ALLOWED: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        # Both names of the same function, before and since numpy 2
        ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
        ("_codecs", "encode"): lambda text, encoding: text.encode(encoding),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"a CIFAR-10 batch has no use for {module}.{name}")
        return self.ALLOWED[module, name]


def is_batch(path: Path) -> bool:
    """Whether a file is named like one of CIFAR-10's batches, pickled or binary."""
    return path.suffix in ("", ".bin") and path.stem.startswith((TRAINING, TEST)) and path.is_file()


def batches(source: Path) -> list[Path]:
    """The batches meant by a file, itself, or by a folder, those of the training set; none if it is no CIFAR-10."""
    if source.is_dir():
        return sorted(path for path in source.glob(f"{TRAINING}_*") if is_batch(path))
    return [source] if is_batch(source) else []


def photos(path: Path) -> np.ndarray:
    """The photos of a batch, uint8 N x 32 x 32 x 3.

    Raises:
        ValueError: it is no CIFAR-10 batch, or a pickle that holds more than arrays.
    """
    data = path.read_bytes()
    if path.suffix == ".bin":
        if len(data) % (VALUES + 1):
            raise ValueError(f"{path} is no binary CIFAR-10 batch: its length is no multiple of {VALUES + 1}")
        values = np.frombuffer(data, np.uint8).reshape(-1, VALUES + 1)[:, 1:]  # the first byte is the label
    else:
        try:
            values = _ArraysOnly(io.BytesIO(data), encoding="bytes").load()[b"data"]
        except (pickle.UnpicklingError, KeyError, TypeError, EOFError, AttributeError, IndexError) as error:
            raise ValueError(f"{path} is no pickled CIFAR-10 batch: {error}") from error
        if not isinstance(values, np.ndarray) or values.dtype != np.uint8 or values.shape[1:] != (VALUES,):
            raise ValueError(f"{path} is no pickled CIFAR-10 batch: its data are not rows of {VALUES} bytes")
    return np.ascontiguousarray(values.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def members(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes (BMP) of each photo of a batch, or of the training batches of a folder."""
    for path in batches(source):
        for number, photo in enumerate(photos(path)):
            file = io.BytesIO()
            Image.fromarray(photo).save(file, "BMP")
            yield f"{path.stem}/{number:05d}.bmp", file.getvalue()
