"""The photos that the page offers: free, small, each with a mask, some with a sketch."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from webui import canvas
from webui.examples import EXAMPLES, FOLDER, SKETCH_EXAMPLES, THUMBNAIL_WIDTH, Example, open_example
from webui.session import open_photo


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.caption)
def test_every_example_has_a_mask_of_its_size_and_is_small(example: Example) -> None:
    mask = example.mask()
    with Image.open(example.photo) as image:
        assert mask.shape == (image.height, image.width)
    assert 0.01 < mask.mean() < 0.2
    assert example.sketch() is None
    assert example.photo.stat().st_size < 300_000
    assert example.photo.name in (FOLDER / "LICENCES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", SKETCH_EXAMPLES, ids=lambda example: example.caption)
def test_sketch_examples_draw_lines_into_a_hole_of_a_free_photo(example: Example) -> None:
    mask, lines = example.mask(), example.sketch()
    assert lines is not None
    with Image.open(example.photo) as image:
        assert mask.shape == lines.shape == (image.height, image.width)
    assert 0.02 < mask.mean() < 0.1
    assert lines.sum() > 200
    assert (lines & mask).sum() > 0.75 * lines.sum()
    assert example.photo.name in (FOLDER / "LICENCES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", SKETCH_EXAMPLES, ids=lambda example: example.caption)
def test_thumbnails_show_what_is_erased_in_red_and_dark_lines_with_a_light_border(example: Example) -> None:
    thumbnail = np.asarray(example.thumbnail()).astype(int)
    assert thumbnail.shape[1] == THUMBNAIL_WIDTH
    assert ((thumbnail[..., 0] - thumbnail[..., 1]) > 60).mean() > 0.05
    dark = (thumbnail == (15, 23, 42)).all(axis=2)
    light = (thumbnail > 250).all(axis=2)
    assert dark.sum() > 300
    near = np.zeros_like(dark)
    for rows, columns in ((5, 0), (-5, 0), (0, 5), (0, -5)):
        near |= np.roll(dark, (rows, columns), (0, 1))
    assert (light & near).sum() > 300


def test_two_visitors_of_an_example_have_files_of_their_own_and_what_an_uploaded_photo_would_have() -> None:
    example = SKETCH_EXAMPLES[0]
    (one, shown), (other, _), uploaded = open_example(example), open_example(example), open_photo(example.photo)
    expected = canvas.scene(uploaded, example.mask(), example.sketch())
    assert shown == {**expected, "scene": shown["scene"], "session": one.key}
    assert len({one.folder, other.folder, uploaded.folder}) == 3
    assert one.steps is not other.steps
    for session in (one, other):
        assert session.original.parent == session.canvas.parent == session.folder
        assert session.original.read_bytes() == example.photo.read_bytes()
        assert session.canvas.read_bytes() == uploaded.canvas.read_bytes()
        assert session.canvas_size == uploaded.canvas_size
