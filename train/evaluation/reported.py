"""The tables that the studies and papers reported, beside what is measured here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from train.evaluation.estimates import mean_of
from train.evaluation.records import FillRecord, by_method
from train.evaluation.tables import markdown_table


@dataclass(frozen=True)
class Column:
    """A column of a reported table: how its number comes from our metrics."""

    title: str
    masks: str  # see `train.evaluation.photos.mask_for`
    metric: str  # of `inpaint_core.metrics.measure`
    scale: float = 1.0
    digits: int = 2


@dataclass(frozen=True)
class Reported:
    """A reported table: which masks it is measured on, and its rows."""

    title: str
    note: str
    columns: tuple[Column, ...]
    rows: dict[str, tuple[float, ...]]  # method -> its numbers
    others: dict[str, tuple[float, ...]]  # rows of what is not among our methods

    @property
    def masks(self) -> list[str]:
        """The sets of masks it is measured on."""
        return list(dict.fromkeys(column.masks for column in self.columns))


ANIMALS = Reported(
    title="Survey of the animals (centre hole)",
    note="Over the whole photo, pixel values of 0 to 255, TV as a mean in per cent of the pixel range. The reported "
    "values are of 450 photos of another collection, from networks trained for 50,000 to 300,000 steps. The study does "
    "not say how it took TV, and the autoencoder's PSNR does not belong to its MSE: compare neither.",
    columns=(
        Column("L1", "centre", "l1", 255),
        Column("MSE", "centre", "l2", 255**2),
        Column("PSNR", "centre", "psnr"),
        Column("LPIPS", "centre", "lpips", 1, 3),
        Column("TV", "centre", "tv", 100),
    ),
    rows={
        "ns": (9.68, 810.47, 19.61, 0.164, 8.14),
        "telea": (9.65, 821.72, 19.63, 0.168, 7.96),
        "autoencoder": (9.34, 1472, 26.25, 0.18, 2.18),
        "glcic": (9.25, 720.49, 20.16, 0.13, 1.70),
        "deepfill_v1": (8.45, 659.44, 20.65, 0.11, 0.79),
        "deepfill_v1_mosaic": (5.31, 270.44, 24.68, 0.06, 1.25),
    },
    others={"contextual attention, trained on ImageNet": (7.20, 505.84, 21.90, 0.10, 1.43)},
)

PLACES = Reported(
    title="DeepFill v2's table (rectangle and free-form holes)",
    note="In per cent, over the hole. The reported values are of Places2's validation photos. The papers do not say "
    "over which pixels they took the means.",
    columns=(
        Column("rectangle L1 %", "box", "hole_l1", 100, 1),
        Column("rectangle L2 %", "box", "hole_l2", 100, 1),
        Column("free-form L1 %", "free_form", "hole_l1", 100, 1),
        Column("free-form L2 %", "free_form", "hole_l2", 100, 1),
    ),
    rows={
        "patchmatch": (16.1, 3.9, 11.3, 2.4),
        "glcic": (9.3, 2.2, 21.6, 7.1),
        "deepfill_v1": (8.6, 2.1, 17.2, 4.7),
        "partial_conv": (9.8, 2.3, 10.4, 1.9),
        "deepfill_v2": (8.6, 2.0, 9.1, 1.6),
    },
    others={},
)

TABLES = {"animals": ANIMALS, "places": PLACES}


def beside(records: Sequence[FillRecord], reported: Reported) -> str:
    """A section in markdown: for every method here or there, our number and the reported one."""
    heads = ["method", *(f"{c.title} {whose}" for c in reported.columns for whose in ("here", "reported"))]
    measured, numbers = by_method(records), {**reported.rows, **reported.others}
    rows = []
    for method in dict.fromkeys([*measured, *numbers]):
        row = [method]
        for index, column in enumerate(reported.columns):
            row.append(_ours(measured.get(method, []), column))
            row.append(f"{numbers[method][index]:.{column.digits}f}" if method in numbers else "")
        rows.append(row)
    return f"## {reported.title}\n\n{reported.note}\n\n{markdown_table(heads, rows)}\n"


def _ours(records: Sequence[FillRecord], column: Column) -> str:
    own = [record for record in records if record.masks == column.masks and column.metric in record.metrics]
    return f"{column.scale * mean_of(own, column.metric).mean:.{column.digits}f}" if own else ""
