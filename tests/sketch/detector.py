"""A checkpoint of an untrained edge detector, for tests that need one but not what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from inpaint_core import sketch, weights
from inpaint_core.networks.edge_detector import EdgeDetector


def save_untrained(folder: Path) -> Path:
    """Write the checkpoint and its manifest into a folder, and return the folder."""
    torch.manual_seed(0)
    facts: dict[str, Any] = {"command": "", "data": "", "steps": 0, "images_seen": 0, "metrics": {}, "licence": ""}
    weights.save(sketch.DETECTOR, EdgeDetector().state_dict(), {}, folder, **facts)
    return folder
