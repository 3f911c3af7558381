"""Measure what a sketch is worth: the same holes filled with and without the photo's own edges drawn in.

The catalogue's weights: python -m train.evaluation.sketch_effect --photos photos256-val-00.tar --photos FACES.tar

A run's weights:         ... --weights runs/deepfill_v2/export --edges-from checkpoints

For each source of photos: LPIPS of the fill with the true edges (those of the edge detector, thin, inside the hole)
over LPIPS without, and how much of the drawn lines can be found in the fill: the share of the sketch's pixels with an
edge of the fill within two pixels, as the same detector sees the completed photo. The recall without a sketch is what
chance and the surroundings give.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

import inpaint_core
from inpaint_core import metrics, sketch, weights
from inpaint_core.errors import InpaintError
from train.core.cli import run_cli
from train.core.config import Paths
from train.core.sources import expand
from train.evaluation.contact_sheet import Row, draw_sheet
from train.evaluation.photos import Photo, mask_for, read_photos
from train.evaluation.tables import markdown_table

TOLERANCE = 2  # pixels
FEWEST = 20  # pixels of lines in a hole: with fewer there is nothing to follow
METHOD = "deepfill_v2"
ON_A_SHEET, CELL = 8, 192  # photos of each source, and the side of a picture in pixels
HEADS = ("photos", "n", "LPIPS without", "with sketch", "ratio", "edge recall without", "with sketch")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Whose weights are measured, on what, with which holes."""

    photos: Paths  # folder, tar shard or quoted pattern
    weights: Path | None = None  # folder with the generator's weights; default: the catalogue's
    edges_from: Path | None = None  # folder with the edge detector's weights
    masks: str = "free_form"  # centre, box, free_form, irregular@10-20 (%), ...
    limit: int | None = None  # at most this many photos of each source
    sheet: Path | None = None  # write a sheet of eight photos of each source
    seed: int = 0  # of the masks


@dataclass(frozen=True)
class SketchEffect:
    """A photo's hole filled without and with its edges: LPIPS and the recall of the edges of both."""

    lpips: tuple[float, float]
    recall: tuple[float, float]


def recall(wanted: np.ndarray, found: np.ndarray, tolerance: int = TOLERANCE) -> float:
    """The share of the pixels of `wanted`, bool H x W, that have one of `found` within `tolerance` pixels.

    Raises:
        ValueError: nothing is wanted.
    """
    if not wanted.any():
        raise ValueError("there are no edges to find")
    distance = cv2.distanceTransform((~found).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((distance[wanted] <= tolerance).mean()) if found.any() else 0.0


def thin_edges(pixels: np.ndarray) -> np.ndarray:
    """The detector's edges of a photo, uint8 H x W x 3, thinned: bool H x W."""
    return sketch.thin(sketch.edges(pixels, "cpu"))


def effect(
    pixels: np.ndarray, hole: np.ndarray, lines: np.ndarray, fills: tuple[np.ndarray, np.ndarray]
) -> SketchEffect:
    """The figures of a photo that was completed without and with `lines`.

    Args:
        pixels: the photo, uint8 H x W x 3.
        hole, lines: bool H x W.
        fills: both completed photos, uint8 H x W x 3.
    """
    without, with_sketch = (metrics.measure(fill, pixels, hole)["lpips"] for fill in fills)
    return SketchEffect(
        (without, with_sketch), (recall(lines, thin_edges(fills[0])), recall(lines, thin_edges(fills[1])))
    )


def table_row(name: str, effects: Sequence[SketchEffect]) -> list[str]:
    """The cells of a source of photos: means, and the ratio of the means of LPIPS."""
    without, with_sketch = np.mean([effect.lpips for effect in effects], axis=0)
    recall_without, recall_with = np.mean([effect.recall for effect in effects], axis=0)
    return [
        name,
        str(len(effects)),
        f"{without:.4f}",
        f"{with_sketch:.4f}",
        f"{with_sketch / without:.3f}",
        f"{recall_without:.3f}",
        f"{recall_with:.3f}",
    ]


def measure_photo(photo: Photo, config: Config, generator: Path) -> tuple[SketchEffect, Row] | None:
    """The figures of one photo and its row of the sheet; None where its hole holds too few edges.

    Args:
        generator: file of the generator's weights, beside its manifest.
    """
    pixels = photo.pixels
    hole = mask_for(photo.name, config.masks, pixels.shape[0], pixels.shape[1], config.seed)
    lines = thin_edges(pixels) & hole
    if lines.sum() < FEWEST:
        return None
    without, with_sketch = (
        inpaint_core.inpaint(pixels, hole, METHOD, given, weights=generator).image for given in (None, lines)
    )
    assert without is not None
    assert with_sketch is not None
    drawn = np.where(hole[..., None], np.uint8(255), pixels)
    drawn[lines] = 0
    figures = effect(pixels, hole, lines, (without, with_sketch))
    return figures, Row(photo.name, [drawn, without, with_sketch, pixels])


def main(config: Config) -> None:
    """Measure fills with the photo's edges drawn in beside fills without.

    Raises:
        InpaintError: weights are absent, or no photo has edges in its hole.
    """
    folder = config.weights or weights.directory()
    if not weights.ready(METHOD, folder):
        raise InpaintError(f"There are no sound weights of {METHOD} in {folder}: train them, or name another folder.")
    if why := metrics.lpips_unavailable_reason():
        raise InpaintError(why)
    generator = folder / weights.records(folder)[METHOD].file
    if config.edges_from is not None:
        os.environ["INPAINT_CHECKPOINTS"] = str(config.edges_from)
    table, sheet = [], []
    for source in expand(config.photos):
        photos = tqdm(read_photos([source], 0, config.limit), unit="photo", leave=False)
        measured = [found for photo in photos if (found := measure_photo(photo, config, generator)) is not None]
        if measured:
            effects, rows = zip(*measured, strict=True)
            table.append(table_row(source.stem, effects))
            sheet += rows[:ON_A_SHEET]
    if not table:
        raise InpaintError("No photo has edges inside its hole: check --photos and --masks.")
    print(markdown_table(HEADS, table))
    if config.sheet is not None:
        draw_sheet(sheet, ["hole and sketch", "without", "with", "truth"], CELL).save(config.sheet)


if __name__ == "__main__":
    run_cli(main, Config)
