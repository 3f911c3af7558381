"""Plots of a metric against the share of the photo that is missing: a line a method, its interval as a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.evaluation.estimates import Estimate, mean_of
from train.evaluation.records import FillRecord, by_hole_ratio, by_method
from train.evaluation.tables import TITLES


@dataclass(frozen=True)
class Point:
    """A place on a curve: the mean hole ratio of some fills, and the estimate of a metric."""

    hole_ratio: float
    value: Estimate


@dataclass(frozen=True)
class Panel:
    """One pair of axes: a title, and the points of every method."""

    title: str
    curves: dict[str, list[Point]]


def plot(panels: Sequence[Panel], path: Path) -> None:
    """Draw the panels side by side into an image file."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(panels), figsize=(4.6 * len(panels), 4), layout="constrained", squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        palette = pyplot.get_cmap("tab10" if len(panel.curves) <= 10 else "tab20")
        for index, (method, points) in enumerate(panel.curves.items()):
            x, colour = [point.hole_ratio for point in points], palette(index)
            axis.plot(x, [point.value.mean for point in points], "o-", label=method, color=colour, markersize=4)
            low, high = [point.value.low for point in points], [point.value.high for point in points]
            axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        axis.set_title(panel.title)
        axis.set_xlabel("share of the photo that is missing")
        axis.grid(alpha=0.3)
    axes[0][0].legend(fontsize="small")
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def mean_hole_ratio(records: Sequence[FillRecord]) -> float:
    """The mean share of the photo that is missing."""
    return float(np.mean([record.ratio for record in records]))


def hole_ratio_panels(records: Sequence[FillRecord]) -> list[Panel]:
    """L1, PSNR, SSIM and LPIPS in the hole, a point for every group of hole ratios."""
    panels = []
    for name in ("l1", "psnr", "ssim", "lpips"):
        metric = f"hole_{name}"
        if metric not in records[0].metrics:
            continue
        curves = {
            method: [Point(mean_hole_ratio(group), mean_of(group, metric)) for group in by_hole_ratio(own).values()]
            for method, own in by_method(records).items()
        }
        panels.append(Panel(f"{TITLES[name]} in the hole", curves))
    return panels
