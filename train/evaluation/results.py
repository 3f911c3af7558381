"""Write the page of results: our methods measured on the reported tables' terms, beside the reported numbers.

python -m train.evaluation.results --animals ANIMALS.tar --scenes SCENES.tar --write docs/RESULTS.md

Methods that take longer than `--slowest` seconds (the catalogue's word) are left out unless named. Fewer photos take
less time: `--animals-limit` and `--scenes-limit` take so many, evenly spread over each source.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks import training as speed
from benchmarks.section import Section
from inpaint_core import catalogue, metrics, weights
from inpaint_core.errors import InpaintError
from train.core.options import start
from train.core.sources import expand
from train.evaluation import report, reported
from train.evaluation.evaluate import choose, measure, photos, spread

RESTORES = " †"  # after the name of a method that is shown the hidden part pixelated
COLUMNS = (("hole_l1", 4), ("hole_psnr", 2), ("hole_ssim", 3), ("lpips", 4))
SHARES = ("hole_l1", "lpips")


def quick_methods(names: Sequence[str] | None, slowest: float) -> tuple[list[str], list[str]]:
    """The methods to measure, Navier-Stokes first, and those ready ones that are left out because they are slow."""
    if names:
        return choose(names), []
    ready = [method for method in catalogue.methods() if method.ready]
    quick = [method.name for method in ready if method.cost <= slowest]
    return choose(quick), [method.name for method in ready if method.name not in quick]


def title(method: str) -> str:
    """The method's name, with a mark if it restores."""
    return method + (RESTORES if catalogue.get(method).restores else "")


