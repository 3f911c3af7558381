"""A publisher on localhost with a small LaMa, and a table of public weights that names it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inpaint_core.weights.public import download, registry, table
from inpaint_core.weights.public.registry import Checksum, PublicWeights, PublishedFile
from tests.weights.published import layout, published_state
from tests.weights.publishing import Publisher, published


@pytest.fixture(scope="session")
def small_lama() -> bytes:
    """A pickle of seeded weights in the layout of Big LaMa, of an eighth of its width."""
    file = io.BytesIO()
    torch.save({"state_dict": published_state(layout("lama", 8), gain=1.25)}, file)
    return file.getvalue()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of public weights."""
    monkeypatch.setenv("INPAINT_WEIGHTS", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def publisher(small_lama: bytes, store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """It publishes `lama@small` under "small.pth" with its SHA-256, the only row of the table."""
    monkeypatch.setattr(download, "PAUSE", 0.001)
    with published() as publisher:
        publisher.files["small.pth"] = small_lama
        checksum = Checksum("sha256", hashlib.sha256(small_lama).hexdigest())
        file = PublishedFile(url=publisher.url("small.pth"), name="small.pth", checksum=checksum)
        row = PublicWeights(
            method="lama",
            word="small",
            title="Small LaMa",
            source="localhost",
            files=(file,),
            licence="CC BY-NC 4.0",
            commercial="no",
            trained_on="nothing",
            trained_size=256,
        )
        monkeypatch.setattr(table, "PUBLIC_WEIGHTS", (row,))
        yield publisher


def publish(monkeypatch: pytest.MonkeyPatch, *rows: PublicWeights) -> None:
    """Make these the rows of the table."""
    monkeypatch.setattr(table, "PUBLIC_WEIGHTS", rows)


def changed(**fields: object) -> PublicWeights:
    """The one row, some of its fields (or of its file's) changed."""
    (row,) = registry.rows()
    of_file = {key: value for key, value in fields.items() if key in PublishedFile.__dataclass_fields__}
    of_row = {key: value for key, value in fields.items() if key not in of_file}
    return replace(row, **{"files": (replace(row.files[0], **of_file),), **of_row})  # type: ignore[arg-type]
