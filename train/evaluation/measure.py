"""Measure methods on photos with random masks: a table of every fill, means with intervals, plots, contact sheets.

All ready methods: python -m train.evaluation.measure --photos PHOTOS.tar --masks centre --masks free_form --out eval

Some of them:      ... --method deepfill_v2 --method deepfill_v2+edges --method deepfill_v2+patchmatch --limit 50

By hole share:     ... --by-share

Reported tables:   ... --photos ANIMALS.tar --table animals, or --photos PLACES.tar --table places

`+edges` draws the photo's true edges in, `+patchmatch` refines the fill. Writes fills.csv (every fill), report.md, and
a plot and a sheet for each set of masks. All methods, and all runs, fill the same holes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from tyro.conf import UseAppendAction

from inpaint_core import metrics
from inpaint_core.errors import InpaintError
from train.core.cli import run_cli
from train.core.config import Paths
from train.core.sources import expand
from train.evaluation import by_share, reported, tables
from train.evaluation.candidates import Candidate, parse_candidates, ready_methods
from train.evaluation.contact_sheet import Row, draw_sheet
from train.evaluation.lattice import lattice
from train.evaluation.photos import mask_for, read_photos
from train.evaluation.plots import hole_ratio_panels, plot
from train.evaluation.records import FillRecord, by_masks, write_csv
from train.evaluation.samples import Sample, fill_samples

LARGEST_CELL = 192  # pixels of a picture on a sheet
WARM_UP_SIDE = 256  # pixels of the photo that is filled before anything is timed


@dataclass(frozen=True, kw_only=True)
class Config:
    """What is measured, on what, and what is written."""

    photos: Paths  # folder, tar shard or quoted pattern
    out: Path  # folder of the results
    method: UseAppendAction[tuple[str, ...]] = ()  # a method, also METHOD+edges, METHOD+patchmatch; default: all ready
    masks: UseAppendAction[tuple[str, ...]] = ()  # centre, box, free_form, irregular@10-20 (%), ...
    table: Literal["animals", "places"] | None = None  # measure on the masks of a reported table and put it beside
    by_share: bool = False  # ten sets of irregular masks of growing share: by_share.csv and by_share.png
    size: int = 256  # side of the central squares; 0: whole photos
    limit: int | None = None  # at most this many photos
    sheet: int = 0  # photos on the contact sheet of each set of masks
    lpips: bool = True  # measure LPIPS, too
    device: str = "auto"  # auto, cpu, cuda
    seed: int = 0  # of masks and methods


def records_of(sample: Sample, lpips: bool = True) -> Iterator[FillRecord]:
    """The figures of every fill of a sample."""
    photo, ratio = sample.photo, float(sample.hole.mean())
    for word, fill in sample.fills.items():
        figures = metrics.measure(fill.pixels, photo.pixels, sample.hole, lpips)
        figures["hole_lattice"] = lattice_of(fill.pixels, sample.hole)
        yield FillRecord(photo.name, sample.masks, ratio, word, fill.seconds, figures)


def lattice_of(pixels: np.ndarray, hole: np.ndarray) -> float:
    """`lattice` of a completed photo, uint8 H x W x 3, and its hole, bool H x W."""
    image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    return float(lattice(image, torch.from_numpy(hole)[None, None]))


def warm_up(candidates: Sequence[Candidate], device: str = "auto") -> None:
    """Fill a blank photo by every candidate, so that no timed fill waits for weights to be read.

    Raises:
        InpaintError: see `Candidate.fill`.
    """
    blank = np.zeros((WARM_UP_SIDE, WARM_UP_SIDE, 3), np.uint8)
    for candidate in candidates:
        candidate.fill(blank, mask_for("", "centre", WARM_UP_SIDE, WARM_UP_SIDE), device)


def main(config: Config) -> None:
    """Measure, print the report and write the files.

    Raises:
        InpaintError: an unknown method or masks, no photos, or LPIPS is wanted and cannot be had.
    """
    if config.by_share and not config.lpips:
        raise InpaintError("Figures by share are those of LPIPS, too: leave --no-lpips out.")
    if config.lpips and (why := metrics.lpips_unavailable_reason()):
        raise InpaintError(f"{why} Or leave LPIPS out with --no-lpips.")
    table = None if config.table is None else reported.TABLES[config.table]
    sets = [*config.masks, *(table.masks if table else ()), *(by_share.MASK_SETS if config.by_share else ())]
    mask_sets = list(dict.fromkeys(sets)) or ["centre", "free_form"]
    candidates = parse_candidates(config.method or ready_methods()[0])
    photos = list(read_photos(expand(config.photos), config.size, config.limit))
    if not photos:
        raise InpaintError("There are no photos to measure on: check --photos and --limit.")

    warm_up(candidates, config.device)
    records: list[FillRecord] = []
    rows: dict[str, list[Row]] = {masks: [] for masks in mask_sets}
    for sample in fill_samples(photos, candidates, mask_sets, config.device, config.seed):
        records += records_of(sample, config.lpips)
        if len(rows[sample.masks]) < config.sheet:
            rows[sample.masks].append(Row(sample.photo.name, sample.pictures()))

    config.out.mkdir(parents=True, exist_ok=True)
    write_csv(config.out / "fills.csv", records)
    text = tables.report(records, f"{len(photos)} photos of {', '.join(path.name for path in config.photos)}")
    if table is not None:
        text += "\n" + reported.beside(records, table)
    (config.out / "report.md").write_text(text, encoding="utf-8")
    labels = ["hole", *(candidate.word for candidate in candidates), "truth"]
    cell = min(LARGEST_CELL, max(max(photo.pixels.shape[:2]) for photo in photos))
    for masks, of_set in by_masks(records).items():
        if len({record.ratio for record in of_set}) > 1 and masks not in by_share.MASK_SETS:
            plot(hole_ratio_panels(of_set), config.out / f"{masks}.png")
        if rows[masks]:
            draw_sheet(rows[masks], labels, cell).save(config.out / f"sheet_{masks}.png")
    if config.by_share:
        by_share.write_by_share(by_share.share_figures(records), config.out)
    print(text)


if __name__ == "__main__":
    run_cli(main, Config)