def means(fills: Sequence[report.Fill]) -> str:
    """A markdown table of the methods on one kind of masks: means, and shares of Navier-Stokes with intervals."""
    names = [(name, digits) for name, digits in COLUMNS if name in fills[0].metrics]
    shares = [name for name in SHARES if name in fills[0].metrics]
    words = {"hole_l1": "L1", "hole_psnr": "PSNR", "hole_ssim": "SSIM", "lpips": "LPIPS"}
    heads = ["method", *(words[n] for n, _ in names), *(f"{words[n]} / ns" for n in shares), "seconds"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    baseline = report.of_method(fills, report.BASELINE)
    for method in report.unique(fill.method for fill in fills):
        own = report.of_method(fills, method)
        cells = [title(method), *(f"{report.mean_of(own, name).mean:.{digits}f}" for name, digits in names)]
        cells += [f"{report.share_of(own, baseline, name):.2f}" for name in shares]
        cells.append(f"{np.median([fill.seconds for fill in own]):.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def ratios(fills: Sequence[report.Fill], metric: str) -> str:
    """A markdown table: a metric as a share of Navier-Stokes by hole ratio, a row a method, with intervals."""
    groups = report.by_ratio(fills)
    counts = {name: len(report.of_method(group, report.BASELINE)) for name, group in groups.items()}
    heads = ["method", *(f"{name} ({counts[name]})" for name in groups)]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for method in report.unique(fill.method for fill in fills):
        if method == report.BASELINE:
            continue
        cells = [title(method)]
        for group in groups.values():
            baseline = report.of_method(group, report.BASELINE)
            cells.append(f"{report.share_of(report.of_method(group, method), baseline, metric):.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def checkpoints(methods: Sequence[str]) -> str:
    """A markdown table of what the manifest says of the networks measured."""
    lines = ["| network | trained at | steps | photos seen | minutes | on | file |", "|---|---|---|---|---|---|---|"]
    for name, record in weights.records().items():
        if name in methods:
            size, extra = record.extra.get("recipe", {}).get("size"), record.extra
            told = (
                f"{size} px" if size else "",
                f"{record.steps:,}",
                f"{record.images_seen:,}",
                f"{extra['minutes']:.0f}" if "minutes" in extra else "",
                str(extra.get("device", "")),
                f"{record.bytes / 1e6:.1f} MB {record.dtype}",
            )
            lines.append(f"| {title(name)} | " + " | ".join(told) + " |")
    return "\n".join(lines)


def page(
    animals: Sequence[report.Fill],
    scenes: Sequence[report.Fill],
    counts: dict[str, tuple[int, int]],
    left_out: Sequence[str],
    training: Section | None,
) -> str:
    """The page's text.

    Args:
        animals, scenes: fills measured on the masks of `reported.ANIMALS` and `reported.PLACES`.
        counts: photos measured, and photos there are, of "animals" and "scenes".
        left_out: methods that are ready, but slow.
        training: of `speed.table`; None leaves it out.
    """
    methods = report.unique(fill.method for fill in (*animals, *scenes))
    threads = "one thread" if torch.get_num_threads() == 1 else f"{torch.get_num_threads()} threads"
    slow = f" Left out because they are slow: {', '.join(left_out)}." if left_out else ""
    parts = [
        "# Results",
        "What the shipped weights do, on the terms of the tables reported for these systems. Written by "
        "`python -m train.evaluation.results`, not by hand. All photos are central squares that no "
        "network was trained on; a photo's mask depends on its name alone, so every method fills the same holes. LPIPS is that of the whole "
        "photo with AlexNet, the other columns are over the hole with pixel values in [0, 1]; `/ ns` is the share of "
        "Navier-Stokes' mean on the same photos, with the 95 % bootstrap interval over photos; seconds are "
        f"medians on {threads} of the machine that wrote this page.{slow}",
    ]
    if any(catalogue.get(method).restores for method in methods):
        parts.append(
            f"{RESTORES.strip()} restores: it alone sees the hidden part, pixelated. Its rows say how well a mosaic is "
            "undone, and compare with no other row."
        )
    parts += ["## The networks", checkpoints(methods)]
    for name, fills, table in (("animals", animals, reported.ANIMALS), ("scenes", scenes, reported.PLACES)):
        measured, there = counts[name]
        few = "" if measured == there else f", evenly spread over the {there} there are"
        parts += [reported.beside(fills, table).rstrip(), f"Here: {measured} photos{few}."]
        for kind in table.masks:
            of_kind = [fill for fill in fills if fill.masks == kind]
            parts += [f"### {kind} masks", means(of_kind)]
            if len({fill.ratio for fill in of_kind}) > 1:
                for metric in [metric for metric in SHARES if metric in of_kind[0].metrics]:
                    words = "LPIPS" if metric == "lpips" else "L1 in the hole"
                    parts += [f"{words} as a share of Navier-Stokes, by hole ratio (photos):", ratios(of_kind, metric)]
    if training is not None:
        parts += ["## Training speed", report.as_markdown(training)]
    return "\n\n".join(parts) + "\n"


def main(
    animals: Annotated[list[Path], typer.Option(help="photos of the survey's table; repeat")],
    scenes: Annotated[list[Path], typer.Option(help="photos of DeepFill v2's table; repeat")],
    write: Annotated[Path, typer.Option(help="the page to write")],
    method: Annotated[list[str] | None, typer.Option(help="a method; repeat; default: all that are quick")] = None,
    slowest: Annotated[float, typer.Option(help="leave out what takes more seconds at 512 px")] = 3.0,
    animals_limit: Annotated[int | None, typer.Option(help="at most so many animals")] = 80,
    scenes_limit: Annotated[int | None, typer.Option(help="at most so many scenes")] = 30,
    training: Annotated[bool, typer.Option(help="measure the speed of the training scripts, too")] = True,
    size: Annotated[int, typer.Option(help="side of the central squares")] = 256,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda")] = "auto",
) -> None:
    """Measure, and write the page of results."""
    methods, left_out = quick_methods(method, slowest)
    if why := metrics.lpips_unavailable_reason():
        raise InpaintError(why)
    counts, fills = {}, {}
    limits = {"animals": animals_limit, "scenes": scenes_limit}
    tables = {"animals": reported.ANIMALS, "scenes": reported.PLACES}
    for name, sources in (("animals", animals), ("scenes", scenes)):
        there = list(photos(expand(sources), size, None))
        chosen = spread(there, limits[name])
        if not chosen:
            raise InpaintError(f"There are no photos to measure on in --{name}.")
        counts[name] = len(chosen), len(there)
        begun = time.perf_counter()
        fills[name], _ = measure(chosen, methods, tables[name].masks, device=device)
        typer.echo(f"{name}: {len(fills[name])} fills in {time.perf_counter() - begun:.0f} s", err=True)
    section = speed.table() if training else None
    write.parent.mkdir(parents=True, exist_ok=True)
    write.write_text(page(fills["animals"], fills["scenes"], counts, left_out, section), encoding="utf-8")
    typer.echo(f"wrote {write}")


if __name__ == "__main__":
    start(main)
