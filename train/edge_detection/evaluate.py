"""Measure edge detectors by the protocol of BSDS500: F-measure with one-to-one matching of thin lines.

Our detector:        python -m train.edge_detection.evaluate --photos bsds500-val.tar
A run's export:      the same with INPAINT_CHECKPOINTS=runs/edges/export before it
Baselines beside it: ... --detector hed --detector gradient --detector canny --sheet sheet.png

Protocol (Martin et al. 2004, as HED reports it): the soft map is thinned by non-maximum suppression and cut at 99
thresholds. At each, its pixels are matched one to one with each annotator's, no farther apart than 0.0075 of the
photo's diagonal. Recall counts the matched pixels of all annotators, precision the pixels of the map that at least one
annotator matched. ODS is the best F-measure of one threshold for all photos, OIS the one with the best threshold for
each photo. The matching is a maximum bipartite one, found as a maximum flow (Dinic), which pairs as many pixels as the
published code's assignment does, or a few more: that one approximates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
import tyro
from PIL import Image
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize
from torch import nn
from tqdm import tqdm

from inpaint_core import sketch
from train.core.cli import run_cli
from train.core.config import Paths
from train.core.sketches import edge_strength
from train.core.sources import expand
from train.edge_detection.data import Annotated, annotated
from train.evaluation.contact_sheet import Row, draw_sheet
from train.evaluation.tables import markdown_table

TOLERANCE = 0.0075  # of the diagonal
THRESHOLDS = 99
CELL = 240  # pixels of a picture on the sheet


@dataclass(frozen=True, kw_only=True)
class Config:
    """Which detectors are measured, on what, and how finely."""

    photos: Paths  # annotated photos: folder, tar or quoted pattern; repeat
    detector: tyro.conf.UseAppendAction[tuple[Literal["hed", "gradient", "canny"], ...]] = ()  # repeat; default: all
    limit: int | None = None  # at most this many photos
    thresholds: int = THRESHOLDS  # at which the maps are cut
    sheet: Path | None = None  # write a picture of six photos


@dataclass(frozen=True)
class Counts:
    """Of one photo at each threshold: `found` pixels of the map, `right` of them matched; `drawn` pixels of all
    annotators, `recalled` of them matched. float64 (T,) each."""

    found: np.ndarray
    right: np.ndarray
    drawn: np.ndarray
    recalled: np.ndarray

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.found + other.found,
            self.right + other.right,
            self.drawn + other.drawn,
            self.recalled + other.recalled,
        )

    def at(self, index: int) -> Counts:
        """The counts at one threshold, (1,)."""
        one = slice(index, index + 1)
        return Counts(self.found[one], self.right[one], self.drawn[one], self.recalled[one])

    def precision(self) -> np.ndarray:
        """Of the map's pixels, the share that is right; 0 where it has none."""
        return self.right / np.maximum(self.found, 1)

    def recall(self) -> np.ndarray:
        """Of the annotators' pixels, the share that was found."""
        return self.recalled / np.maximum(self.drawn, 1)

    def f(self) -> np.ndarray:
        """The harmonic mean of both."""
        precision, recall = self.precision(), self.recall()
        return 2 * precision * recall / np.maximum(precision + recall, 1e-12)


@dataclass(frozen=True)
class Scores:
    """The protocol's figures; `threshold`, `precision` and `recall` are at the ODS."""

    ods: float
    ois: float
    average_precision: float
    threshold: float
    precision: float
    recall: float
    photos: int

    def summary(self) -> dict[str, float]:
        """For a manifest."""
        return {
            "ods": round(self.ods, 4),
            "ois": round(self.ois, 4),
            "average_precision": round(self.average_precision, 4),
            "threshold": round(self.threshold, 3),
            "photos": self.photos,
        }


def count(soft: np.ndarray, drawings: np.ndarray, thresholds: np.ndarray, tolerance: float = TOLERANCE) -> Counts:
    """Match a soft map with what annotators drew.

    Args:
        soft: H x W in [0, 1]; it is thinned here.
        drawings: bool A x H x W.
        thresholds: ascending, (T,).
        tolerance: of the diagonal.
    """
    reach = tolerance * math.hypot(*soft.shape)
    crests = sketch.ridges(soft)
    lines = [skeletonize(crests >= threshold) for threshold in thresholds]
    anywhere = np.logical_or.reduce(lines)
    pixels = np.argwhere(anywhere)  # (P, 2)
    chosen = [line[anywhere] for line in lines]  # bool (P,)
    drawn_pixels, recalled = np.zeros(len(thresholds)), np.zeros(len(thresholds))
    right = np.zeros((len(thresholds), len(pixels)), bool)
    for drawn in drawings:
        targets = np.argwhere(drawn)
        drawn_pixels += len(targets)
        if not len(targets) or not len(pixels):
            continue
        near = pairs(pixels, targets, reach)
        for number, kept in enumerate(chosen):
            matched = match(near[kept[near[:, 0]]], len(pixels), len(targets))
            recalled[number] += matched.sum()
            right[number] |= matched
    found_pixels = np.array([kept.sum() for kept in chosen], np.float64)
    return Counts(found_pixels, right.sum(1).astype(np.float64), drawn_pixels, recalled)


def pairs(these: np.ndarray, those: np.ndarray, reach: float) -> np.ndarray:
    """Which points, (P, 2) and (Q, 2), are at most `reach` apart: their indices, int (K, 2)."""
    close = cKDTree(these).sparse_distance_matrix(cKDTree(those), reach, output_type="coo_matrix")
    return np.stack([close.row, close.col], 1)


