"""The server's disk: swept by age, never beyond its quota, open pages spared."""

from __future__ import annotations

import os
import time
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from inpaint_core import InpaintError
from webui import disk, events, files
from webui.disk import HOUR, Disk
from webui.events import shows_errors


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "_parent", lambda: tmp_path)
    monkeypatch.setattr(events, "all_visitors_folder", lambda: tmp_path)
    files.cache_folder().mkdir()
    return tmp_path


def _file(folder: Path, name: str, age: float, size: int = 1000) -> Path:
    (folder / name).mkdir()
    (folder / name / "photo.png").write_bytes(bytes(size))
    os.utime(folder / name, (time.time() - age,) * 2)
    return folder / name


def test_what_no_open_page_shows_goes_after_an_hour_whatever_kind_of_file_it_is(folder: Path) -> None:
    old = [_file(folder, "abc", HOUR + 9), _file(folder, "short-lived-x", HOUR + 9)]
    old.append(_file(files.cache_folder(), "0123", HOUR + 9))
    young, shown = _file(folder, "young", 60), _file(folder, "shown", HOUR + 9)
    swept = Disk(folder, lambda: {shown})
    swept.sweep()
    assert [each.exists() for each in [*old, young, shown]] == [False, False, False, True, True]
    assert swept.used == 2000


def test_on_a_crowded_disk_the_oldest_go_first_and_open_pages_stay(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "ALL_BYTES", 4000.0)
    ages = {f"age{age}": age for age in (500, 400, 300, 200)}
    paths = [_file(folder, name, age) for name, age in ages.items()]
    swept = Disk(folder, lambda: {paths[0]})
    with pytest.raises(InpaintError, match="disk is full"):
        swept.check(1)
    swept.sweep()
    assert [path.exists() for path in paths] == [True, False, True, True]
    swept.check(900)
    with pytest.raises(InpaintError, match="disk is full") as caught:
        swept.check(900)
    assert str(folder) not in str(caught.value)


def test_a_visitor_keeps_no_more_than_a_share(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = _file(folder, "anna", 0)
    disk.check_visitor(own)
    monkeypatch.setattr(disk, "VISITOR_BYTES", 500.0)
    with pytest.raises(InpaintError, match="save what you need"):
        disk.check_visitor(own)


def test_a_sentence_for_a_visitor_names_no_folder_of_the_server(folder: Path) -> None:
    @shows_errors
    def fails() -> None:
        raise InpaintError(f"{folder}/tmpabc/photo.png could not be written: choose another place.")

    with pytest.raises(gr.Error, match=r"^'photo\.png could not be written: choose another place\.'$"):
        fails()
    (folder / "taken.png").mkdir()
    with pytest.raises(InpaintError, match="disk may be full") as caught:
        files.save_png(np.zeros((4, 4), np.uint8), folder / "taken.png")
    assert str(folder) not in str(caught.value)
