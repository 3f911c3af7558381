"""Measure what a sketch is worth: the same holes filled with and without the photo's own edges drawn in.

The catalogue's weights:  python -m train.evaluation.sketch --photos photos256-val-00.tar --photos faces128-val-00.tar
A run's weights:          ... --weights runs/deepfill_v2/export --edges-from checkpoints

For each source of photos: LPIPS of the fill with the true edges (those of the edge detector, thin, inside the hole)
over LPIPS without, and how much of the drawn lines can be found in the fill: the share of the sketch's pixels with an
edge of the fill within two pixels, as the same detector sees the completed photo. The recall without a sketch is what
chance and the surroundings give.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from tqdm import tqdm

from inpaint_core import catalogue, metrics, sketch, weights
from inpaint_core.arguments import as_image
from inpaint_core.errors import InpaintError
from inpaint_core.methods.base import FillContext, FillMethod
from inpaint_core.methods.feed_forward import FeedForward
from train.core.options import start
from train.core.sources import expand
from train.evaluation.evaluate import mask_for, photos, sheet

TOLERANCE = 2  # pixels
FEWEST = 20  # pixels of lines in a hole: with fewer there is nothing to follow
METHOD = "deepfill_v2"


@dataclass
class Pair:
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
    far = cv2.distanceTransform((~found).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((far[wanted] <= tolerance).mean()) if found.any() else 0.0


def compare(
    method: FillMethod, pixels: np.ndarray, hole: np.ndarray, lines: np.ndarray
) -> tuple[Pair, list[np.ndarray]]:
    """Fill a photo's hole without and with `lines`, bool H x W.

    Returns:
        The figures, and both completed photos, uint8 H x W x 3.
    """
    import torch

    planes = torch.from_numpy(np.array(as_image(pixels))).permute(2, 0, 1)[None].float() / 255
    mask = torch.from_numpy(hole)[None, None].float()
    drawn = torch.from_numpy(lines)[None, None].float()
    blank = planes * (1 - mask)
    results, recalls, distances = [], [], []
    for given in (None, drawn):
        filled = (
            method.fill(blank, mask, FillContext(sketch=given))
            .image[0]
            .permute(1, 2, 0)
            .mul(255)
            .round()
            .byte()
            .numpy()
        )
        completed = np.where(hole[..., None], filled, pixels)
        results.append(completed)
        recalls.append(recall(lines, sketch.thin(sketch.edges(completed, "cpu"))))
        distances.append(metrics.measure(completed, pixels, hole, lpips=True)["lpips"])
    return Pair((distances[0], distances[1]), (recalls[0], recalls[1])), results


def row(name: str, pairs: list[Pair]) -> str:
    """A line of the table: ratios are of the means."""
    lpips, found = np.array([p.lpips for p in pairs]), np.array([p.recall for p in pairs])
    without, drawn = lpips.mean(0)
    return (
        f"| {name} | {len(pairs)} | {without:.4f} | {drawn:.4f} | {drawn / without:.3f} | "
        f"{found[:, 0].mean():.3f} | {found[:, 1].mean():.3f} |"
    )


@contextmanager
def checkpoints(folder: Path | None) -> Iterator[None]:
    """The edge detector's weights are looked for in `folder`."""
    before = os.environ.get("INPAINT_CHECKPOINTS")
    if folder is not None:
        os.environ["INPAINT_CHECKPOINTS"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("INPAINT_CHECKPOINTS", None)
        else:
            os.environ["INPAINT_CHECKPOINTS"] = before


def main(
    photos_from: Annotated[list[Path], typer.Option("--photos", help="folder, tar shard or quoted pattern; repeat")],
    weights_from: Annotated[
        Path | None, typer.Option("--weights", help="folder with the generator's weights; default: the catalogue's")
    ] = None,
    edges_from: Annotated[Path | None, typer.Option(help="folder with the edge detector's weights")] = None,
    kind: Annotated[str, typer.Option("--masks", help="centre, box, free_form, ...")] = "free_form",
    limit: Annotated[int | None, typer.Option(help="at most so many photos of each source")] = None,
    picture: Annotated[
        Path | None, typer.Option("--sheet", help="write a sheet of eight photos of each source")
    ] = None,
    seed: Annotated[int, typer.Option(help="of the masks")] = 0,
) -> None:
    """Measure fills with the photo's edges drawn in beside fills without."""
    folder = weights_from or weights.directory()
    if not weights.ready(METHOD, folder):
        raise InpaintError(f"There are no sound weights of {METHOD} in {folder}: train them, or name another folder.")
    if why := metrics.lpips_unavailable_reason():
        raise InpaintError(why)
    catalogue.get(METHOD)
    method = FeedForward(METHOD, folder=folder)
    shown: list[list[np.ndarray]] = []
    typer.echo("| photos | n | LPIPS without | with sketch | ratio | edge recall without | with sketch |")
    typer.echo("|---|---|---|---|---|---|---|")
    with checkpoints(edges_from):
        for source in expand(photos_from):
            pairs: list[Pair] = []
            rows: list[list[np.ndarray]] = []
            for name, pixels in tqdm(photos([source], 0, limit), unit="photo", leave=False):
                pixels = whole_blocks(pixels)
                hole = mask_for(name, kind, pixels.shape[0], pixels.shape[1], seed)
                lines = sketch.thin(sketch.edges(pixels, "cpu")) & hole
                if lines.sum() < FEWEST:
                    continue
                pair, results = compare(method, pixels, hole, lines)
                pairs.append(pair)
                if len(rows) < 8:
                    drawn = np.where(hole[..., None], np.uint8(255), pixels)
                    drawn[lines] = 0
                    rows.append([drawn, *results, pixels])
            if pairs:
                typer.echo(row(source.stem, pairs))
            shown += rows
    if not shown:
        raise InpaintError("No photo has edges inside its hole: check --photos and --masks.")
    if picture is not None:
        sheet(shown, ["hole and sketch", "without", "with", "truth"], picture)


def whole_blocks(pixels: np.ndarray, block: int = 8) -> np.ndarray:
    """The photo without the last rows and columns that make no whole block of the network's."""
    height, width = (side // block * block for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[:height, :width])


if __name__ == "__main__":
    start(main)
