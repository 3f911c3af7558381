"""`compare`: one hole, many methods: each result, a labelled sheet of all, and a table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inpaint_core import catalogue
from inpaint_core.cli.options import Blend, Device, Dilate, Invert, Refine, Seed
from inpaint_core.cli.status import SOME_FAILED
from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from inpaint_core.predictor.predictor import Result

METRICS = ("l1", "l2", "psnr", "ssim", "lpips", "tv")


def compare(
    source: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo.")],
    mask: Annotated[Path, typer.Argument(metavar="MASK", help="White = hole, of the photo's size.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The folder to write into.")],
    method: Annotated[
        list[str] | None,
        typer.Option("-m", "--method", help="A method; again for more. Default: all that are ready."),
    ] = None,
    sketch: Annotated[Path | None, typer.Option(help="White lines = edges wanted in the hole.")] = None,
    reference: Annotated[
        Path | None, typer.Option(metavar="PHOTO", help="The photo with the hidden pixels known: adds metrics.")
    ] = None,
    hide_and_seek: Annotated[
        bool, typer.Option("--hide-and-seek", help="PHOTO is intact under the mask: it is its own reference.")
    ] = False,
    refine: Refine = None,
    blend: Blend = None,
    dilate: Dilate = 0,
    invert: Invert = False,
    seed: Seed = 0,
    device: Device = "auto",
) -> None:
    """Fill the same hole with several methods, fastest first.

    Writes into DIR: METHOD.png for each, sheet.png with all of them side by side, results.csv. L1, L2, PSNR, SSIM,
    LPIPS and total variation are given where the hidden pixels are known, over the hole and over the whole photo.

    Example: `python -m inpaint_core compare photo.jpg mask.png -o compared/ -m telea -m patchmatch --hide-and-seek`
    """
    if reference is not None and hide_and_seek:
        raise InpaintError("Give --reference or --hide-and-seek, not both: in the latter the photo is the reference.")
    for name in method or ():
        catalogue.require_ready(name)
    import inpaint_core
    from inpaint_core import photo
    from inpaint_core.arguments import choose_device
    from inpaint_core.cli import console, files, sheet

    choose_device(device)
    picture = photo.read(source)
    size = picture.pixels.shape[:2]
    hole, notes = files.load_mask(mask, size, invert, dilate)
    edges = None if sketch is None else files.load_sketch(sketch, size)
    truth = picture.pixels if hide_and_seek else None if reference is None else photo.read(reference).pixels
    files.make_folder(output)

    results = []
    with console.one_bar("Comparing") as progress:
        for result in inpaint_core.compare(
            picture.pixels, hole, method, edges, truth, device, seed, refine=refine, blend=blend, progress=progress
        ):
            if result.image is not None:
                photo.write(picture, result.image, output / f"{result.method}.png", mask=hole)
            results.append(result)
            console.out.print(_row(result))
    drawn = sheet.draw(picture.pixels, hole, results, truth)
    photo.write(photo.Photo(drawn), drawn, output / "sheet.png")
    _write_table(results, output / "results.csv")
    told = [f"{result.method}: {note}" for result in results for note in result.details.get("notes", ())]
    for note in [*picture.notes, *notes, *told, *_why_no_lpips(results)]:
        console.err.print(f"Note: {note}")
    console.out.print(f"{output / 'sheet.png'}")
    if any(result.error for result in results):
        raise typer.Exit(SOME_FAILED)


def _row(result: Result) -> str:
    """One line of text on a result."""
    if result.error:
        return f"{result.method:<20} failed: {result.error}"
    numbers = "  ".join(f"{name.upper()} {result.metrics[key]:.4f}" for name, key in _hole_keys(result))
    return f"{result.method:<20} {result.seconds:7.2f} s{'   in the hole: ' if numbers else ''}{numbers}"


def _hole_keys(result: Result) -> list[tuple[str, str]]:
    return [(name, f"hole_{name}") for name in METRICS if f"hole_{name}" in result.metrics]


def _why_no_lpips(results: list[Result]) -> list[str]:
    """Why the table has no LPIPS although a reference was given; nothing where it has."""
    measured = [result for result in results if result.metrics]
    if not measured or "lpips" in measured[0].metrics:
        return []
    from inpaint_core import metrics

    return [reason for reason in [metrics.lpips_unavailable_reason()] if reason]


def _write_table(results: list[Result], path: Path) -> None:
    """results.csv: a row a method, in the order in which they were done."""
    measured = list(dict.fromkeys(key for result in results for key in result.metrics))
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["method", "title", "year", "seconds", *measured, "error"])
        for result in results:
            record = catalogue.get(result.method)
            values = [f"{result.metrics[key]:.6g}" if key in result.metrics else "" for key in measured]
            table.writerow(
                [record.name, record.title, record.year, f"{result.seconds:.4f}", *values, result.error or ""]
            )
