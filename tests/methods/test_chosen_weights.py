"""Weights that the user names: a file that training exported, or a published one in any known layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import inpaint_core
from inpaint_core import InpaintError, weights
from inpaint_core.networks.glcic import CompletionNetwork
from tests.provenance import UNTRAINED
from tests.weights.published import layout, published_state


def test_a_published_file_runs_without_saying_which_layout_it_has(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 72, 3), np.uint8)
    mask = np.zeros((64, 72), bool)
    mask[20:40, 20:40] = True
    for name, method, share in (("lama", "lama", 8), ("deepfill_v2_nipponjo", "deepfill_v2", 6)):
        file = tmp_path / f"{name}.pth"
        torch.save({"state_dict": published_state(layout(name, share))}, file)
        result = inpaint_core.inpaint(image, mask, method, device="cpu", weights=file)
        assert result.image is not None
        assert np.array_equal(result.image[~mask], image[~mask])
        assert not np.array_equal(result.image[mask], image[mask])
        with pytest.raises(InpaintError, match=f"holds weights of {method} .*: choose that method, not glcic"):
            inpaint_core.inpaint(image, mask, "glcic", device="cpu", weights=file)
    with pytest.raises(InpaintError, match="There is no weights file"):
        inpaint_core.inpaint(image, mask, "deepfill_v2", weights=tmp_path / "absent.pth")
    with pytest.raises(InpaintError, match="ns takes no weights"):
        inpaint_core.inpaint(image, mask, "ns", weights=file)


def test_the_user_names_a_file_that_training_exported(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 72, 3), np.uint8)
    mask = np.zeros((64, 72), bool)
    mask[20:40, 20:40] = True
    fills = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        folder = tmp_path / str(seed)
        weights.save("glcic", CompletionNetwork(width=8).state_dict(), {"width": 8}, folder, **UNTRAINED)
        file = folder / "glcic.safetensors"
        fills.append(inpaint_core.inpaint(image, mask, "glcic", device="cpu", weights=file).image)
    assert not np.array_equal(fills[0], fills[1]), "each file's own weights fill"
    with pytest.raises(InpaintError, match="holds weights of glcic: choose that method"):
        inpaint_core.inpaint(image, mask, "deepfill_v2", weights=file)
