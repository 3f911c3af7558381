"""Runs fills for the page: in a worker process, or on a lent GPU where there is one; events while they run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from inpaint_core import InpaintError, Result, catalogue, predictor
from inpaint_core.masks.boxes import Box, bounding_box
from inpaint_core.predictor import FillOptions, Preview, Progress
from webui import gpu, limits, work
from webui.workers.pool import Waits

LENT_SECONDS = 10, 60  # of a GPU, at least and at most; a visitor with less left in the quota is refused
LENT_START = 8.0  # seconds until a lent GPU computes
GPU_GAIN = 4.0  # a lower bound of its speed over the two CPU cores of the estimate
NO_GPU = "No GPU was free for you, or your daily share of it is used up, so the CPU filled the hole."


@dataclass(frozen=True)
class FillRequest:
    """What is to be filled and how; plain data, as it may travel to the process that has the GPU."""

    image: np.ndarray  # uint8 H x W x 3
    mask: np.ndarray  # bool H x W
    method: str
    options: FillOptions = FillOptions()
    previews: bool = True  # pictures of the unfinished fill are wanted

    def cut(self, box: Box) -> FillRequest:
        """The same of a part of the photo."""
        image, mask = (np.ascontiguousarray(each[box.slices]) for each in (self.image, self.mask))  # is sent as it lies
        return replace(self, image=image, mask=mask, options=self.options.cut(box))


@dataclass(frozen=True)
class ProgressEvent:
    """How far a fill is."""

    share: float  # in [0, 1]
    text: str


@dataclass(frozen=True)
class PreviewEvent:
    """The photo with what is filled so far, uint8 H x W x 3; only methods that fill pixel by pixel show it."""

    image: np.ndarray


FillEvent = ProgressEvent | PreviewEvent | Result
"""What a running fill sends; the `Result` comes last."""


def run_here(request: FillRequest, device: str | None = None) -> Iterator[FillEvent]:
    """Fill in a thread of its own and pass on its events; an `InpaintError` becomes the `error` of a result.

    When the iterator is closed, the fill ends at its next report of progress.
    """
    if device is None:
        device = gpu.DEVICE if catalogue.get(request.method).needs_weights else gpu.local_device()
    options = replace(request.options, device=device)

    def fill(send: Callable[[FillEvent], None]) -> Result:
        return predictor.fill(
            request.image,
            request.mask,
            request.method,
            options,
            progress=lambda share, text: send(ProgressEvent(share, text)),
            preview=(lambda image: send(PreviewEvent(image))) if request.previews else None,
        )

    try:
        for event in work.in_thread(fill):
            if isinstance(event, Result) and gpu.is_zero_gpu():
                event = replace(event, details=gpu.without_tensors(event.details))
            yield event
    except InpaintError as error:
        yield Result(request.method, None, 0.0, error=str(error))


def seconds_lent(request: FillRequest) -> int:
    """How long a fill needs the lent GPU, by its method and the pixels of its crops."""
    seconds = LENT_START + predictor.estimate(request.mask, request.method, request.options) / GPU_GAIN
    return math.ceil(min(max(seconds, LENT_SECONDS[0]), LENT_SECONDS[1]))


run_lent = gpu.on_lent_gpu(run_here, seconds_lent)
"""`run_here` on a lent GPU, where there is one."""


def run_lent_or_here(request: FillRequest) -> Iterator[FillEvent]:
    """Fill on the lent GPU, or on the CPU where the visitor has no more of it; the result's notes say so."""
    from gradio import Error  # what `spaces` raises, with a sentence; not imported by workers

    box = work.run(predictor.region, request.mask, request.method, request.options)
    try:
        for event in run_lent(request.cut(box)):
            yield _of_whole(event, request, box)
    except Error:
        for event in run_local(request):
            if isinstance(event, Result):
                notes = [*event.details.get("notes", []), NO_GPU]
                event = replace(event, details={**event.details, "notes": notes})
            yield event


