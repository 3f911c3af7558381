"""Markdown tables of measured fills: a row a method, a column a statistic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from train.evaluation.candidates import BASELINE
from train.evaluation.estimates import mean_of, ratio_to
from train.evaluation.records import FillRecord, by_hole_ratio, by_masks, by_method, of_method

TITLES = {
    "l1": "L1",
    "l2": "L2",
    "psnr": "PSNR",
    "ssim": "SSIM",
    "lpips": "LPIPS",
    "tv": "TV",
    "lattice": "lattice",
}
ABOUT = (
    "Means with 95 % bootstrap intervals over photos; `/ ns` is the share of Navier-Stokes' mean on the same "
    "photos and masks. L1, L2 and TV are of pixel values in [0, 1], PSNR in dB, LPIPS with AlexNet; lattice is the "
    "energy of dots and hatching at periods of 2, 4 and 8 px, about 1 in photos; seconds are medians."
)


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A markdown table of cells of text."""
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


@dataclass(frozen=True)
class Column:
    """A column: its head, and the cell made of a method's records and the baseline's."""

    head: str
    cell: Callable[[Sequence[FillRecord], Sequence[FillRecord]], str]


def mean_column(metric: str, digits: int, head: str, interval: bool = True) -> Column:
    """The mean of a metric, with or without its interval."""
    if interval:
        return Column(head, lambda own, _: f"{mean_of(own, metric):.{digits}f}")
    return Column(head, lambda own, _: f"{mean_of(own, metric).mean:.{digits}f}")


def ratio_column(metric: str, digits: int, head: str) -> Column:
    """The mean of a metric over the baseline's mean, with its interval."""
    return Column(f"{head} / {BASELINE}", lambda own, baseline: f"{ratio_to(own, baseline, metric):.{digits}f}")


def seconds_column(digits: int) -> Column:
    """The median of the seconds."""
    return Column("seconds", lambda own, _: f"{np.median([record.seconds for record in own]):.{digits}f}")


PHOTOS_COLUMN = Column("photos", lambda own, _: str(len(own)))


def methods_table(
    records: Sequence[FillRecord], columns: Sequence[Column], title: Callable[[str], str] = lambda method: method
) -> str:
    """A markdown table with a row for every method.

    Args:
        records: of one set of masks or one group.
        title: the first cell of a method's row.
    """
    baseline = of_method(records, BASELINE)
    rows = [
        [title(method), *(column.cell(own, baseline) for column in columns)]
        for method, own in by_method(records).items()
    ]
    return markdown_table(["method", *(column.head for column in columns)], rows)


def all_metrics(records: Sequence[FillRecord], prefix: str = "") -> list[Column]:
    """The columns of every metric there is of these records; `prefix` is "" for the photo's, "hole_" for the hole's."""
    names = [name for name in TITLES if prefix + name in records[0].metrics]
    shares = [name for name in ("l1", "lpips") if name in names and of_method(records, BASELINE)]
    return [
        PHOTOS_COLUMN,
        *(mean_column(prefix + name, 2 if name in ("psnr", "lattice") else 4, TITLES[name]) for name in names),
        *(ratio_column(prefix + name, 3, TITLES[name]) for name in shares),
        seconds_column(3),
    ]


def report(records: Sequence[FillRecord], heading: str) -> str:
    """A markdown page: for every set of masks the figures over hole and photo, then by hole ratio."""
    parts = [f"# {heading}", ABOUT]
    for masks, of_set in by_masks(records).items():
        parts += [f"## {masks} masks, over the hole", methods_table(of_set, all_metrics(of_set, "hole_"))]
        parts += [f"## {masks} masks, over the photo", methods_table(of_set, all_metrics(of_set))]
        groups = by_hole_ratio(of_set)
        if len(groups) > 1:
            for name, group in groups.items():
                table = methods_table(group, all_metrics(group, "hole_"))
                parts += [f"### {masks} masks, hole of {name}, over the hole", table]
    return "\n\n".join(parts) + "\n"
