"""A comparison yields every method's result as it is ready, fastest first, and survives the failure of one."""

import numpy as np
import pytest

import inpaint_core
from inpaint_core import InpaintError
from inpaint_core.compare import fill_all
from inpaint_core.masks import generate
from inpaint_core.predictor import FillOptions, Result, fill


@pytest.fixture
def photo(astronaut):
    return astronaut[100:228, 150:278].copy()


def test_results_come_fastest_first_and_one_by_one(photo):
    results = inpaint_core.compare(photo, generate("centre", 128, 128), ["patchmatch", "telea", "ns"])
    assert next(results).method == "ns"
    assert [result.method for result in results] == ["telea", "patchmatch"]


def test_all_ready_methods_run_when_none_is_named(photo):
    mask = np.zeros((128, 128), bool)
    mask[60:66, 60:66] = True
    names = {result.method for result in inpaint_core.compare(photo, mask)}
    assert names == {method.name for method in inpaint_core.methods() if method.ready}


def test_metrics_appear_with_a_reference_and_a_perfect_fill_has_no_error(photo):
    flat = np.full_like(photo, 90)
    mask = generate("centre", 128, 128)
    (with_truth,) = inpaint_core.compare(flat, mask, ["ns"], reference=flat)
    assert with_truth.metrics["hole_l1"] == 0
    (without,) = inpaint_core.compare(flat, mask, ["ns"])
    assert without.metrics == {}


def test_one_failing_method_does_not_end_the_others(photo):
    def fails_for_ns(image, mask, method, options, **callbacks):
        if method == "ns":
            raise InpaintError("This method is out of order; choose another.")
        return fill(image, mask, method, options, **callbacks)

    mask = generate("box", 128, 128)
    results = {result.method: result for result in fill_all(photo, mask, ["ns", "telea"], fill=fails_for_ns)}
    assert results["ns"].image is None
    assert results["ns"].error == "This method is out of order; choose another."
    assert results["telea"].image is not None


def test_progress_names_the_method_that_runs_and_never_goes_back(photo):
    reports = []
    mask = generate("box", 128, 128)
    list(inpaint_core.compare(photo, mask, ["ns", "telea"], progress=lambda *report: reports.append(report)))
    shares = [share for share, _ in reports]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    for share, text in reports:
        assert share == 0.5 or ("Navier-Stokes" in text) == (share < 0.5)
        assert share == 0.5 or ("Telea" in text) == (share > 0.5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"methods": ["nonsense"]},
        {"methods": []},
        {"reference": np.zeros((3, 3, 3), np.uint8)},
        {"mask": np.zeros((9, 9))},
        {"sketch": np.zeros((9, 9))},
        {"refine": "sharpen"},
        {"blend": "feather"},
    ],
)
def test_bad_arguments_are_refused_before_anything_runs(photo, arguments):
    given = {"image": photo, "mask": generate("centre", 128, 128)} | arguments
    with pytest.raises(InpaintError):
        inpaint_core.compare(**given)


def test_every_fill_gets_the_same_options_and_a_hook_may_do_the_work(photo):
    seen = []

    def hook(image, mask, method, options, *, progress, preview):
        seen.append((method, options.seed, options.blend))
        return Result(method, image, 0.0)

    options = FillOptions(seed=5, blend="mixed")
    results = list(fill_all(photo, generate("centre", 128, 128), ["telea", "ns"], options, fill=hook))
    assert seen == [("ns", 5, "mixed"), ("telea", 5, "mixed")]
    assert [result.method for result in results] == ["ns", "telea"]
