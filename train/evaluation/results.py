"""Write the page of results: our methods measured on the reported tables' terms, beside the reported numbers.

    python -m train.evaluation.results --animals ANIMALS.tar --scenes SCENES.tar --write docs/RESULTS.md

Methods that take longer than `--slowest` seconds (the catalogue's figure) are left out unless named. Fewer photos take
less time: `--animals-limit` and `--scenes-limit` spread a number evenly over each source. `--by-share` adds LPIPS
and L1 by the share of the photo that is missing, and writes by_share.csv and by_share.png beside the page. `--speeds`
adds how fast the training scripts are: `python -m benchmarks --training --json > speeds.json` measures it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tyro.conf import UseAppendAction

from inpaint_core import metrics, weights
from inpaint_core.errors import InpaintError
from inpaint_core.weights.public import store
from train.core.cli import run_cli
from train.core.config import Paths
from train.evaluation import by_share, reported
from train.evaluation.candidates import BASELINE, Candidate, parse_candidates, ready_methods
from train.evaluation.estimates import ratio_to
from train.evaluation.measure import records_of, warm_up
from train.evaluation.photos import chosen_photos, spread_evenly
from train.evaluation.records import FillRecord, by_hole_ratio, by_masks, by_method, of_method
from train.evaluation.samples import fill_samples
from train.evaluation.tables import markdown_table, mean_column, methods_table, ratio_column, seconds_column

RESTORES = " †"  # after the name of a method that is shown the hidden part pixelated
MEANS = (
    mean_column("hole_l1", 4, "L1", interval=False),
    mean_column("hole_psnr", 2, "PSNR", interval=False),
    mean_column("hole_ssim", 3, "SSIM", interval=False),
    mean_column("lpips", 4, "LPIPS", interval=False),
    mean_column("hole_lattice", 2, "lattice", interval=False),
    ratio_column("hole_l1", 2, "L1"),
    ratio_column("lpips", 2, "LPIPS"),
    seconds_column(2),
)
RATIOS = {"hole_l1": "L1 in the hole", "lpips": "LPIPS"}  # shown by hole ratio


@dataclass(frozen=True, kw_only=True)
class Config:
    """What the page is made of: photos, methods, sections."""

    animals: Paths  # photos of the survey's table
    scenes: Paths  # photos of DeepFill v2's table
    write: Path  # the page to write
    method: UseAppendAction[tuple[str, ...]] = ()  # a method, also METHOD+edges, METHOD+patchmatch; default: all quick
    slowest: float = 3.0  # leave out what takes more seconds at 512 px
    animals_limit: int | None = 80  # at most this many animals
    scenes_limit: int | None = 30  # at most this many scenes
    by_share: bool = False  # LPIPS and L1 of the scenes by the share of the photo that is missing, too
    speeds: Path | None = None  # what `python -m benchmarks --training --json` printed, to be added
    size: int = 256  # side of the central squares
    device: str = "auto"  # auto, cpu, cuda


@dataclass(frozen=True)
class MeasuredSet:
    """What was measured on one source of photos, beside one reported table."""

    table: reported.Reported
    records: list[FillRecord]
    photos: int  # measured ...
    available: int  # ... of this many

    def section(self) -> str:
        """The reported table with our numbers, then means and ratios for each set of masks, in markdown."""
        spread = "" if self.photos == self.available else f", evenly spread over the {self.available} there are"
        parts = [reported.beside(self.records, self.table).rstrip(), f"Here: {self.photos} photos{spread}."]
        sets = by_masks(self.records)
        for masks in self.table.masks:
            parts += [f"### {masks} masks", methods_table(sets[masks], MEANS, title)]
            if len({record.ratio for record in sets[masks]}) > 1:
                for metric, words in RATIOS.items():
                    parts.append(f"{words} as a share of Navier-Stokes, by hole ratio (photos):")
                    parts.append(hole_ratio_table(sets[masks], metric))
        return "\n\n".join(parts)


def title(method: str) -> str:
    """The method's name, with a mark if it restores."""
    return method + (RESTORES if Candidate.parse(method).restores else "")


def hole_ratio_table(records: Sequence[FillRecord], metric: str) -> str:
    """A markdown table: a metric as a share of Navier-Stokes by hole ratio, a row a method, with intervals."""
    groups = by_hole_ratio(records)
    baselines = {name: of_method(group, BASELINE) for name, group in groups.items()}
    rows = [
        [title(method)]
        + [f"{ratio_to(of_method(group, method), baselines[name], metric):.2f}" for name, group in groups.items()]
        for method in by_method(records)
        if method != BASELINE
    ]
    return markdown_table(["method", *(f"{name} ({len(baselines[name])})" for name in groups)], rows)


def checkpoints_table(methods: Sequence[str]) -> str:
    """A markdown table of what the manifests say of the networks measured, those with public weights last."""
    found = [*weights.records().items(), *((name, store.record_of(name)) for name in methods if "@" in name)]
    rows = []
    for name, record in found:
        if name in methods and record is not None:
            size, extra = record.extra.get("recipe", {}).get("size"), record.extra
            rows.append(
                [
                    title(name),
                    f"{size} px" if size else "",
                    f"{record.steps:,}" if record.steps else "",  # a publisher's training is not in our units
                    f"{record.images_seen:,}" if record.images_seen else "",
                    f"{extra['minutes']:.0f}" if "minutes" in extra else "",
                    str(extra.get("device", extra.get("source", ""))),
                    f"{record.bytes / 1e6:.1f} MB {record.dtype}",
                ]
            )
    return markdown_table(["network", "trained at", "steps", "photos seen", "minutes", "on", "file"], rows)


