"""The events that a running fill sends to the page, and where it runs."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest

from inpaint_core import InpaintError, Result, predictor
from inpaint_core.compare import fill_all
from inpaint_core.predictor import FillOptions, blending
from webui import controls, gpu, runner
from webui.runner import FillRequest, PreviewEvent, ProgressEvent


@pytest.fixture
def fill_request(astronaut: np.ndarray) -> FillRequest:
    mask = np.zeros((64, 80), bool)
    mask[20:40, 30:50] = True
    return FillRequest(astronaut[:64, :80], mask, "telea")


@pytest.fixture
def zero_gpu(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """As on a ZeroGPU Space; the settings that the package `spaces` was called with."""
    calls: list[dict] = []

    def lend(**settings):
        calls.append(settings)
        return lambda function: lambda *arguments: function(*arguments)

    spaces = types.ModuleType("spaces")
    spaces.GPU = lend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    return calls


def _fill(request: FillRequest) -> Result:
    return runner.fill(request.image, request.mask, request.method, request.options)


def test_a_fill_sends_its_progress_and_at_last_its_result(fill_request: FillRequest) -> None:
    *before, last = runner.stream(fill_request)
    assert isinstance(last, Result)
    assert last.image is not None
    shares = [event.share for event in before if isinstance(event, ProgressEvent)]
    assert shares
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    assert np.array_equal(_fill(fill_request).image, last.image)


def test_previews_are_passed_on_in_their_order(fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(image, mask, method, options, *, progress, preview):
        for level in (10, 20, 30):
            progress(level / 30, "a pixel")
            preview(np.full_like(image, level))
        return Result(method, image, 0.0)

    monkeypatch.setattr(predictor, "fill", slowly)
    seen = [int(event.image.mean()) for event in runner.stream(fill_request) if isinstance(event, PreviewEvent)]
    assert seen == [10, 20, 30]


def test_callbacks_are_called_in_the_thread_that_waits(
    fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reporting(image, mask, method, options, *, progress, preview):
        progress(0.5, "half")
        preview(image)
        return Result(method, image, 0.0)

    monkeypatch.setattr(predictor, "fill", reporting)
    threads = []
    runner.fill(
        fill_request.image,
        fill_request.mask,
        "telea",
        progress=lambda share, text: threads.append((threading.current_thread(), share, text)),
        preview=lambda image: threads.append((threading.current_thread(), image.shape)),
    )
    here = threading.current_thread()
    assert threads == [(here, 0.5, "half"), (here, fill_request.image.shape)]


def test_a_fill_nobody_waits_for_any_more_ends(fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def endless(*_, progress, **__):
        try:
            while True:
                progress(0.5, "still searching")
                time.sleep(0.001)
        finally:
            ended.set()

    monkeypatch.setattr(predictor, "fill", endless)
    events = runner.stream(fill_request)
    assert isinstance(next(events), ProgressEvent)
    events.close()  # type: ignore[attr-defined]
    assert ended.wait(5)


def test_what_a_user_can_correct_arrives_as_an_inpaint_error(fill_request: FillRequest) -> None:
    with pytest.raises(InpaintError, match="empty"):
        _fill(replace(fill_request, mask=np.zeros_like(fill_request.mask)))
    with pytest.raises(InpaintError, match="magic"):
        _fill(replace(fill_request, method="magic"))


def test_any_other_error_is_not_hidden(fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(predictor, "fill", broken)
    with pytest.raises(ZeroDivisionError):
        _fill(fill_request)


def test_in_a_comparison_the_next_method_waits_until_the_result_before_was_taken(
    fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def noted(image, mask, method, options, **_):
        started.append(method)
        return Result(method, image, 0.0)

    monkeypatch.setattr(predictor, "fill", noted)
    results = fill_all(fill_request.image, fill_request.mask, ["ns", "telea"], fill=runner.fill)
    next(results)
    time.sleep(0.05)
    assert started == ["ns"]  # measuring the first must not slow the second down
    list(results)
    assert started == ["ns", "telea"]


def test_every_way_of_blending_is_offered_and_known_pixels_survive_it(fill_request: FillRequest) -> None:
    names = [name for _, name in controls.BLENDS]
    assert names == ["", *blending.BLENDS]
    for name in names:
        result = _fill(replace(fill_request, options=FillOptions(blend=name or None)))
        assert result.image is not None
        assert np.array_equal(result.image[~fill_request.mask], fill_request.image[~fill_request.mask])
        assert any("Blended" in note for note in result.details["notes"]) == bool(name)


def test_without_zero_gpu_nothing_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)

    def function() -> None: ...

    assert gpu.on_lent_gpu(function, seconds=lambda: 1) is function
    assert runner.run_lent is runner.run_here
    assert gpu.local_device() == gpu.DEVICE


def test_zero_gpu_lends_by_method_and_pixels_within_bounds(zero_gpu: list[dict], fill_request: FillRequest) -> None:
    wrapped = gpu.on_lent_gpu(runner.run_here, runner.seconds_lent)
    assert wrapped is not runner.run_here
    (settings,) = zero_gpu
    large = np.zeros((3000, 4000), bool)
    large[1000:2000, 1000:3000] = True
    dots = np.zeros((3000, 4000), bool)
    dots[187::375, 250::500] = True
    least, most = runner.LENT_SECONDS
    seconds = settings["duration"]
    assert seconds(fill_request) == least < seconds(replace(fill_request, mask=large, method="patchmatch")) < most
    assert seconds(replace(fill_request, mask=dots, method="latent_search")) == most
    assert isinstance(list(wrapped(fill_request))[-1], Result)


def _lend_in_a_fork(**settings):
    """As the real package lends: each call in a forked process, its arguments and what it yields pickled."""

    def lend(function):
        def call(*arguments):
            ours, theirs = multiprocessing.Pipe()
            sent = pickle.dumps(arguments)

            def work() -> None:
                for event in function(*pickle.loads(sent)):
                    theirs.send_bytes(pickle.dumps(event))
                theirs.close()

            process = multiprocessing.get_context("fork").Process(target=work)
            process.start()
            theirs.close()
            try:
                while True:
                    yield pickle.loads(ours.recv_bytes())
            except EOFError:
                process.join()

        return call

    return lend


def test_a_fill_passes_through_a_forked_process_that_has_the_gpu(
    zero_gpu: list[dict], fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_process(image, mask, method, options, *, progress, preview):
        progress(0.5, "half")
        return Result(method, image, 0.0, {"process": os.getpid()})

    sys.modules["spaces"].GPU = _lend_in_a_fork  # type: ignore[attr-defined]
    monkeypatch.setattr(predictor, "fill", with_process)
    monkeypatch.setattr(runner, "run_lent", gpu.on_lent_gpu(runner.run_here, runner.seconds_lent))
    *before, result = runner.stream(replace(fill_request, method="deepfill_v2"))
    assert [event.text for event in before if isinstance(event, ProgressEvent)] == ["half"]
    assert isinstance(result, Result)
    assert result.details["process"] != os.getpid()
    assert _fill(fill_request).details["process"] == os.getpid()  # Telea asks for no GPU


def test_a_visitor_without_quota_gets_the_fill_of_the_cpu_and_a_sentence(
    zero_gpu: list[dict], fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(request: FillRequest) -> Iterator[Result]:
        raise gr.Error("You have exceeded your GPU quota")
        yield

    def on_device(image, mask, method, options, **_):
        return Result(method, image, 0.0, {"device": options.device, "notes": ["a sentence"]})

    monkeypatch.setattr(runner, "run_lent", refuse)
    monkeypatch.setattr(predictor, "fill", on_device)
    details = _fill(replace(fill_request, method="deepfill_v2")).details
    assert details == {"device": "cpu", "notes": ["a sentence", runner.NO_GPU]}


def test_with_zero_gpu_only_networks_use_the_lent_gpu(
    zero_gpu: list[dict], fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lent(request: FillRequest) -> Iterator[Result]:
        yield Result(request.method, request.image, -1.0)

    monkeypatch.setattr(runner, "run_lent", lent)
    assert _fill(fill_request).seconds >= 0
    assert _fill(replace(fill_request, method="deepfill_v2")).seconds == -1
    assert gpu.local_device() == "cpu"


def test_with_zero_gpu_the_details_travel_without_tensors(
    zero_gpu: list[dict], fill_request: FillRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def explained(image, mask, method, options, **_):
        details = {"coarse": torch.ones(1, 3, 4, 4), "gates": [torch.zeros(2, 2)], "refine": {"flow": torch.ones(2)}}
        return Result(method, image, 0.0, {**details, "notes": ["a sentence"]})

    monkeypatch.setattr(predictor, "fill", explained)
    details = _fill(fill_request).details
    assert isinstance(details["coarse"], np.ndarray)
    assert isinstance(details["gates"][0], np.ndarray)
    assert isinstance(details["refine"]["flow"], np.ndarray)
    assert details["notes"] == ["a sentence"]
    assert pickle.loads(pickle.dumps(fill_request)).method == "telea"


def test_only_the_region_that_is_read_travels_and_the_result_is_of_the_whole_photo(
    zero_gpu: list[dict], astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[int, ...]] = []

    def lent(request: FillRequest) -> Iterator[runner.FillEvent]:
        assert request.options.sketch is not None
        sizes.extend((request.image.shape[:2], request.mask.shape, request.options.sketch.shape))
        yield from runner.run_here(request, "cpu")

    mask = np.zeros((512, 512), bool)
    mask[400:430, 300:350] = True
    request = FillRequest(astronaut, mask, "deepfill_v2", FillOptions(sketch=np.zeros((512, 512), np.float32)))
    expected = predictor.fill(request.image, request.mask, request.method, request.options)
    monkeypatch.setattr(runner, "run_lent", lent)
    result = _fill(request)
    assert len(set(sizes)) == 1
    assert sizes[0] < (512, 512)
    assert result.image is not None
    assert np.array_equal(result.image, expected.image)
    assert result.details["box"] == expected.details["box"]
    assert result.details["crops"] == expected.details["crops"]
