"""The promises of `inpaint`, proved for every method that is ready: known pixels, sizes, seeds, isolation."""

import threading

import numpy as np
import pytest
from PIL import Image

import inpaint_core
from inpaint_core import InpaintError, catalogue
from inpaint_core.masks import generate
from tests.predictor.samples import noise

READY = [method.name for method in inpaint_core.methods() if method.ready]
RESTORING = [method.name for method in inpaint_core.methods() if method.ready and method.restores]
INVENTING = [name for name in READY if name not in RESTORING]
FAST = [name for name in READY if name in ("ns", "telea")]
MASKS = ("free_form", "box", "centre", "narrow", "wide", "random_pixels")


@pytest.mark.parametrize("mask_name", MASKS)
@pytest.mark.parametrize("method", READY)
def test_known_pixels_survive_every_method(method, mask_name):
    image = noise(61, 83)
    mask = generate(mask_name, 61, 83, seed=3)
    result = inpaint_core.inpaint(image, mask, method)
    assert result.image.shape == image.shape
    assert result.image.dtype == np.uint8
    assert np.array_equal(result.image[~mask], image[~mask])


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (2, 2), (3, 50), (50, 3), (17, 16), (31, 33)])
@pytest.mark.parametrize("method", READY)
def test_every_method_fills_the_smallest_and_oddest_photos(method, size):
    image = noise(*size)
    mask = np.zeros(size, bool)
    mask.flat[0] = True
    result = inpaint_core.inpaint(image, mask, method)
    assert np.array_equal(result.image[~mask], image[~mask])


@pytest.mark.parametrize("method", INVENTING)
def test_what_lies_under_the_hole_does_not_matter(method):
    image = noise(64, 64)
    mask = generate("free_form", 64, 64, seed=1)
    other = image.copy()
    other[mask] = 255 - other[mask]
    first, second = (inpaint_core.inpaint(photo, mask, method).image for photo in (image, other))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("method", READY)
def test_of_scattered_pixels_any_method_makes_a_photo(method, astronaut):
    image, mask = astronaut[::4, ::4].copy(), generate("random_pixels", 128, 128, seed=0)
    assert 0.75 < mask.mean() < 0.85
    result = inpaint_core.inpaint(image, mask, method).image
    assert np.array_equal(result[~mask], image[~mask])
    error = np.abs(result[mask].astype(float) - image[mask]).mean()
    mean_colour = np.abs(image[~mask].mean(axis=0) - image[mask]).mean()
    if catalogue.get(method).family in ("diffusion", "patches"):  # the others have not seen such masks in training
        assert error < 0.5 * mean_colour
    else:
        assert error < 1.5 * mean_colour


@pytest.mark.parametrize("method", [name for name in READY if catalogue.get(name).family != "generative prior"])
def test_a_flat_photo_is_filled_with_its_colour(method):
    image = np.full((48, 48, 3), (200, 90, 30), np.uint8)
    mask = generate("centre", 48, 48)
    result = inpaint_core.inpaint(image, mask, method).image
    tolerance = 8 if method in ("ns", "telea", "patchmatch") else 60  # OpenCV's fast marching adds grain of its own
    assert np.abs(result.astype(int) - image).max() <= tolerance


@pytest.mark.parametrize("corner", [(0, 0), (0, 40), (40, 0), (40, 40)])
@pytest.mark.parametrize("method", INVENTING)
def test_holes_at_border_and_corner_are_filled(method, corner):
    image = np.full((64, 64, 3), 128, np.uint8)
    mask = np.zeros((64, 64), bool)
    mask[corner[0] : corner[0] + 24, corner[1] : corner[1] + 24] = True
    image[mask] = (255, 0, 0)
    result = inpaint_core.inpaint(image, mask, method)
    assert not (result.image[mask] == (255, 0, 0)).all(axis=-1).any()


@pytest.mark.parametrize("method", READY)
def test_the_same_seed_gives_the_same_fill(method):
    image, mask = noise(64, 64), generate("free_form", 64, 64, seed=5)
    first, second = (inpaint_core.inpaint(image, mask, method, seed=11).image for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32])
def test_masks_of_every_type_mean_the_same(kind):
    image, mask = noise(32, 32), generate("box", 32, 32, seed=1)
    expected = inpaint_core.inpaint(image, mask, "ns").image
    assert np.array_equal(inpaint_core.inpaint(image, mask.astype(kind), "ns").image, expected)


def test_pil_images_are_taken_as_they_are():
    image, mask = noise(32, 40), generate("box", 32, 40, seed=1)
    expected = inpaint_core.inpaint(image, mask, "telea").image
    given = inpaint_core.inpaint(Image.fromarray(image), Image.fromarray(mask), "telea").image
    assert np.array_equal(given, expected)


def test_the_input_is_never_written_to():
    image, mask = noise(40, 40), generate("box", 40, 40, seed=2)
    image.setflags(write=False)
    mask.setflags(write=False)
    inpaint_core.inpaint(image, mask, "ns")


def test_eight_threads_get_their_own_photos_back():
    photos = [np.full((40, 40, 3), 20 * i, np.uint8) for i in range(8)]
    mask = generate("centre", 40, 40)
    results: dict[int, np.ndarray] = {}

    def run(i: int) -> None:
        results[i] = inpaint_core.inpaint(photos[i], mask, "ns").image

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[i], photos[i]) for i in range(8))


def test_progress_runs_from_nothing_to_one():
    seen: list[float] = []
    mask = np.zeros((400, 400), bool)
    mask[5:9, 5:9] = mask[390:395, 390:395] = True
    inpaint_core.inpaint(noise(400, 400), mask, "ns", progress=lambda share, text: seen.append(share))
    assert seen[0] == 0
    assert seen[-1] == 1
    assert seen == sorted(seen)


def test_a_method_whose_weights_are_absent_says_how_to_make_them(monkeypatch, tmp_path):
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    mask = np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    with pytest.raises(InpaintError, match=r"python -m train\.glcic"):
        inpaint_core.inpaint(noise(20, 20), mask, "glcic")
