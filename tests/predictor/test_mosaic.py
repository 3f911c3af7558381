"""A method that restores sees the hole as a mosaic of coarse blocks, and nothing finer."""

import cv2
import numpy as np
import pytest

import inpaint_core
from inpaint_core.masks import generate
from inpaint_core.methods.base import FillContext, Filled
from tests.predictor.samples import Declared, noise, use


class Restoring(Declared):
    """Keeps what it was shown."""

    reads_hole = True

    def fill(self, image, mask, context=FillContext()):
        super().fill(image, mask, context)
        self.shown = image.clone()
        return Filled(image.clone())


@pytest.fixture
def restored(monkeypatch):
    """Runs `inpaint` with a method that restores, and returns its result and what it was shown."""

    def run(image, mask, **attributes):
        method = Restoring(**attributes)
        use(monkeypatch, method)
        result = inpaint_core.inpaint(image, mask, "ns")
        return result, method.shown[0].permute(1, 2, 0).numpy() * 255

    return run


def test_a_method_that_restores_is_shown_the_mosaic_and_nothing_else(restored, astronaut):
    image, mask = astronaut[:256, :256].copy(), generate("centre", 256, 256)
    result, shown = restored(image, mask)
    blocks = image.reshape(16, 16, 16, 16, 3).mean(axis=(1, 3)).repeat(16, 0).repeat(16, 1)
    assert np.abs(shown[mask] - blocks[mask]).max() < 0.01
    assert np.array_equal(shown[~mask].round(), image[~mask])
    assert "in blocks of 16 pixels" in result.details["notes"][0]
    # Other details within the same blocks: it is shown the same, so no fill can differ.
    turned = image.reshape(16, 16, 16, 16, 3)[:, ::-1, :, ::-1].reshape(image.shape)
    other = np.where(mask[..., None], turned, image)
    assert np.abs(restored(other, mask)[1] - shown).max() < 0.01
    assert np.abs(restored(255 - image, mask)[1] - shown)[mask].max() > 50


@pytest.mark.parametrize("attributes", [{"max_pixels": 100 * 100}, {"native_size": 128, "fixed_size": True}])
def test_a_mosaic_at_another_scale_has_the_blocks_of_that_scale(restored, astronaut, attributes):
    image, mask = astronaut.copy(), generate("centre", 512, 512)
    _, shown = restored(image, mask, **attributes)
    side = shown.shape[0]
    block = max(6, round(side / 16))
    assert side < 200
    inner = shown[-(-side // 4 // block) * block :, -(-side // 4 // block) * block :][:block, :block]
    assert np.ptp(inner, axis=(0, 1)).max() < 0.01
    middle = shown[side // 4 + 2 : side * 3 // 4 - 2, side // 4 + 2 : side * 3 // 4 - 2]
    assert middle.std() > 20


@pytest.mark.parametrize("quality", [None, 90])
def test_a_mosaic_that_the_photo_carries_is_shown_as_it_is(restored, astronaut, quality):
    image = astronaut.copy()
    mask = np.zeros((512, 512), bool)
    mask[110:310, 128:328] = True
    area = image[110:310, 128:328].reshape(10, 20, 10, 20, 3).mean(axis=(1, 3)).round().astype(np.uint8)
    image[110:310, 128:328] = area.repeat(20, 0).repeat(20, 1)
    given = image
    if quality:
        given = cv2.imdecode(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))[1], cv2.IMREAD_COLOR)
    result, shown = restored(given, mask, max_pixels=1 << 20, margin=0.4)
    box = result.details["box"]
    assert "own mosaic, blocks of 20 pixels" in result.details["notes"][0]
    inside = mask[box.slices]
    assert np.abs(shown[inside] - image[box.slices][inside]).mean() < (2 if quality else 0.01)
    assert np.array_equal(result.image[~mask], given[~mask])


@pytest.mark.parametrize("size", [(1, 2), (2, 1), (3, 50), (17, 16)])
def test_a_method_that_restores_takes_the_smallest_photos(restored, size):
    mask = np.zeros(size, bool)
    mask.flat[0] = True
    image = noise(*size)
    assert np.array_equal(restored(image, mask)[0].image[~mask], image[~mask])
