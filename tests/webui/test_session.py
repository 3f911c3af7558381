"""Visitors' files: each in a folder of its own, gone with its visitor or its server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core import InpaintError
from tests.webui.painting import box
from webui.files import read_mask, read_rgb, remove_folder, remove_leftovers, save_png, visitor_folder
from webui.session import Session, Step, close, open_photo


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


def test_no_other_folder_is_ever_removed(tmp_path: Path) -> None:
    remove_folder(tmp_path)
    assert tmp_path.is_dir()


def test_files_of_a_killed_server_are_removed_and_those_of_a_running_one_stay() -> None:
    code = "import os; from webui.files import visitor_folder; print(visitor_folder(), flush=True); os._exit(9)"
    root = Path(__file__).resolve().parents[2]
    killed = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    left, own = Path(killed.stdout.strip()), visitor_folder()
    assert left.is_dir()
    remove_leftovers()
    assert [left.exists(), left.parent.exists(), own.exists()] == [False, False, True]
    remove_folder(own)


def test_pictures_and_masks_are_saved_without_loss(tmp_path: Path, astronaut: np.ndarray) -> None:
    mask = box(3, 4, 30, 40, astronaut.shape[:2])
    assert np.array_equal(read_rgb(save_png(astronaut, tmp_path / "new" / "photo.png")), astronaut)
    assert np.array_equal(read_mask(save_png(mask, tmp_path / "mask.png")), mask)


def test_a_session_at_a_step_keeps_the_original_and_what_was_changed(session: Session) -> None:
    path = save_png(np.zeros((300, 400, 3), np.uint8), session.new_path(".png"))
    changed = save_png(box(1, 1, 9, 9), session.new_path(".png"))
    step = Step(session, "one", "Telea", 0.1, image=path, after=path, mask=changed, changed=changed)
    session.steps["one"] = step
    once = session.at("one")
    assert np.array_equal(once.pixels(), read_rgb(path))
    assert np.array_equal(once.photo().pixels, session.pixels())
    assert (once.base_changed, once.canvas, once.step) == (changed, path, "one")
    assert once.at("") == session
    with pytest.raises(InpaintError, match="open the photo again"):
        session.at("two")
