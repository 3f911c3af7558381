"""`compare`: one hole, many methods: each result, a labelled sheet of all, and a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, UseAppendAction, arg

from inpaint_core import catalogue
from inpaint_core.cli.options import FillArguments, OptionalFile
from inpaint_core.cli.status import SOME_FAILED
from inpaint_core.errors import InpaintError
from inpaint_core.files import check_output

if TYPE_CHECKING:
    from inpaint_core.predictor import Result

METRICS = ("l1", "l2", "psnr", "ssim", "lpips", "tv")


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Fill the same hole with several methods, fastest first.

    Writes into DIR: METHOD.png for each, sheet.png with all of them side by side, results.csv. L1, L2, PSNR, SSIM,
    LPIPS and total variation are given where the hidden pixels are known, over the hole and over the whole photo.

    For example: `python -m inpaint_core compare photo.jpg mask.png -o compared/ -m telea -m patchmatch --hide-and-seek`
    """

    source: Positional[Annotated[Path, arg(metavar="PHOTO")]]
    """The photo."""
    mask: Positional[Annotated[Path, arg(metavar="MASK")]]
    """White = hole, of the photo's size."""
    output: Annotated[Path, arg(aliases=["-o"], metavar="DIR")]
    """The folder to write into."""
    method: UseAppendAction[Annotated[tuple[str, ...], arg(aliases=["-m"], metavar="NAME")]] = ()
    """A method, also with public weights, as in lama@big; again for more. Default: all that are ready."""
    sketch: OptionalFile = None
    """White lines = edges wanted in the hole."""
    reference: Annotated[Path | None, arg(metavar="PHOTO")] = None
    """The photo with the hidden pixels known: adds metrics."""
    hide_and_seek: bool = False
    """PHOTO is intact under the mask: it is its own reference."""
    fill: OmitArgPrefixes[FillArguments] = FillArguments()
    overwrite: bool = False
    """Write over what an earlier comparison has left in DIR."""

    def run(self) -> int:
        """Fill, measure and write; returns the exit status."""
        if self.reference is not None and self.hide_and_seek:
            raise InpaintError(
                "Give --reference or --hide-and-seek, not both: the latter takes the photo as reference."
            )
        for name in self.method:
            catalogue.require_ready(name)
        from inpaint_core import photo
        from inpaint_core.cli import console, files
        from inpaint_core.compare import fill_all
        from inpaint_core.report import sheet, table

        options = self.fill.options()
        picture = photo.read(self.source)
        size = picture.pixels.shape[:2]
        hole, notes = files.load_mask(self.mask, size, self.fill.invert, self.fill.dilate)
        if self.sketch is not None:
            options = replace(options, sketch=files.load_sketch(self.sketch, size))
        truth = picture.pixels if self.hide_and_seek else None
        if self.reference is not None:
            truth = photo.read(self.reference).pixels
        methods = self.method or tuple(method.name for method in catalogue.methods() if method.ready)
        outputs = [self.output / name for name in (*(f"{name}.png" for name in methods), "sheet.png", "results.csv")]
        for path in outputs:
            check_output(path, (self.source, self.mask, self.sketch, self.reference), self.overwrite)
        files.make_folder(self.output)

        results = []
        with console.one_bar("Comparing") as progress:
            for result in fill_all(picture.pixels, hole, methods, options, reference=truth, progress=progress):
                if result.image is not None:
                    photo.write(picture, result.image, self.output / f"{result.method}.png", mask=hole)
                results.append(result)
                console.out.print(_row(result))
        drawn = sheet.draw(picture.pixels, hole, results, truth)
        photo.write(photo.Photo(drawn), drawn, self.output / "sheet.png")
        table.write_csv(results, self.output / "results.csv")
        notes += [f"{result.method}: {note}" for result in results for note in result.details.get("notes", ())]
        for note in [*picture.notes, *notes, *_why_no_lpips(results)]:
            console.err.print(f"Note: {note}")
        console.out.print(f"{self.output / 'sheet.png'}")
        return SOME_FAILED if any(result.error for result in results) else 0


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
