"""What is measured of one fill, and the table of all fills as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from pathlib import Path

HOLE_RATIOS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1.0)  # borders of the groups by hole ratio


@dataclass(frozen=True)
class FillRecord:
    """The figures of one photo, one mask and one method."""

    photo: str
    masks: str  # see `train.evaluation.photos.mask_for`
    ratio: float  # share of the photo that is hole
    method: str  # a word of `train.evaluation.candidates`
    seconds: float
    metrics: dict[str, float] = field(default_factory=dict)  # of `inpaint_core.metrics.measure`, and `hole_lattice`


def write_csv(path: Path, records: Iterable[FillRecord]) -> None:
    """Write every record as a row, a column a metric."""
    rows = [{**{k: v for k, v in asdict(record).items() if k != "metrics"}, **record.metrics} for record in records]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[FillRecord]:
    """What `write_csv` wrote."""
    own = {field.name for field in fields(FillRecord)} - {"metrics"}
    with path.open(newline="") as file:
        return [
            FillRecord(
                row["photo"], row["masks"], float(row["ratio"]), row["method"], float(row["seconds"]),
                {name: float(value) for name, value in row.items() if name not in own},
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def of_method(records: Iterable[FillRecord], method: str) -> list[FillRecord]:
    return [record for record in records if record.method == method]


def by_masks(records: Sequence[FillRecord]) -> dict[str, list[FillRecord]]:
    """The records of each set of masks, in the order in which the sets first come."""
    sets = dict.fromkeys(record.masks for record in records)
    return {name: [record for record in records if record.masks == name] for name in sets}


def by_method(records: Sequence[FillRecord]) -> dict[str, list[FillRecord]]:
    """The records of each method, in the order in which the methods first come."""
    return {method: of_method(records, method) for method in dict.fromkeys(record.method for record in records)}


def by_hole_ratio(records: Sequence[FillRecord]) -> dict[str, list[FillRecord]]:
    """The records in groups "10% to 20%" and so on of the hole ratio, without empty groups."""
    groups = {}
    for low, high in pairwise(HOLE_RATIOS):
        inside = [record for record in records if low < record.ratio <= high]
        if inside:
            groups[f"{low:.0%} to {high:.0%}"] = inside
    return groups
