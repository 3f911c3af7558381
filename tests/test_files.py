"""Files appear whole or not at all, and what a killed process left is removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inpaint_core.errors import InpaintError
from inpaint_core.files import LEFT_OVER, check_output, replacing, write_atomically


def test_an_error_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_text("old")

    def fail_half_way() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("photo.png", "old")]


def test_what_a_killed_process_left_is_removed_and_what_another_one_writes_is_not(tmp_path: Path) -> None:
    abandoned, fresh = tmp_path / ".[a]*.png.0123456789ab.part", tmp_path / ".[a]*.png.ba9876543210.part"
    for path in (abandoned, fresh, tmp_path / ".other.png.0123456789ab.part"):
        path.touch()
    os.utime(abandoned, (0, path.stat().st_mtime - LEFT_OVER - 1))
    write_atomically(tmp_path / "[a]*.png", b"new")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".[a]*.png.ba9876543210.part",
        ".other.png.0123456789ab.part",
        "[a]*.png",
    ]


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InpaintError, match="not a file"):
        write_atomically(pipe, b"")
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 300])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InpaintError, match="cannot be written to"):
        check_output(tmp_path / name)
