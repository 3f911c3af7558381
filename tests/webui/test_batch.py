"""The Batch tab: many photos, one mask or one each, bad files named, a ZIP of the rest."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from tests.webui.painting import box, initial, layer
from webui import limits
from webui.batch import BatchTab
from webui.events import Updates
from webui.session import Session
from webui.workspace import Workspace


@pytest.fixture
def tab() -> BatchTab:
    with gr.Blocks():
        return BatchTab(Workspace())


@pytest.fixture
def photos(tmp_path: Path, astronaut: np.ndarray) -> list[str]:
    """Two photos of one size and one of other proportions."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, picture in (
        ("a.png", astronaut[:60, :80]),
        ("b.jpg", astronaut[80:140, :80]),
        ("tall.png", astronaut[:90, :40]),
    ):
        Image.fromarray(picture).save(folder / name)
    return [str(path) for path in sorted(folder.iterdir())]


def _mask(path: Path, height: int, width: int) -> str:
    hole = np.zeros((height, width), np.uint8)
    hole[height // 3 : height // 2, width // 3 : width // 2] = 255
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(hole).save(path)
    return str(path)


def _run(tab: BatchTab, photos: list[str], masks: list[str] | None, **others: Any) -> list[Updates]:
    values = {
        **initial({*tab.workspace.inputs, tab.method, tab.format}),
        tab.photos: photos,
        tab.masks: masks,
        tab.method: "telea",
        **{getattr(tab.workspace, name): value for name, value in others.items()},
    }
    return list(tab.fill_all(values))


def _archive(tab: BatchTab, updates: list[Updates]) -> dict[str, np.ndarray]:
    """What the ZIP holds."""
    buttons = [each[tab.archive].constructor_args for each in updates if tab.archive in each]
    path = next(settings["value"] for settings in reversed(buttons) if settings.get("value"))
    with zipfile.ZipFile(path) as packed:
        return {name: np.asarray(Image.open(packed.open(name)).convert("RGB")) for name in packed.namelist()}


def test_one_mask_fills_all_of_its_proportions_and_the_others_are_named(
    tab: BatchTab, photos: list[str], tmp_path: Path
) -> None:
    updates = _run(tab, photos, [_mask(tmp_path / "masks" / "stamp.png", 120, 160)])
    filled = _archive(tab, updates)
    assert sorted(filled) == ["a.png", "b.jpg"]
    before = np.asarray(Image.open(photos[0]).convert("RGB"))
    changed = (filled["a.png"] != before).any(axis=2)
    assert changed.any()
    assert not changed[:19].any(), "known pixels stay"
    words = updates[-1][tab.status]
    assert "2 of 3 photos filled" in words
    assert "`tall.png`: The mask is 160 x 120" in words


def test_masks_belong_to_photos_by_name_and_a_broken_photo_does_not_end_the_batch(
    tab: BatchTab, photos: list[str], tmp_path: Path
) -> None:
    broken = tmp_path / "photos" / "broken.png"
    broken.write_bytes(b"no picture")
    given = [
        _mask(tmp_path / "masks" / "a_mask.png", 60, 80),
        _mask(tmp_path / "masks" / "broken.png", 60, 80),
        _mask(tmp_path / "masks" / "tall.png", 90, 40),
    ]
    updates = _run(tab, [*photos, str(broken)], given)
    assert sorted(_archive(tab, updates)) == ["a.png", "tall.png"]
    words = updates[-1][tab.status]
    assert "`broken.png`" in words
    assert "There is no mask named b.png" in words


def test_what_is_painted_at_the_left_is_the_mask_of_all(tab: BatchTab, photos: list[str], session: Session) -> None:
    height, width = session.canvas_size
    strokes = {"mask": layer(box(height // 3, width // 3, height // 2, width // 2, (height, width)))}
    updates = _run(tab, photos[:1], None, session=session, canvas=strokes)
    words = updates[-1][tab.status]
    same = abs(width / height / (80 / 60) - 1) < 0.02
    assert ("1 of 1" in words) == same
    assert ("of other proportions" in words) == (not same)


def test_too_many_photos_none_and_two_of_one_name_are_refused(
    tab: BatchTab, photos: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = [_mask(tmp_path / "masks" / "stamp.png", 60, 80)]
    with pytest.raises(gr.Error, match="Choose photos"):
        _run(tab, [], mask)
    with pytest.raises(gr.Error, match="two files named"):
        _run(tab, [photos[0], photos[0]], mask)
    with pytest.raises(gr.Error, match="paint one for all"):
        _run(tab, photos, None)
    monkeypatch.setattr(limits, "BATCH", 2)
    with pytest.raises(gr.Error, match="choose fewer"):
        _run(tab, photos, mask)
