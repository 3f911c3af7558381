"""A publisher on localhost of a LaMa of an eighth of its width, and a table of public weights that names it alone."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from inpaint_core.weights.public import download, table
from inpaint_core.weights.public.published import Checksum, PublicWeights, PublishedFile
from tests.weights.published import layout, published_state
from tests.weights.publishing import Publisher, published


@functools.cache
def small_lama() -> bytes:
    """A pickle of seeded weights in the layout of Big LaMa."""
    file = io.BytesIO()
    torch.save({"state_dict": published_state(layout("lama", 8), gain=1.25)}, file)
    return file.getvalue()


@contextmanager
def published_small_lama(patch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """It publishes `lama@small` under "small.pth" with its SHA-256, the table's only row until `patch` is undone."""
    content = small_lama()
    with published() as publisher:
        patch.setattr(download, "PAUSE", 0.001)
        publisher.files["small.pth"] = content
        checksum = Checksum("sha256", hashlib.sha256(content).hexdigest())
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
        patch.setattr(table, "PUBLIC_WEIGHTS", (row,))
        yield publisher