def by_share_section(figures: Sequence[by_share.ShareFigures]) -> str:
    """LPIPS as a share of Navier-Stokes' for every method and set of irregular masks, under the plot, in markdown."""
    mask_sets = list(dict.fromkeys(row.masks for row in figures))
    ratios = {(row.method, row.masks): f"{row.lpips_of_ns:.2f}" for row in figures}
    methods = [method for method in dict.fromkeys(row.method for row in figures) if method != BASELINE]
    rows = [[title(method), *(ratios[method, masks] for masks in mask_sets)] for method in methods]
    heads = ["method", *(f"{masks.partition('@')[2]} %" for masks in mask_sets)]
    return "\n\n".join(
        [
            "## By the share of the photo that is missing",
            f"Irregular masks, the scenes above ({figures[0].photos} photos a set). LPIPS as a share of Navier-Stokes' "
            "with its 95 % interval; by_share.csv has the figures of L1, too.",
            "![LPIPS against the share of the photo that is missing](by_share.png)",
            markdown_table(heads, rows),
        ]
    )


def training_section(path: Path) -> str:
    """How fast the training scripts are, in markdown.

    Args:
        path: what `python -m benchmarks --training --json` printed: an object of columns, rows and a note.

    Raises:
        InpaintError: the file cannot be read, or holds something else.
    """
    try:
        section = json.loads(path.read_text(encoding="utf-8"))
        parts = ["## Training speed", markdown_table(section["columns"], section["rows"]), section["note"] or ""]
    except (OSError, ValueError, TypeError, LookupError) as error:
        command = "python -m benchmarks --training --json"
        raise InpaintError(f"{path} does not hold the speeds of training: write it with `{command} > FILE`.") from error
    return "\n\n".join(parts).rstrip()


def page(animals: MeasuredSet, scenes: MeasuredSet, left_out: Sequence[str], further: Sequence[str] = ()) -> str:
    """The page in markdown.

    Args:
        animals, scenes: measured on the masks of `reported.ANIMALS` and `reported.PLACES`.
        left_out: methods that are ready, but slow.
        further: sections to end with.
    """
    methods = list(by_method([*animals.records, *scenes.records]))
    threads = "one thread" if torch.get_num_threads() == 1 else f"{torch.get_num_threads()} threads"
    slow = f" Left out because they are slow: {', '.join(left_out)}." if left_out else ""
    parts = [
        "# Results",
        "What the shipped weights do, on the terms of the tables reported for these systems. Written by `python -m "
        "train.evaluation.results`, not by hand. All photos are central squares that no network was trained on; a "
        "photo's mask depends on its name alone, so every method fills the same holes. LPIPS is that of the whole "
        "photo with AlexNet, the other columns are over the hole with pixel values in [0, 1]; lattice is the energy of "
        "dots and hatching at periods of 2, 4 and 8 px, about 1 in photos; `/ ns` is the share of Navier-Stokes' mean "
        "on the same photos, with the 95 % bootstrap interval over photos; seconds are medians on "
        f"{threads} of the machine that wrote this page.{slow}",
    ]
    if any(RESTORES in title(method) for method in methods):
        parts.append(
            f"{RESTORES.strip()} restores: it alone sees the hidden part, pixelated. Its rows say how well a mosaic is "
            "undone, and compare with no other row."
        )
    parts += ["## The networks", checkpoints_table(methods), animals.section(), scenes.section(), *further]
    return "\n\n".join(parts) + "\n"


def measure_set(
    sources: Sequence[Path],
    table: reported.Reported,
    limit: int | None,
    candidates: Sequence[Candidate],
    config: Config,
) -> MeasuredSet:
    """Measure the candidates on photos of the sources, with the masks of a reported table.

    Raises:
        InpaintError: there are no photos.
    """
    available = chosen_photos(sources, config.size, None)
    photos = spread_evenly(available, limit)
    started = time.perf_counter()
    samples = fill_samples(photos, candidates, table.masks, config.device)
    records = [record for sample in samples for record in records_of(sample)]
    print(f"{table.title}: {len(records)} fills in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return MeasuredSet(table, records, len(photos), len(available))


def measure_by_share(candidates: Sequence[Candidate], config: Config) -> list[by_share.ShareFigures]:
    """The figures of the candidates on the scenes by the share of the photo that is missing."""
    photos = chosen_photos(config.scenes, config.size, config.scenes_limit)
    samples = fill_samples(photos, candidates, by_share.MASK_SETS, config.device)
    return by_share.share_figures([record for sample in samples for record in records_of(sample)])


def main(config: Config) -> None:
    """Measure, and write the page of results.

    Raises:
        InpaintError: an unknown method, no photos, no speeds in the file, or LPIPS cannot be had.
    """
    further = [] if config.speeds is None else [training_section(config.speeds)]
    if why := metrics.lpips_unavailable_reason():
        raise InpaintError(why)
    names, left_out = (config.method, []) if config.method else ready_methods(config.slowest)
    candidates = parse_candidates(names)
    warm_up(candidates, config.device)
    animals = measure_set(config.animals, reported.ANIMALS, config.animals_limit, candidates, config)
    scenes = measure_set(config.scenes, reported.PLACES, config.scenes_limit, candidates, config)
    config.write.parent.mkdir(parents=True, exist_ok=True)
    if config.by_share:
        figures = measure_by_share(candidates, config)
        by_share.write_by_share(figures, config.write.parent)
        further.insert(0, by_share_section(figures))
    config.write.write_text(page(animals, scenes, left_out, further), encoding="utf-8")
    print(f"wrote {config.write}")


if __name__ == "__main__":
    run_cli(main, Config)
