"""The Batch tab: many photos, one mask for all or one for each by its name, and a ZIP of what was filled."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from inpaint_core import InpaintError, Result, batch, catalogue, masks
from inpaint_core import photo as photos
from inpaint_core.predictor import FillOptions
from webui import canvas, controls, exchange, limits, runner, work
from webui.drawing import Strokes
from webui.events import Updates, Values, connect_run, shows_errors
from webui.exchange import Sent
from webui.files import save_png, short_lived_folder
from webui.runner import FillRequest
from webui.workers.admission import TAKES_TURNS, takes_turns
from webui.workers.visitors import Gone
from webui.workspace import Workspace

FIRST_STATUS = (
    "For a watermark or a date stamp: one mask for all photos. Or a mask for each, named like it: `cat.png` or "
    "`cat_mask.png` for `cat.jpg`. Without any, what is painted at the left is the mask of all."
)
STRETCH = 0.02  # by how much the proportions of a photo may differ from those of a mask that is scaled to it


@dataclass
class Report:
    """How a batch has gone so far."""

    count: int  # photos in all
    filled: list[Path] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)  # name of the photo, reason

    @property
    def words(self) -> str:
        """For the page, as Markdown; the failed photos are named."""
        lines = [f"{len(self.filled)} of {self.count} photos filled."]
        lines += [f"- {controls.as_code(name)}: {controls.as_text(reason)}" for name, reason in self.failed]
        return "\n".join(lines)


class BatchTab:
    """The tab's components, and what happens when they are used."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        kinds = ["image"]
        self.photos = gr.File(label="Photos", file_count="multiple", file_types=kinds, elem_id="batch-photos")
        self.masks = gr.File(
            label="Masks: white is the hole",
            file_count="multiple",
            file_types=kinds,
            elem_id="batch-masks",
        )
        with gr.Row():
            self.method = gr.Dropdown(
                controls.grouped_choices(),
                value=catalogue.default_method(),
                label="Method",
                elem_id="batch-method",
                scale=2,
            )
            self.format = gr.Dropdown(
                [("Each photo's own", ""), *((name, name) for name in photos.FORMATS)],
                value="",
                label="Format",
                elem_id="batch-format",
            )
        with gr.Row():
            self.start = gr.Button("Fill all", variant="primary", size="lg", elem_id="batch-start", scale=3)
            self.stop = gr.Button("Stop", size="lg", elem_id="batch-stop", visible=False, scale=1, min_width=90)
        self.status = gr.Markdown(FIRST_STATUS, elem_id="batch-status", elem_classes="quiet status")
        self.archive = gr.DownloadButton("Download all (ZIP)", elem_id="batch-zip", visible=False)
        self._connect()

    def _connect(self) -> None:
        """Connect the buttons."""
        words = "Stopped; the ZIP has what was filled until then."
        connect_run(
            self.start,
            self.stop,
            self.fill_all,
            {*self.workspace.inputs, self.photos, self.masks, self.method, self.format},
            [self.status, self.archive],
            stopped=([self.status], lambda: {self.status: words}),
            js=canvas.HAND_OVER_STROKES,
            **TAKES_TURNS,
        )

    @property
    def listing(self) -> list[Any]:
        """What `list_methods` sets."""
        return [self.method]

    def list_methods(self) -> Updates:
        """Offer the methods that can run now."""
        return {self.method: gr.Dropdown(choices=controls.grouped_choices())}

    @shows_errors
    @takes_turns
    def fill_all(self, values: Values) -> Iterator[Updates]:
        """Fill every photo; a bad one is named and the others go on. After each, the ZIP has those filled so far."""
        given = values[self.photos] or []
        if not given:
            raise InpaintError("Choose photos first.")
        if len(given) > limits.BATCH:
            raise InpaintError(f"{len(given)} photos are more than the {limits.BATCH} of one batch; choose fewer.")
        folder = short_lived_folder()
        sources = _copied(given, folder / "photos")
        if values[self.masks]:
            mask_files = _copied(values[self.masks], folder / "masks")
        else:
            mask_files = save_png(self._painted(values), folder / "masks" / "painted.png").parent
        one = next(iter(mask_files.iterdir())) if len(list(mask_files.iterdir())) == 1 else None
        plan = batch.plan(sources, one or mask_files, None, folder / "filled", values[self.format] or None)
        report = Report(len(plan.jobs) + len(plan.failures), failed=[(path.name, why) for path, why in plan.failures])
        yield {self.status: report.words, self.archive: gr.DownloadButton(visible=False)}
        archive = folder / "filled.zip"
        for index, job in enumerate(plan.jobs):
            heading = f"{index + 1} of {len(plan.jobs)}: {controls.as_code(job.photo.name)}"
            try:
                picture = work.run(limits.read_photo, job.photo)
                size = picture.pixels.shape[:2]
                hole = masks.from_file(work.run(limits.read_mask, job.mask))
                hole = masks.check(_scaled(hole, size) if one is not None else hole, *size)
                for event in runner.stream(FillRequest(picture.pixels, hole, values[self.method], FillOptions())):
                    if isinstance(event, Result):
                        job.output.parent.mkdir(exist_ok=True)
                        assert event.image is not None
                        work.run(exchange.write, Sent(picture, hole, None, None), event.image, job.output)
                    elif isinstance(event, runner.ProgressEvent):
                        yield {self.status: f"{heading}, {event.share:.0%}\n\n{report.words}"}
            except Gone:
                raise
            except InpaintError as error:
                report.failed.append((job.photo.name, str(error)))
                continue
            with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as packed:  # photos are compressed already
                packed.write(job.output, job.output.name)
            report.filled.append(job.output)
            yield {self.status: report.words, self.archive: gr.DownloadButton(value=str(archive), visible=True)}
        yield {self.status: report.words}

    def _painted(self, values: Values) -> np.ndarray:
        """What is painted on the canvas, with its repairs; `InpaintError` where nothing is."""
        strokes: Strokes = self.workspace.strokes(values)
        if strokes.mask is None:
            raise InpaintError("Choose masks, or open a photo at the left and paint one for all.")
        return self.workspace.drawing(values).target().mask


def _copied(files: list[str], folder: Path) -> Path:
    """Uploaded files in a folder under their own names; two of one name are an `InpaintError`."""
    folder.mkdir()
    for file in map(Path, files):
        if (folder / file.name).exists():
            raise InpaintError(f"There are two files named {file.name}; rename one of them.")
        shutil.copyfile(file, folder / file.name)
    return folder


def _scaled(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask for all photos brought to the size of one; `InpaintError` where the proportions differ."""
    proportions = [width / height for height, width in (mask.shape, size)]
    if abs(proportions[0] / proportions[1] - 1) > STRETCH:
        raise InpaintError(
            f"The mask is {mask.shape[1]} x {mask.shape[0]} and the photo {size[1]} x {size[0]} pixels, of other "
            "proportions; give this photo a mask of its own."
        )
    return mask if mask.shape == size else masks.resize(mask, *size)
