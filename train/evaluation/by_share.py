"""LPIPS and L1 by the share of the photo that is missing: ten sets of irregular masks, their figures and their plot."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from train.evaluation.candidates import BASELINE
from train.evaluation.estimates import Estimate, mean_of, ratio_to
from train.evaluation.plots import Panel, Point, mean_hole_ratio, plot
from train.evaluation.records import FillRecord, by_masks, by_method, of_method

STEPS = 10
LEAST, MOST = np.linspace(1, 50, STEPS).round(), np.linspace(10, 60, STEPS).round()  # per cent of the photo
MASK_SETS = tuple(f"irregular@{least:.0f}-{most:.0f}" for least, most in zip(LEAST, MOST, strict=True))


@dataclass(frozen=True)
class ShareFigures:
    """A method's figures on one set of masks; `_of_ns` is the ratio of the mean to Navier-Stokes' mean."""

    method: str
    masks: str
    hole_ratio: float  # mean share of the photo that is missing
    photos: int
    lpips: Estimate  # of the whole photo
    lpips_of_ns: Estimate
    l1: Estimate  # of the hole
    l1_of_ns: Estimate


def share_figures(records: Sequence[FillRecord]) -> list[ShareFigures]:
    """The figures of every method on every set of `MASK_SETS` among the records, which hold Navier-Stokes' too."""
    figures = []
    for masks, of_set in by_masks([record for record in records if record.masks in MASK_SETS]).items():
        baseline = of_method(of_set, BASELINE)
        for method, own in by_method(of_set).items():
            lpips, lpips_of_ns = mean_of(own, "lpips"), ratio_to(own, baseline, "lpips")
            l1, l1_of_ns = mean_of(own, "hole_l1"), ratio_to(own, baseline, "hole_l1")
            hole_ratio = mean_hole_ratio(own)
            figures.append(ShareFigures(method, masks, hole_ratio, len(own), lpips, lpips_of_ns, l1, l1_of_ns))
    return figures


def write_share_csv(path: Path, figures: Sequence[ShareFigures]) -> None:
    """Write the figures of a method on a set of masks as a row; an estimate is three columns: mean, low and high."""
    rows = []
    for entry in figures:
        row: dict[str, object] = {}
        for name in (field.name for field in fields(entry)):
            value = getattr(entry, name)
            if isinstance(value, Estimate):
                row |= {name: value.mean, f"{name}_low": value.low, f"{name}_high": value.high}
            else:
                row[name] = value
        rows.append(row)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_by_share(figures: Sequence[ShareFigures], folder: Path) -> None:
    """Write by_share.csv and by_share.png into the folder."""
    write_share_csv(folder / "by_share.csv", figures)
    plot_by_share(figures, folder / "by_share.png")


def plot_by_share(figures: Sequence[ShareFigures], path: Path) -> None:
    """Plot LPIPS, and LPIPS as a share of Navier-Stokes', against the share of the photo that is missing."""
    methods = dict.fromkeys(row.method for row in figures)
    panels = []
    for title, name in (("LPIPS", "lpips"), ("LPIPS / Navier-Stokes", "lpips_of_ns")):
        curves = {
            method: [Point(row.hole_ratio, getattr(row, name)) for row in figures if row.method == method]
            for method in methods
        }
        panels.append(Panel(title, curves))
    plot(panels, path)
