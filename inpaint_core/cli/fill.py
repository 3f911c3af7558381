"""`fill`: one photo, or a folder of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from inpaint_core import catalogue
from inpaint_core.cli.options import FillArguments, OptionalFile, Output
from inpaint_core.cli.status import SOME_FAILED
from inpaint_core.errors import InpaintError
from inpaint_core.files import check_output

if TYPE_CHECKING:
    from inpaint_core.batch import Job, Plan
    from inpaint_core.predictor import FillOptions, Progress


@dataclass(frozen=True, kw_only=True)
class Fill:
    """Fill the hole of a photo, or of every photo in a folder.

    The result has the photo's format, orientation, EXIF, colour profile and transparency. A folder goes on where it
    was interrupted: results that exist are skipped. A bad file does not end a batch; the failed ones are listed.

    For example: `python -m inpaint_core fill photo.jpg mask.png -m patchmatch -o out.jpg`

    Or a folder: `python -m inpaint_core fill photos/ masks/ -m telea -o filled/ --dilate 3`
    """

    source: Positional[Annotated[Path, arg(metavar="PHOTO")]]
    """A photo, or a folder of photos."""
    mask: Positional[Annotated[Path, arg(metavar="MASK")]]
    """White = hole, of the photo's size; or a folder with cat.png or cat_mask.png for cat.jpg."""
    output: Output
    """The result: a file, or a folder for a folder."""
    method: Annotated[str | None, arg(aliases=["-m"], metavar="NAME")] = None
    """A name from `methods`, or public weights such as lama@big. Default: that of --weights, else patchmatch."""
    sketch: OptionalFile = None
    """White lines = edges wanted in the hole; or a folder, as for masks."""
    colours: OptionalFile = None
    """Dabs of colour wanted in the hole, a picture with transparency; for one photo."""
    fill: OmitArgPrefixes[FillArguments] = FillArguments()
    weights: OptionalFile = None
    """In place of the checkpoint: a file training exported, or a published one (LaMa, DeepFill ...)."""
    format: Annotated[str | None, arg(metavar="WORD")] = None
    """png, jpg, webp ...: not the photo's own format. PNG keeps known pixels exact."""
    overwrite: bool = False
    """Write over results that exist, also over the photo itself."""

    def run(self) -> int:
        """Fill and write; returns the exit status."""
        from inpaint_core import batch
        from inpaint_core.cli import console

        if self.method is None:
            return replace(self, method=self._default_method()).run()
        if self.weights is None:
            catalogue.require_ready(self.method)
        options = self.fill.options(self.weights)
        plan = batch.plan(self.source, self.mask, self.sketch, self.output, self.format)
        if plan.is_batch and self.colours is not None:
            raise InpaintError("Colours are painted for one photo: leave --colours out for a folder.")
        if plan.is_batch:
            return self._fill_folder(plan, options)
        (job,) = plan.jobs
        check_output(job.output, (job.mask, job.sketch, self.colours, self.weights), self.overwrite)
        with console.one_bar(job.photo.name) as progress:
            seconds, notes = self._fill_file(job, options, progress)
        for note in notes:
            console.err.print(f"Note: {note}")
        console.out.print(f"{job.output}  ({self.method}, {seconds:.2f} s)")
        return 0

    def _default_method(self) -> str:
        """The method whose weights are given, or the one that a first-time user should get."""
        if self.weights is None:
            return catalogue.default_method()
        from inpaint_core import weights

        record = weights.record_of(self.weights)
        return record.method if record else weights.convert_public(weights.read_state_dict(self.weights)).method

    def _fill_file(self, job: Job, options: FillOptions, progress: Progress | None = None) -> tuple[float, list[str]]:
        """Fill one photo and write the result; returns the seconds of the fill, and sentences for the user."""
        from inpaint_core import photo, predictor
        from inpaint_core.cli import files

        picture = photo.read(job.photo)
        size = picture.pixels.shape[:2]
        hole, notes = files.load_mask(job.mask, size, self.fill.invert, self.fill.dilate)
        if job.sketch is not None:
            options = replace(options, sketch=files.load_sketch(job.sketch, size))
        if self.colours is not None:
            options = replace(options, colours=files.load_colours(self.colours, size))
        result = predictor.fill(picture.pixels, hole, self.method, options, progress=progress)
        assert result.image is not None  # only a comparison has results without one
        files.make_folder(job.output.parent)
        photo.write(picture, result.image, job.output, mask=hole, format=self.format, overwrite=self.overwrite)
        return result.seconds, [*picture.notes, *notes, *result.details["notes"]]

    def _fill_folder(self, plan: Plan, options: FillOptions) -> int:
        """Fill every photo of a folder; returns the exit status, 0 or `SOME_FAILED`."""
        from inpaint_core.cli import console

        skipped, failures, start = 0, list(plan.failures), time.perf_counter()
        with console.batch_bar(len(plan.jobs)) as progress:
            for job in plan.jobs:
                progress.update(console.FILES, description=job.photo.name)
                if job.output.is_file() and job.output.stat().st_size and not self.overwrite:
                    skipped += 1
                else:
                    try:
                        _, notes = self._fill_file(job, options)
                    except InpaintError as error:
                        failures.append((job.photo, str(error)))
                    except Exception as error:  # one photo's failure, whatever it is, must not end the batch
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
