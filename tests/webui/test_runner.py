"""What a running fill tells the page, and where it runs."""

from __future__ import annotations

import sys
import threading
import time
import types
from collections.abc import Iterator

import numpy as np
import pytest

import inpaint_core
from inpaint_core import InpaintError, Result, catalogue
from inpaint_core.predictor import blending
from webui import compare, controls, runner
from webui.runner import Order, Progress, Unfinished


@pytest.fixture
def order(astronaut: np.ndarray) -> Order:
    mask = np.zeros((64, 80), bool)
    mask[20:40, 30:50] = True
    return Order(astronaut[:64, :80], mask, "telea")


@pytest.fixture
def zero_gpu(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """As on a ZeroGPU Space; what the package `spaces` was asked for."""
    asked: list[dict] = []

    def lend(**settings):
        asked.append(settings)
        return lambda function: lambda *arguments: function(*arguments)

    spaces = types.ModuleType("spaces")
    spaces.GPU = lend  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    return asked


def test_a_fill_tells_its_progress_and_at_last_its_result(order: Order) -> None:
    *before, last = runner.steps(order)
    assert isinstance(last, Result)
    assert last.image is not None
    shares = [news.share for news in before if isinstance(news, Progress)]
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    assert np.array_equal(runner.fill(order).image, last.image)


def test_unfinished_photos_are_passed_on_in_their_order(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(image, mask, method, progress, preview, **_):
        for level in (10, 20, 30):
            progress(level / 30, "a pixel")
            preview(np.full_like(image, level))
        return Result(method, image, 0.0)

    monkeypatch.setattr(inpaint_core, "inpaint", slowly)
    seen = [int(news.image.mean()) for news in runner.steps(order) if isinstance(news, Unfinished)]
    assert seen == [10, 20, 30]


def test_a_fill_nobody_waits_for_any_more_ends(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def endless(progress, **_):
        try:
            while True:
                progress(0.5, "still searching")
                time.sleep(0.001)
        finally:
            ended.set()

    monkeypatch.setattr(inpaint_core, "inpaint", endless)
    news = runner.steps(order)
    assert isinstance(next(news), Progress)
    news.close()  # type: ignore[attr-defined]
    assert ended.wait(5)


def test_what_a_user_can_mend_arrives_as_an_inpaint_error(order: Order) -> None:
    nothing = Order(order.image, np.zeros_like(order.mask), "telea")
    with pytest.raises(InpaintError):
        runner.fill(nothing)
    with pytest.raises(InpaintError, match="magic"):
        runner.fill(Order(order.image, order.mask, "magic"))


def test_any_other_error_is_not_hidden(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_):
        raise ZeroDivisionError

    monkeypatch.setattr(inpaint_core, "inpaint", broken)
    with pytest.raises(ZeroDivisionError):
        runner.fill(order)


def test_a_comparison_runs_the_cheap_methods_first_and_survives_a_failure(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = inpaint_core.inpaint

    def failing(method, **settings):
        if method == "ns":
            raise InpaintError("It is too large.")
        return real(method=method, **settings)

    monkeypatch.setattr(inpaint_core, "inpaint", failing)
    results = [news for news in runner.compare(order, ["telea", "ns", "telea"]) if isinstance(news, Result)]
    assert [result.method for result in results] == ["ns", "telea"]
    assert results[0].error == "It is too large."
    assert results[1].image is not None
    with pytest.raises(InpaintError, match="choose at least one"):
        list(runner.compare(order, []))


def test_the_next_method_waits_until_the_result_before_was_taken(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []

    def noted(method, image, **_):
        started.append(method)
        return Result(method, image, 0.0)

    monkeypatch.setattr(inpaint_core, "inpaint", noted)
    results: Iterator = runner.compare(order, ["ns", "telea"])
    next(results)
    time.sleep(0.05)
    assert started == ["ns"]  # measuring the first must not slow the second down
    list(results)
    assert started == ["ns", "telea"]


def test_slow_methods_and_those_that_see_the_truth_are_not_chosen_for_a_comparison_at_first() -> None:
    quick = [method.name for method in catalogue.methods() if compare.chosen_at_first(method.name)]
    assert {"ns", "telea", "patchmatch", "deepfill_v2"} <= set(quick)
    assert not {"latent_search", "pixel_cnn", "pixel_rnn", "deepfill_v1_mosaic"} & set(quick)


def test_every_way_of_blending_is_offered_and_known_pixels_survive_it(order: Order) -> None:
    names = [name for _, name in controls.FINISHES]
    assert names == ["", *blending.BLENDS]
    for name in names:
        result = runner.fill(Order(order.image, order.mask, "telea", blend=name or None))
        assert result.image is not None
        assert np.array_equal(result.image[~order.mask], order.image[~order.mask])
        assert any("Blended" in note for note in result.details["notes"]) == bool(name)


def test_without_zero_gpu_nothing_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)

    def function() -> None: ...

    assert runner.on_lent_gpu(function) is function
    assert runner._run_lent is runner._run
    assert runner.device_here() == runner.DEVICE


def test_zero_gpu_lends_longer_to_slow_methods(zero_gpu: list[dict], order: Order) -> None:
    wrapped = runner.on_lent_gpu(runner._run)
    assert wrapped is not runner._run
    (settings,) = zero_gpu
    assert settings["duration"](Order(order.image, order.mask, "deepfill_v2")) == 15
    assert settings["duration"](Order(order.image, order.mask, "latent_search")) == 60
    assert isinstance(list(wrapped(order))[-1], Result)


def test_with_zero_gpu_only_networks_use_the_lent_gpu(
    zero_gpu: list[dict], order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lent(asked: Order) -> Iterator[Result]:
        yield Result(asked.method, asked.image, -1.0)

    monkeypatch.setattr(runner, "_run_lent", lent)
    assert runner.fill(order).seconds >= 0
    assert runner.fill(Order(order.image, order.mask, "deepfill_v2")).seconds == -1
    assert runner.device_here() == "cpu"


def test_with_zero_gpu_the_details_travel_without_tensors(zero_gpu: list[dict], order: Order, monkeypatch) -> None:
    import pickle

    import torch

    def explained(image, method, **_):
        details = {"coarse": torch.ones(1, 3, 4, 4), "gates": [torch.zeros(2, 2)], "refine": {"flow": torch.ones(2)}}
        return Result(method, image, 0.0, {**details, "notes": ["a sentence"]})

    monkeypatch.setattr(inpaint_core, "inpaint", explained)
    details = runner.fill(order).details
    assert isinstance(details["coarse"], np.ndarray)
    assert isinstance(details["gates"][0], np.ndarray)
    assert isinstance(details["refine"]["flow"], np.ndarray)
    assert details["notes"] == ["a sentence"]
    assert pickle.loads(pickle.dumps(order)).method == "telea"
