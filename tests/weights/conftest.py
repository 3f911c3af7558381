"""A publisher on localhost with a small LaMa, and a table of public weights that names it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inpaint_core.weights.public import registry, table
from inpaint_core.weights.public.published import PublicWeights, PublishedFile
from tests.weights.publishing import Publisher
from tests.weights.small_lama import published_small_lama


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of public weights."""
    monkeypatch.setenv("INPAINT_WEIGHTS", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def publisher(store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """As `published_small_lama`, and an empty folder to fetch into."""
    with published_small_lama(monkeypatch) as publisher:
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
