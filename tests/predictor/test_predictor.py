"""The promises of `inpaint`, proved for every method that is ready: known pixels, sizes, seeds, isolation."""

import threading

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import inpaint_core
from inpaint_core import InpaintError, catalogue
from inpaint_core.masks import generate
from inpaint_core.methods.base import FillContext, Filled, FillMethod
from inpaint_core.predictor import predictor

READY = [method.name for method in inpaint_core.methods() if method.ready]
RESTORING = [method.name for method in inpaint_core.methods() if method.ready and method.restores]
INVENTING = [name for name in READY if name not in RESTORING]
FAST = [name for name in READY if name in ("ns", "telea")]
MASKS = ("free_form", "box", "centre", "narrow", "wide", "random_pixels")


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A photo-like image: smooth colours with some grain."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    smooth = np.stack([rows * 3 + columns, 255 - rows * 2, columns * 2], axis=-1)
    return ((smooth + rng.integers(0, 30, (height, width, 3))) % 256).astype(np.uint8)


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


class Declared(FillMethod):
    """Fills with mid-grey and remembers what it was given."""

    uses_gpu = True

    def __init__(self, **attributes):
        self.shapes: list[tuple[int, ...]] = []
        self.sketch: torch.Tensor | None = None
        for name, value in attributes.items():
            setattr(self, name, value)

    def fill(self, image, mask, context=FillContext()):
        self.shapes.append(tuple(image.shape))
        self.sketch = context.sketch
        assert mask.shape == (image.shape[0], 1, *image.shape[2:])
        assert context.sketch is None or context.sketch.shape == mask.shape
        assert 0 <= float(image.min()) <= float(image.max()) <= 1
        return Filled(torch.full_like(image, 0.5))


def use(monkeypatch: pytest.MonkeyPatch, method: FillMethod) -> None:
    """From now on this method fills, whichever is named."""
    monkeypatch.setattr(predictor, "instance", lambda name, weights=None: method)


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
    result, shown = restored(given, mask, max_pixels=1 << 20, context=0.4)
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


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"image": "photo.jpg"}, id="a path for an image"),
        pytest.param({"image": np.zeros((20, 20), np.uint8)}, id="a grey array"),
        pytest.param({"image": np.zeros((20, 20, 4), np.uint8)}, id="four channels"),
        pytest.param({"image": np.zeros((3, 20, 20), np.uint8)}, id="channels first"),
        pytest.param({"image": np.zeros((20, 20, 3), np.float32)}, id="floats"),
        pytest.param({"image": np.full((20, 20, 3), np.nan)}, id="an image of NaN"),
        pytest.param({"image": np.zeros((0, 20, 3), np.uint8)}, id="no pixels"),
        pytest.param({"image": None}, id="no image"),
        pytest.param({"mask": np.zeros((20, 20), bool)}, id="an empty mask"),
        pytest.param({"mask": np.ones((20, 20), bool)}, id="a full mask"),
        pytest.param({"mask": np.ones((10, 20), bool)}, id="a mask of another size"),
        pytest.param({"mask": np.full((20, 20), np.nan)}, id="a mask of NaN"),
        pytest.param({"mask": np.ones((20, 20, 7), bool)}, id="a mask of seven channels"),
        pytest.param({"mask": None}, id="no mask"),
        pytest.param({"mask": np.array([["a"] * 20] * 20)}, id="a mask of text"),
        pytest.param({"mask": np.ones((2, 20, 20), bool)}, id="two masks"),
        pytest.param({"image": np.zeros((1, 1, 3), np.uint8), "mask": np.ones((1, 1), bool)}, id="1 x 1, all hole"),
        pytest.param({"method": "photoshop"}, id="an unknown method"),
        pytest.param({"method": ""}, id="an empty method name"),
        pytest.param({"sketch": np.zeros((5, 5), bool)}, id="a sketch of another size"),
        pytest.param({"sketch": np.full((20, 20), np.inf)}, id="a sketch of infinities"),
        pytest.param({"device": "cuda:99"}, id="a device that is not here"),
        pytest.param({"device": "toaster"}, id="no device at all"),
        pytest.param({"refine": "sharpen"}, id="an unknown refinement"),
    ],
)
def test_bad_arguments_are_one_sentence_that_says_what_to_do(arguments):
    mask = np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    given = {"image": np.zeros((20, 20, 3), np.uint8), "mask": mask, "method": "ns"} | arguments
    with pytest.raises(InpaintError) as caught:
        inpaint_core.inpaint(**given)
    sentence = str(caught.value)
    assert 20 < len(sentence) < 300
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_method_whose_weights_are_absent_says_how_to_make_them(monkeypatch, tmp_path):
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    mask = np.zeros((20, 20), bool)
    mask[5:9, 5:9] = True
    with pytest.raises(InpaintError, match=r"python -m train\.glcic"):
        inpaint_core.inpaint(noise(20, 20), mask, "glcic")
