"""A checkpoint of an untrained edge detector, for tests that need one but not what it finds."""

from __future__ import annotations

from pathlib import Path

import torch

from inpaint_core import sketch, weights
from inpaint_core.networks.edge_detector import EdgeDetector
from tests.provenance import UNTRAINED


def save_untrained(folder: Path) -> Path:
    """Write the checkpoint and its manifest into a folder, and return the folder."""
    torch.manual_seed(0)
    weights.save(sketch.DETECTOR, EdgeDetector().state_dict(), {}, folder, **UNTRAINED)
    return folder
