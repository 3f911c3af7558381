"""Fixtures of every test: where the shared research photos are, and a small photo that always exists."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# What tests replace in this process would not be replaced in a worker; those of the workers ask for them.
os.environ.setdefault("INPAINT_WORKERS", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as app.py and the command line do, before torch is loaded
# Public weights that lie in the cache of whoever runs the tests must not change what they see.
os.environ["INPAINT_WEIGHTS"] = os.path.join(tempfile.gettempdir(), "inpaint-tests-have-no-public-weights")
if (SHARED / "torch_home").is_dir():  # real LPIPS features, offline
    os.environ.setdefault("TORCH_HOME", str(SHARED / "torch_home"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of research photos and golden files beside the checkout; the test is skipped without it."""
    if not SHARED.is_dir():
        pytest.skip("the shared research data is not beside this checkout")
    return SHARED


@pytest.fixture(autouse=True)
def short_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds for every method holds for latent search however long it searches."""
    from inpaint_core.methods import latent_search

    monkeypatch.setattr(latent_search, "STEPS", 12)
    monkeypatch.setattr(latent_search, "RESTARTS", 2)


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A real photo, uint8 512 x 512 x 3 (public domain, shipped with scikit-image)."""
    from skimage import data

    return data.astronaut()
