"""Weights that the user names: a file that training exported, or one in a public layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import inpaint_core
from inpaint_core import InpaintError, catalogue, weights
from inpaint_core.networks.glcic import CompletionNetwork
from tests.provenance import UNTRAINED


def planes() -> tuple[Tensor, Tensor]:
    """An image of 64 x 64 pixels and its mask."""
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:40, 30:50] = 1
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)), mask


def test_a_file_in_the_public_layout_runs_as_deepfill_v2(shared: Path, tmp_path: Path) -> None:
    layout = json.loads((shared / "golden" / "deepfill_v2_public_state_dict.json").read_text())
    names = layout.items() if isinstance(layout, dict) else ((entry["name"], entry["shape"]) for entry in layout)
    generator = np.random.default_rng(0)
    state = {name: torch.from_numpy(generator.normal(0, 0.05, shape).astype(np.float32)) for name, shape in names}
    torch.save({"G": state}, tmp_path / "states.pth")
    method = catalogue.get("deepfill_v2").build(tmp_path / "states.pth")
    assert method.fill(*planes()).image.isfinite().all()
    torch.save({"G": CompletionNetwork(width=4).state_dict()}, tmp_path / "other.pth")
    with pytest.raises(InpaintError, match="not public weights"):
        catalogue.get("deepfill_v2").build(tmp_path / "other.pth").fill(*planes())


def test_the_user_names_a_file_of_public_weights(shared: Path, tmp_path: Path) -> None:
    layout = json.loads((shared / "golden" / "deepfill_v2_public_state_dict.json").read_text())
    torch.save({"G": {name: torch.full(shape, 0.01) for name, shape in layout.items()}}, tmp_path / "public.pth")
    image = np.random.default_rng(0).integers(0, 256, (64, 72, 3), np.uint8)
    mask = np.zeros((64, 72), bool)
    mask[20:40, 20:40] = True
    result = inpaint_core.inpaint(image, mask, "deepfill_v2", device="cpu", weights=tmp_path / "public.pth")
    assert result.image is not None
    assert np.array_equal(result.image[~mask], image[~mask])
    with pytest.raises(InpaintError, match="takes no weights"):
        inpaint_core.inpaint(image, mask, "glcic", weights=tmp_path / "public.pth")
    with pytest.raises(InpaintError, match="There is no weights file"):
        inpaint_core.inpaint(image, mask, "deepfill_v2", weights=tmp_path / "absent.pth")


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
