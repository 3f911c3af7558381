"""What the page makes of strokes, results and files, without a server."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core import InpaintError, Result
from inpaint_core.predictor.crops import Box
from webui import canvas, compare, examples, why
from webui.canvas import Repairs
from webui.session import Session, close, open_photo, remove_leftovers


@pytest.fixture
def session(tmp_path: Path, astronaut: np.ndarray) -> Iterator[Session]:
    Image.fromarray(astronaut[:300, :400]).save(tmp_path / "photo.png")
    opened = open_photo(tmp_path / "photo.png")
    yield opened
    close(opened)


@pytest.fixture
def large(tmp_path: Path, astronaut: np.ndarray) -> Iterator[Session]:
    Image.fromarray(astronaut).resize((3000, 2000)).save(tmp_path / "large.jpg")
    opened = open_photo(tmp_path / "large.jpg")
    yield opened
    close(opened)


def _layer(hole: np.ndarray, alpha: int = 255) -> str:
    """A painted layer as the browser sends it."""
    pixels = np.zeros((*hole.shape, 4), np.uint8)
    pixels[hole] = (255, 45, 85, alpha)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _box(size: tuple[int, int], top: int, left: int, bottom: int, right: int) -> np.ndarray:
    hole = np.zeros(size, bool)
    hole[top:bottom, left:right] = True
    return hole


def test_a_small_photo_gets_its_mask_pixel_by_pixel(session: Session) -> None:
    hole = _box((300, 400), 10, 20, 30, 45)
    assert np.array_equal(canvas.hole_of(session, {"mask": _layer(hole)}, Repairs()), hole)
    assert np.array_equal(canvas.hole_of(session, {"mask": _layer(hole, alpha=1)}, Repairs()), hole)


def test_a_large_photo_keeps_its_size_and_the_mask_follows(large: Session) -> None:
    height, width = large.canvas_size
    assert height * width <= 2_000_000
    assert (large.height, large.width) == (2000, 3000)
    half = _box(large.canvas_size, 0, 0, height, width // 2)
    hole = canvas.hole_of(large, {"mask": _layer(half)}, Repairs())
    assert hole.shape == (2000, 3000)
    assert hole.mean() == pytest.approx(0.5, abs=0.01)
    # growing is in pixels of the canvas: the same place on the screen, more pixels in the photo
    grown = canvas.hole_of(large, {"mask": _layer(half)}, Repairs(grow=10))
    assert grown[1000].sum() - hole[1000].sum() == pytest.approx(10 * 3000 / width, abs=1.5)


def test_repairs_flip_close_loops_and_remove_specks(session: Session) -> None:
    ring = _box((300, 400), 50, 50, 150, 150) & ~_box((300, 400), 60, 60, 140, 140)
    ring[5:7, 5:7] = True
    mended = canvas.hole_of(session, {"mask": _layer(ring)}, Repairs(close_loops=True, specks=10))
    assert np.array_equal(mended, _box((300, 400), 50, 50, 150, 150))
    flipped = canvas.hole_of(session, {"mask": _layer(ring)}, Repairs(flip=True))
    assert np.array_equal(flipped, ~ring)


@pytest.mark.parametrize("drawing", [None, {}, {"mask": None}, {"mask": _layer(np.zeros((300, 400), bool))}])
def test_an_unpainted_canvas_is_said_so(session: Session, drawing: dict | None) -> None:
    with pytest.raises(InpaintError, match="Nothing is painted yet"):
        canvas.hole_of(session, drawing, Repairs())


def test_a_sketch_alone_is_said_so_and_a_sketch_reaches_the_core(session: Session) -> None:
    line = _box((300, 400), 100, 0, 102, 400)
    with pytest.raises(InpaintError, match="Only the Sketch layer is painted"):
        canvas.hole_of(session, {"sketch": _layer(line)}, Repairs())
    sketch = canvas.sketch_of(session, {"sketch": _layer(line)})
    assert sketch is not None
    assert np.array_equal(sketch, line)
    assert canvas.sketch_of(session, {"mask": _layer(line)}) is None


@pytest.mark.parametrize(
    "layer",
    [
        _layer(np.ones((10, 10), bool)),  # of another photo
        _layer(np.ones((300, 400), bool))[:200],
        "data:image/png;base64,!!!",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "https://example.org/mask.png",
        "",
    ],
)
def test_what_is_no_layer_of_this_canvas_is_refused_in_one_sentence(session: Session, layer: str) -> None:
    with pytest.raises(InpaintError, match="do not belong to this photo"):
        canvas.hole_of(session, {"mask": layer}, Repairs())


def test_a_mask_survives_the_way_to_the_canvas_and_back(session: Session) -> None:
    hole = _box((300, 400), 10, 20, 30, 45)
    scene = canvas.scene(session, hole)
    assert (scene["width"], scene["height"]) == (400, 300)
    assert np.array_equal(canvas.hole_of(session, {"mask": scene["mask"]}, Repairs()), hole)
    assert np.array_equal(canvas.hole_of(session, {"mask": canvas.mask_scene(session, hole)["mask"]}, Repairs()), hole)


def test_the_preview_shows_strokes_and_growth_in_different_colours(session: Session) -> None:
    hole = _box((300, 400), 100, 100, 150, 150)
    shown, found = canvas.preview(session, {"mask": _layer(hole)}, Repairs(grow=10))
    plain, _ = canvas.preview(session, {"mask": _layer(hole)}, Repairs())
    assert found.holes == 1
    assert np.array_equal(shown[120, 120], plain[120, 120])
    assert not np.array_equal(shown[120, 95], plain[120, 95])


def test_visitors_have_folders_of_their_own_that_go_with_them(tmp_path: Path, astronaut: np.ndarray) -> None:
    Image.fromarray(astronaut[:50, :50]).save(tmp_path / "photo.png")
    one, two = open_photo(tmp_path / "photo.png"), open_photo(tmp_path / "photo.png")
    assert one.folder != two.folder
    assert one.new_path(".png") != one.new_path(".png")
    close(one)
    assert not one.folder.exists()
    assert two.original.is_file()
    with pytest.raises(InpaintError, match="open it again"):
        one.photo()
    close(two)


def test_files_of_a_killed_server_are_removed_and_those_of_a_running_one_stay() -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    folders = [Path(tempfile.gettempdir()) / f"inpainting-studio-{number}" for number in (dead.pid, os.getppid())]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    remove_leftovers()
    assert [folder.exists() for folder in folders] == [False, True]
    folders[1].rmdir()


@pytest.mark.parametrize("index", range(len(examples.EXAMPLES)))
def test_every_example_has_a_mask_of_its_size_and_is_small(index: int) -> None:
    session = examples.open_example(index)
    mask = examples.mask_of(index)
    assert mask.shape == (session.height, session.width)
    assert 0.01 < mask.mean() < 0.2
    assert examples.EXAMPLES[index].photo.stat().st_size < 300_000
    assert examples.EXAMPLES[index].photo.name in (examples.FOLDER / "LICENCES.md").read_text(encoding="utf-8")
    close(session)


def test_the_colour_wheel_shows_direction_and_leaves_zero_white() -> None:
    offsets = np.zeros((2, 4, 4), np.float32)
    offsets[:, 0, 0], offsets[:, 0, 1], offsets[:, 0, 2] = (0, 5), (0, -5), (5, 0)
    wheel = why.colour_wheel(offsets)
    assert (wheel[1:] > 240).all()
    colours = [tuple(wheel[0, column]) for column in range(3)]
    assert len(set(colours)) == 3
    assert colours[0][0] > colours[0][2]  # to the right is red
    assert colours[1][2] > colours[1][0]  # to the left is not


def test_why_shows_the_crops_and_every_array_a_method_tells(tmp_path: Path) -> None:
    image = np.full((200, 300, 3), 200, np.uint8)
    details = {
        "crops": [{"box": Box(50, 60, 150, 160), "scale": 1.0}],
        "box": Box(50, 60, 150, 160),
        "notes": ["a sentence"],
        "offsets": np.ones((1, 2, 20, 20), np.float32),
        "coarse": np.zeros((1, 3, 20, 20), np.float32),
        "gates": [np.zeros((1, 8, 10, 10), np.float32), np.ones((1, 8, 5, 5), np.float32)],
        "refine": {"offsets": np.ones((1, 2, 20, 20), np.float32)},
    }
    names = iter(range(100))
    shown = why.pictures(image, Result("ns", image, 0.1, details), lambda suffix: tmp_path / f"{next(names)}{suffix}")
    captions = [caption for _, caption in shown]
    assert len(shown) == 6
    assert captions[0].startswith("What the method saw")
    assert any("coarse" in caption for caption in captions)
    assert any(caption.startswith("refine: offsets") for caption in captions)
    crops = np.asarray(Image.open(shown[0][0]))
    assert crops[100, 100].mean() > 2 * crops[20, 20].mean()  # bright inside of the crop


def test_the_table_marks_the_best_of_each_measure_and_tells_failures() -> None:
    metrics = {"hole_l1": 0.1, "hole_l2": 0.02, "hole_psnr": 20.0, "hole_ssim": 0.5, "hole_tv": 0.01}
    worse = {**metrics, "hole_l1": 0.2, "hole_psnr": 10.0}
    picture = np.zeros((2, 2, 3), np.uint8)
    table = compare.as_table(
        [
            Result("ns", picture, 0.1, metrics=metrics),
            Result("telea", picture, 0.2, metrics=worse),
            Result("patchmatch", None, 0.0, error="It is <too> large."),
        ]
    )
    assert "<b>0.1000</b>" in table
    assert "<b>20.00 dB</b>" in table
    assert "<b>0.2000</b>" not in table
    assert "It is &lt;too&gt; large." in table
    assert "LPIPS" not in table  # could not be had
    assert "equal" in compare.caption(Result("ns", picture, 0.1, metrics={"hole_psnr": float("inf")}))


def test_building_the_page_does_not_import_torch() -> None:
    code = "import sys; from webui import page; page.build(); sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, timeout=120, check=False).returncode == 0
