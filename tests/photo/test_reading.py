"""Reading: sources, animations, masks, thumbnails, and the memory it takes."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core import photo
from tests.photo.files import HEIGHT, NOISE, WIDTH, of_mode, saved


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_used_with_a_note(format, rgb):
    frames = [Image.fromarray(rgb), Image.fromarray(rgb[::-1].copy())]
    settings = {"lossless": True} if format == "WEBP" else {}
    picture = photo.read(saved(frames[0], format, save_all=True, append_images=frames[1:], **settings))
    assert any("only the first" in note for note in picture.notes)
    assert np.abs(picture.pixels.astype(int) - rgb).mean() < (6 if format == "GIF" else 0.01)


def test_a_path_its_text_its_bytes_and_a_stream_read_alike(rgb, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.fromarray(rgb), "PNG"))
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes())):
        np.testing.assert_array_equal(photo.read(source).pixels, rgb)


@pytest.mark.parametrize(
    ("mode", "shape"), [("1", ()), ("L", ()), ("LA", (4,)), ("RGB", (3,)), ("RGBA", (4,)), ("P", (3,))]
)
def test_a_mask_file_is_read_as_it_is(mode, shape, rgb, alpha):
    mask = photo.read_mask(saved(of_mode(mode, rgb, alpha), "PNG"))
    assert mask.shape == (HEIGHT, WIDTH, *shape)
    assert mask.dtype == np.uint8
    if mode == "RGBA":
        np.testing.assert_array_equal(mask, np.dstack([rgb, alpha]))


def test_a_thumbnail_keeps_the_shape_and_the_mean_of_the_photo(astronaut):
    picture = photo.Photo(pixels=np.ascontiguousarray(astronaut[:400]))
    small = photo.thumbnail(picture, max_pixels=50_000)
    assert small.shape[0] * small.shape[1] <= 50_000
    assert small.shape[1] / small.shape[0] == pytest.approx(512 / 400, rel=0.01)
    assert small.mean() == pytest.approx(picture.pixels.mean(), abs=0.5)
    copy = photo.thumbnail(picture)
    assert copy.base is None
    np.testing.assert_array_equal(copy, picture.pixels)


def test_reading_12_megapixels_holds_at_most_about_three_copies(tmp_path):
    path = tmp_path / "large.jpg"
    Image.effect_noise((4000, 3000), 40).convert("RGB").save(path, quality=85)
    script = f"""
import resource, sys
from inpaint_core import photo
photo.read({saved(Image.fromarray(NOISE), "JPEG")!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
picture = photo.read({str(path)!r})
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert "torch" not in sys.modules
print((after - before) * 1024 / picture.pixels.nbytes)
"""
    pytest.importorskip("resource", reason="peak memory is asked of Unix")
    root = Path(__file__).resolve().parents[2]
    finished = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert float(finished.stdout) < 3.2
