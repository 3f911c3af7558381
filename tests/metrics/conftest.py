"""A photo with a damaged copy, SqueezeNet's weights where they are, and a machine without a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_core.metrics import lpips_network


@pytest.fixture
def squeeze_weights() -> None:
    if not (Path(torch.hub.get_dir()) / "checkpoints" / "squeezenet1_1-b8a52dc0.pth").is_file():
        pytest.skip("SqueezeNet's weights are not in torch hub's checkpoints folder")


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Nothing loaded, an empty torch home, and a proxy that refuses every connection."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    lpips_network.forget()
    yield tmp_path
    lpips_network.forget()


@pytest.fixture(scope="module")
def pair(astronaut):
    """A real photo and a damaged copy, uint8 96 x 120 x 3, and the damaged place, bool 96 x 120."""
    reference = np.ascontiguousarray(astronaut[60:156, 160:280])
    hole = np.zeros(reference.shape[:2], bool)
    hole[30:70, 0:45] = True  # touches the border
    noise = np.random.default_rng(0).normal(0, 40, reference.shape)
    image = np.where(hole[..., None], np.clip(reference + noise, 0, 255), reference).astype(np.uint8)
    return image, reference, hole
