"""`fill`: one photo, or a folder of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inpaint_core import catalogue
from inpaint_core.cli.options import Blend, Device, Dilate, Invert, Refine, Seed, Sketch, Weights
from inpaint_core.cli.status import SOME_FAILED
from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from inpaint_core.cli.jobs import Job, Plan
    from inpaint_core.progress import Progress


@dataclass(frozen=True)
class Settings:
    """How every photo of a call is filled."""

    method: str
    refine: str | None
    blend: str | None
    dilate: int
    invert: bool
    seed: int
    device: str
    format: str | None
    overwrite: bool
    weights: Path | None


def fill(
    source: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo, or a folder of photos.")],
    mask: Annotated[
        Path,
        typer.Argument(
            metavar="MASK",
            help="White = hole, of the photo's size; or a folder with cat.png or cat_mask.png for cat.jpg.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The result: a file, or a folder for a folder.")],
    method: Annotated[
        str, typer.Option("-m", "--method", help="A name from `methods`.", show_default=True)
    ] = catalogue.default_method(),
    sketch: Sketch = None,
    refine: Refine = None,
    blend: Blend = None,
    dilate: Dilate = 0,
    invert: Invert = False,
    seed: Seed = 0,
    device: Device = "auto",
    weights: Weights = None,
    format: Annotated[
        str | None,
        typer.Option(help="png, jpg, webp ...: not the photo's own format. PNG keeps known pixels exact."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Redo results of a folder that exist, or write over the photo itself.")
    ] = False,
) -> None:
    """Fill the hole of a photo, or of every photo in a folder.

    The result has the photo's format, orientation, EXIF, colour profile and transparency. A folder goes on where it
    was interrupted: results that exist are skipped. A bad file does not end a batch; the failed ones are listed.

    Examples:

    `python -m inpaint_core fill photo.jpg mask.png -m patchmatch -o out.jpg`

    `python -m inpaint_core fill photos/ masks/ -m telea -o filled/ --dilate 3`
    """
    from inpaint_core.arguments import choose_device
    from inpaint_core.cli import console, jobs
    from inpaint_core.predictor import options as finish

    settings = Settings(method, refine, blend, dilate, invert, seed, device, format, overwrite, weights)
    if weights is None:
        catalogue.require_ready(method)
    finish.check(refine, blend)
    choose_device(device)
    plan = jobs.plan(source, mask, sketch, output, format)
    if plan.is_batch:
        raise typer.Exit(_batch(plan, settings))
    (job,) = plan.jobs
    with console.one_bar(job.photo.name) as progress:
        seconds, notes = _fill_file(job, settings, progress)
    for note in notes:
        console.err.print(f"Note: {note}")
    console.out.print(f"{job.output}  ({method}, {seconds:.2f} s)")


def _fill_file(job: Job, settings: Settings, progress: Progress | None = None) -> tuple[float, list[str]]:
    """Fill one photo and write the result; returns the seconds of the fill, and sentences for the user."""
    from inpaint_core import inpaint, photo
    from inpaint_core.cli import files

    picture = photo.read(job.photo)
    size = picture.pixels.shape[:2]
    hole, notes = files.load_mask(job.mask, size, settings.invert, settings.dilate)
    edges = None if job.sketch is None else files.load_sketch(job.sketch, size)
    result = inpaint(
        picture.pixels,
        hole,
        settings.method,
        edges,
        settings.device,
        settings.seed,
        refine=settings.refine,
        blend=settings.blend,
        weights=settings.weights,
        progress=progress,
    )
    assert result.image is not None  # only `compare` returns a result without one
    files.make_folder(job.output.parent)
    photo.write(picture, result.image, job.output, mask=hole, format=settings.format, overwrite=settings.overwrite)
    return result.seconds, [*picture.notes, *notes, *result.details["notes"]]


def _batch(plan: Plan, settings: Settings) -> int:
    """Fill every photo of a folder; returns the exit status, 0 or `SOME_FAILED`."""
    from inpaint_core.cli import console

    skipped, failures, start = 0, list(plan.failures), time.perf_counter()
    with console.batch_bar(len(plan.jobs)) as progress:
        for job in plan.jobs:
            progress.update(console.FILES, description=job.photo.name)
            if job.output.exists() and not settings.overwrite:
                skipped += 1
            else:
                try:
                    _, notes = _fill_file(job, settings)
                except InpaintError as error:
                    failures.append((job.photo, str(error)))
                except Exception as error:  # whatever one photo brings up, the others get their turn, and it is told
                    failures.append((job.photo, f"{type(error).__name__}: {error}"))
                else:
                    for note in notes:
                        console.err.print(f"Note on {job.photo.name}: {note}")
            progress.advance(console.FILES)
    done = len(plan.jobs) + len(plan.failures) - skipped - len(failures)
    existed = f", {skipped} existed already" if skipped else ""
    failed = f", {len(failures)} failed" if failures else ""
    console.out.print(f"{done} filled{existed}{failed}, {time.perf_counter() - start:.1f} s")
    for path, reason in sorted(failures):
        console.err.print(f"Failed: {reason if path.name in reason else f'{path.name}: {reason}'}")
    return SOME_FAILED if failures else 0