def match(near: np.ndarray, these: int, those: int) -> np.ndarray:
    """Which of `these` points have a partner of their own among `those`, when as many as possible have: bool (P,).

    A flow of one unit from a source through a point, a point it is near (`near`, indices (K, 2)) and a sink.
    scipy's bipartite matching has the same result, but takes seconds in place of milliseconds on some photos.
    """
    source, sink = these + those, these + those + 1
    start = np.concatenate([near[:, 0], np.full(these, source), np.arange(these, source)])
    end = np.concatenate([near[:, 1] + these, np.arange(these), np.full(those, sink)])
    network = csr_matrix((np.ones(len(start), np.int32), (start, end)), shape=(sink + 1, sink + 1))
    flow = maximum_flow(network, source, sink, method="dinic").flow[[source]]
    matched = np.zeros(these, bool)
    matched[flow.indices[flow.data > 0]] = True
    return matched


def evaluate(maps: Iterable[tuple[np.ndarray, np.ndarray]], thresholds: int = THRESHOLDS) -> Scores:
    """Scores of soft maps, H x W in [0, 1], each with its annotators' drawings, bool A x H x W.

    Raises:
        ValueError: there are no maps.
    """
    at = np.linspace(0, 1, thresholds + 2)[1:-1]
    counts = [count(soft, drawings, at) for soft, drawings in maps]
    if not counts:
        raise ValueError("there are no maps to evaluate")
    return scores(counts, at)


def scores(counts: list[Counts], thresholds: np.ndarray) -> Scores:
    """The figures of several photos' counts."""
    together = counts[0]
    for more in counts[1:]:
        together = together + more
    f = together.f()
    best = int(f.argmax())
    own = counts[0].at(int(counts[0].f().argmax()))
    for more in counts[1:]:
        own = own + more.at(int(more.f().argmax()))
    precision, recall = together.precision(), together.recall()
    order = np.argsort(recall)
    # precision at recalls from 0 to 1; recalls that no threshold reaches count as 0
    curve = np.interp(np.linspace(0, 1, 101), recall[order], precision[order], right=0.0)
    return Scores(
        float(f[best]),
        float(own.f()[0]),
        float(curve.mean()),
        float(thresholds[best]),
        float(precision[best]),
        float(recall[best]),
        len(counts),
    )


@torch.no_grad()
def detect(network: nn.Module, photo: np.ndarray) -> np.ndarray:
    """The soft map of a photo, uint8 H x W x 3, by a network under training: float32 H x W in [0, 1]."""
    device = next(network.parameters()).device
    planes = torch.from_numpy(np.array(photo)).to(device).permute(2, 0, 1)[None].float() / 255
    fused, _ = network(planes.contiguous(memory_format=torch.channels_last))
    return fused.float().sigmoid()[0, 0].cpu().numpy()


def gradient(photo: np.ndarray) -> np.ndarray:
    """The strength of the Gaussian gradient that `thin_edges` cuts: a baseline without training."""
    planes = torch.from_numpy(np.array(photo)).permute(2, 0, 1)[None].float() / 255
    strength = edge_strength(planes, 2.0)[0][0, 0].numpy()
    return np.clip(strength / 0.12, 0, 1)


def canny(photo: np.ndarray) -> np.ndarray:
    """How high Canny's upper threshold can be before a pixel is no edge, as a share of the highest tried."""
    smooth = cv2.GaussianBlur(photo, (0, 0), 2.0)
    levels = np.linspace(5, 200, 32)
    strength = np.zeros(photo.shape[:2], np.float32)
    for number, level in enumerate(levels):
        strength[cv2.Canny(smooth, 0.4 * level, level, L2gradient=True) > 0] = (number + 1) / len(levels)
    return strength


DETECTORS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hed": sketch.edges,
    "gradient": gradient,
    "canny": canny,
}


def sheet(photos: Sequence[Annotated], maps: Mapping[str, Sequence[np.ndarray]]) -> Image.Image:
    """A row a photo: the photo, what people drew, and each detector's soft map and lines."""
    labels = ["photo", "drawn", *(f"{name}{part}" for name in maps for part in ("", ", lines"))]
    rows = []
    for number, photo in enumerate(photos):
        pictures = [photo.photo, grey(1 - photo.drawings.mean(0))]
        for soft in maps.values():
            pictures += [grey(1 - soft[number]), grey(1.0 - sketch.thin(soft[number]))]
        rows.append(Row(photo.name, pictures))
    return draw_sheet(rows, labels, CELL)


def grey(plane: np.ndarray) -> np.ndarray:
    """H x W in [0, 1] -> uint8 H x W x 3."""
    return np.repeat(np.rint(plane * 255).astype(np.uint8)[..., None], 3, axis=2)


def main(config: Config) -> None:
    """Measure the detectors, print the table and draw the sheet.

    Raises:
        FileNotFoundError: there are no annotated photos.
    """
    held_out = annotated(expand(config.photos))[: config.limit]
    chosen = [name for name in DETECTORS if not config.detector or name in config.detector]
    maps = {name: [DETECTORS[name](photo.photo) for photo in held_out] for name in chosen}
    table = []
    for name, soft in maps.items():
        measured = zip(soft, (photo.drawings for photo in held_out), strict=True)
        s = evaluate(tqdm(measured, total=len(held_out), unit="photo", leave=False), config.thresholds)
        figures = (s.ods, s.ois, s.average_precision, s.threshold, s.precision, s.recall)
        table.append([name, *(f"{figure:.3f}" for figure in figures)])
    print(markdown_table(["detector", "ODS", "OIS", "AP", "at threshold", "precision", "recall"], table))
    if config.sheet is not None:
        rows = range(0, len(held_out), max(1, len(held_out) // 6))[:6]
        of_rows = {name: [soft[i] for i in rows] for name, soft in maps.items()}
        sheet([held_out[i] for i in rows], of_rows).save(config.sheet)


if __name__ == "__main__":
    run_cli(main, Config)