def fill_in_worker(send: Callable[[FillEvent], None], request: FillRequest) -> Result:
    """Fill in a worker process, which calls this; `send` takes the events."""
    result = predictor.fill(
        request.image,
        request.mask,
        request.method,
        replace(request.options, device=gpu.local_device()),
        progress=lambda share, text: send(ProgressEvent(share, text)),
        preview=(lambda image: send(PreviewEvent(image))) if request.previews else None,
    )
    return replace(result, details=gpu.without_tensors(result.details))


def run_in_worker(request: FillRequest) -> Iterator[FillEvent]:
    """Fill in a worker process, if the estimate of its cost allows it.

    Raises:
        InpaintError: as `inpaint_core.inpaint`; it would cost too much, or did.
    """
    options = replace(request.options, sketch=None, colours=None)  # make no difference to the plan
    hole = bounding_box(request.mask) if request.mask.any() else Box(0, 0, 1, 1)
    part = request.mask[hole.slices]
    seconds, box = work.run(_plan, part, hole, request.mask.shape, request.method, options)
    for event in work.stream(limits.check_cost(seconds), fill_in_worker, request.cut(box)):
        if isinstance(event, Waits):
            yield ProgressEvent(0.0, f"Waiting: {event.before} before you")
        else:
            yield _of_whole(event, request, box)


def _plan(part: np.ndarray, place: Box, size: tuple[int, int], method: str, options: FillOptions) -> tuple[float, Box]:
    """The seconds that a fill takes, and the part of the photo that it reads; all of the hole is in `part`."""
    mask = np.zeros(size, bool)
    mask[place.slices] = part
    return predictor.estimate(mask, method, options), predictor.region(mask, method, options)


def _of_whole(event: FillEvent, request: FillRequest, box: Box) -> FillEvent:
    """What a fill of the part in `box` has sent, as that of the whole photo would."""
    if isinstance(event, PreviewEvent):
        return PreviewEvent(predictor.pasted(event.image, request.image, box))
    return predictor.in_whole(event, request.image, box) if isinstance(event, Result) else event


def run_local(request: FillRequest) -> Iterator[FillEvent]:
    """Fill on this machine: in a worker process where there are any."""
    if limits.WORKERS:
        return run_in_worker(request)
    return run_here(request, gpu.local_device())


def stream(request: FillRequest) -> Iterator[FillEvent]:
    """Fill: events of progress and previews, and finally the result.

    Raises:
        InpaintError: as `inpaint_core.inpaint`; it would cost too much, or did.
    """
    # Methods without a network stay off the GPU, so that a visitor without any quota can use them.
    lent = gpu.is_zero_gpu() and predictor.uses_gpu(request.method)
    for event in run_lent_or_here(request) if lent else run_local(request):
        if isinstance(event, Result) and event.error is not None:
            raise InpaintError(event.error)
        yield event


def measure(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    """As `inpaint_core.metrics.measure`, in a worker process."""
    return work.run(_measure, image, reference, mask)


def lpips_unavailable_reason() -> str | None:
    """As `inpaint_core.metrics.lpips_unavailable_reason`, in a worker process."""
    return work.run(_lpips_unavailable_reason)


def _measure(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    from inpaint_core import metrics  # imports torch, which the page does without

    return metrics.measure(image, reference, mask)


def _lpips_unavailable_reason() -> str | None:
    from inpaint_core import metrics

    return metrics.lpips_unavailable_reason()


def fill(
    image: np.ndarray,
    mask: np.ndarray,
    method: str | None = None,
    options: FillOptions = FillOptions(),
    *,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Result:
    """As `predictor.fill`, on a lent GPU where there is one; the callbacks are called in the caller's thread."""
    request = FillRequest(image, mask, method or catalogue.default_method(), options, previews=preview is not None)
    for event in stream(request):
        if isinstance(event, Result):
            return event
        if isinstance(event, ProgressEvent) and progress is not None:
            progress(event.share, event.text)
        if isinstance(event, PreviewEvent) and preview is not None:
            preview(event.image)
    raise AssertionError("a fill ended without a result")
