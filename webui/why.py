"""Pictures of what a method did: where it cropped, where its patches came from, and its other named results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from inpaint_core import Result
from webui.files import save_png
from webui.pictures import resized

SIDE = 640  # the longer side of a picture, at most
MAX_PICTURES = 16
MAX_LAYERS = 8  # of the many layers of a network, spread over its depth


def pictures(image: np.ndarray, result: Result, new_path: Callable[[str], Path]) -> list[tuple[str, str]]:
    """Path and caption of each picture, for a gallery.

    Args:
        image: the photo as handed to the method, uint8 H x W x 3.
        result: of `inpaint_core.inpaint`.
        new_path: gives a new file name for a suffix.
    """
    drawn = [("What the method saw: its crops", _crops(image, result.details.get("crops", [])))]
    drawn += _drawn(result.details)
    return [(str(save_png(_fit(picture), new_path(".png"))), caption) for caption, picture in drawn[:MAX_PICTURES]]


def colour_wheel(offsets: np.ndarray) -> np.ndarray:
    """A field of vectors as colours: the hue is the direction, the strength the length.

    Args:
        offsets: 2 x H x W, rows then columns; zero where there is none.

    Returns:
        uint8 H x W x 3, white where the vector is zero.
    """
    down, right = offsets.astype(np.float32)
    length = np.hypot(down, right)
    longest = max(float(np.percentile(length[length > 0], 99)), 1e-6) if (length > 0).any() else 1.0
    hue = np.degrees(np.arctan2(down, right)) % 360
    strength = np.clip(length / longest, 0, 1)
    hsv = np.stack([hue, np.where(length > 0, 0.15 + 0.85 * strength, 0), np.full_like(hue, 0.97)], axis=-1)
    return np.rint(cv2.cvtColor(hsv.astype(np.float32), cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)


def _crops(image: np.ndarray, crops: list[dict[str, Any]]) -> np.ndarray:
    """The photo in small, dimmed outside of the crops, with a frame around each."""
    small = _fit(image)
    scale = small.shape[1] / image.shape[1]
    boxes = [
        [round(side * scale) for side in (box.left, box.top, box.right, box.bottom)]
        for box in (crop["box"] for crop in crops)
    ]
    shown = (small * 0.4).astype(np.uint8)
    for left, top, right, bottom in boxes:
        shown[top:bottom, left:right] = small[top:bottom, left:right]
    for left, top, right, bottom in boxes:
        cv2.rectangle(shown, (left, top), (max(left, right - 1), max(top, bottom - 1)), (255, 180, 40), 2)
    return shown


def _drawn(details: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Every array among the details as a picture with its caption, single ones before those of many layers."""
    for name, value in sorted(details.items(), key=lambda item: isinstance(item[1], (list, tuple))):
        if isinstance(value, dict):
            yield from _drawn(value, f"{prefix}{name}: ")
            continue
        if isinstance(value, (list, tuple)) and value and all(hasattr(each, "shape") for each in value):
            shown = sorted({round(index) for index in np.linspace(0, len(value) - 1, MAX_LAYERS)})
            yield from _drawn({f"{name} {index + 1} of {len(value)}": value[index] for index in shown}, prefix)
            continue
        array = _array(value)
        if array is None:
            continue
        caption = prefix + name.replace("_", " ")
        if array.shape[0] == 2:
            if name == "flow":  # positions; the wheel shows how far away they are
                array = array - np.indices(array.shape[1:], np.float32)
            yield caption + " (colour: where the patch came from)", colour_wheel(array)
        elif array.shape[0] == 3:
            yield caption, np.rint(array.clip(0, 1).transpose(1, 2, 0) * 255).astype(np.uint8)
        else:
            yield caption, _heat(array.mean(axis=0))


def _array(value: Any) -> np.ndarray | None:
    """A tensor or array of the first sample as float32 C x H x W, or None for what is no picture."""
    if hasattr(value, "detach"):
        value = value.detach().float().cpu().numpy()
    if not isinstance(value, np.ndarray) or value.ndim not in (2, 3, 4) or min(value.shape[-2:]) < 2:
        return None
    array = value[0] if value.ndim == 4 else value
    return (array[None] if array.ndim == 2 else array).astype(np.float32)


def _heat(plane: np.ndarray) -> np.ndarray:
    """H x W numbers as colours from dark (least) to bright (most)."""
    low, high = float(plane.min()), float(plane.max())
    scaled = np.rint((plane - low) / max(high - low, 1e-9) * 255).astype(np.uint8)
    return cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)


def _fit(picture: np.ndarray) -> np.ndarray:
    """At most SIDE pixels on the longer side, at least a third of it, so that a small map can be seen."""
    longest = max(picture.shape[:2])
    scale = SIDE / longest if longest > SIDE else max(1, SIDE // 3 // longest)
    return resized(picture, (max(1, round(picture.shape[0] * scale)), max(1, round(picture.shape[1] * scale))))
