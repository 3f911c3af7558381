"""What a method declares is what it gets: sizes, scales, sketches; its notes and extras reach the result."""

import cv2
import numpy as np
import pytest
import torch

import inpaint_core
from inpaint_core.masks import generate
from inpaint_core.methods.base import FillContext, Filled
from inpaint_core.predictor import predictor
from tests.predictor.samples import Declared, noise, use


@pytest.fixture
def declared(monkeypatch):
    """Runs `inpaint` with a method that declares what the test says."""

    def run(image, mask, sketch=None, **attributes):
        method = Declared(**attributes)
        use(monkeypatch, method)
        return inpaint_core.inpaint(image, mask, "ns", sketch), method

    return run


def test_a_method_is_given_multiples_of_what_it_declares(declared):
    mask = generate("free_form", 61, 83, seed=0)
    result, method = declared(noise(61, 83), mask, multiple_of=8)
    assert all(side % 8 == 0 for shape in method.shapes for side in shape[2:])
    assert (result.image[mask] == 128).all()


def test_a_hole_too_large_is_filled_at_a_smaller_scale_and_said_so(declared):
    mask = generate("centre", 400, 400)
    result, method = declared(noise(400, 400), mask, max_pixels=100 * 100)
    assert method.shapes[0][2] * method.shapes[0][3] <= 100 * 100
    assert (result.image[mask][5:-5] != 0).all()
    assert result.details["scale"] < 1
    assert "Filled at" in result.details["notes"][0]
    assert np.array_equal(result.image[~mask], noise(400, 400)[~mask])


def test_a_hole_deeper_than_a_method_knows_is_filled_smaller_and_a_thin_one_is_not(declared):
    deep, thin = np.zeros((2, 256, 256), bool)
    deep[64:192, 64:192] = True
    thin[100:110, 20:236] = True
    result, method = declared(noise(256, 256), deep, max_depth=32)
    assert method.shapes[0][2:] == pytest.approx((128, 128), abs=4)
    assert (result.image[deep][5:-5] != 0).all()
    assert declared(noise(256, 256), thin, max_depth=32)[0].details["scale"] == 1


@pytest.mark.parametrize("size", [(40, 40), (300, 200), (60, 500)])
def test_a_fixed_size_method_is_given_squares_of_its_size(declared, size):
    mask = generate("box", *size, seed=1)
    result, method = declared(noise(*size), mask, native_size=128, fixed_size=True)
    assert {shape[2:] for shape in method.shapes} == {(128, 128)}
    reach = int(4 / min(1.0, result.details["scale"])) + 2  # near its border the enlarged fill blends with the photo
    inside = cv2.erode(mask.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8), borderValue=0) > 0
    assert (np.abs(result.image[inside].astype(int) - 128) <= 1).all()


def test_scattered_pixels_keep_what_is_known_when_the_photo_is_shrunk(declared):
    image = np.full((200, 200, 3), 77, np.uint8)
    mask = generate("random_pixels", 200, 200, seed=0)
    result, _ = declared(image, mask, max_pixels=50 * 50)
    assert (np.abs(result.image.astype(int) - 77) <= 1).mean() > 0.7  # the method's grey only where nothing was known


def test_a_sketch_reaches_the_method_at_its_scale(declared):
    image, mask = noise(200, 200), generate("centre", 200, 200)
    sketch = np.zeros((200, 200), bool)
    sketch[100, 60:140] = True
    result, method = declared(image, mask, sketch, max_pixels=100 * 100)
    box, scale = result.details["box"], result.details["scale"]
    assert scale < 1
    rows, columns = (method.sketch[0, 0] > 0).numpy().nonzero()
    assert rows.size > 0
    assert rows == pytest.approx(np.full(rows.shape, (100 - box.top) * scale), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx(((60 - box.left) * scale, (139 - box.left) * scale), abs=1)
    assert len(set(columns)) == columns.max() - columns.min() + 1, "the line has no gaps"
    assert declared(image, mask)[1].sketch is None


class Hungry(Declared):
    """Runs out of memory beyond 200 x 200 pixels."""

    uses_gpu = False

    def fill(self, image, mask, context=FillContext()):
        if image.shape[2] * image.shape[3] > 200 * 200:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().fill(image, mask, context)


def test_out_of_memory_on_a_gpu_is_retried_smaller_and_said(monkeypatch):
    use(monkeypatch, Hungry())
    image, mask = noise(400, 400), generate("centre", 400, 400)
    with pytest.raises(torch.OutOfMemoryError):  # on the CPU there is nothing to retry
        inpaint_core.inpaint(image, mask, "ns", device="cpu")
    monkeypatch.setattr(predictor, "choose_device", lambda device: "cuda")
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    result = inpaint_core.inpaint(image, mask, "ns")
    assert result.details["scale"] < 1
    assert (result.image[mask][5:-5] != 0).all()
    assert np.array_equal(result.image[~mask], image[~mask])
    assert "memory" in result.details["notes"][0]
    assert "Filled at" in result.details["notes"][1]


def test_notes_and_extras_of_a_method_reach_the_result(monkeypatch):
    class Noted(Declared):
        def fill(self, image, mask, context=FillContext()):
            return Filled(super().fill(image, mask, context).image, ("A note.",), {"explained": context.explain})

    use(monkeypatch, Noted())
    mask = np.zeros((400, 400), bool)
    mask[5:9, 5:9] = mask[380:395, 390:395] = True
    details = inpaint_core.inpaint(noise(400, 400), mask, "ns", explain=True).details
    assert details["notes"] == ["A note."], "each note once"
    assert len(details["crops"]) == 2
    assert details["explained"], "the extras are those of the largest crop"
    assert details["box"] == details["crops"][-1]["box"]
