"""What a checkpoint made for a test says of its training."""

from __future__ import annotations

from typing import Any

UNTRAINED: dict[str, Any] = {
    "command": "none",
    "data": "none",
    "steps": 0,
    "images_seen": 0,
    "metrics": {},
    "licence": "MIT",
}
