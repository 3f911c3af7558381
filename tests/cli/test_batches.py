"""The command `fill` on folders: broken files, missing masks, an interrupted run."""

from __future__ import annotations

from pathlib import Path

import pytest

from inpaint_core import batch as batches
from inpaint_core import predictor
from tests.cli.running import run


def test_a_bad_file_does_not_end_a_batch(batch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fill", batch / "photos", batch / "masks", "-m", "ns", "-o", batch / "out") == 3
    assert sorted(path.name for path in (batch / "out").iterdir()) == ["a.png", "b.jpg"]
    printed = capsys.readouterr()
    assert "2 filled, 1 failed" in printed.out
    assert printed.err.strip().splitlines()[-1].startswith("Failed: c.jpg ")
    assert "Traceback" not in printed.err


def test_a_photo_without_a_mask_is_listed_as_failed(batch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (batch / "photos" / "c.jpg").unlink()
    (batch / "masks" / "b_mask.png").unlink()
    assert run("fill", batch / "photos", batch / "masks", "-m", "ns", "-o", batch / "out") == 3
    assert "Failed: b.jpg: There is no mask named b.png" in capsys.readouterr().err


def test_one_mask_serves_all_photos_of_its_size(batch: Path) -> None:
    (batch / "photos" / "c.jpg").unlink()
    assert run("fill", batch / "photos", batch / "mask.png", "-m", "ns", "-o", batch / "out") == 0
    assert len(list((batch / "out").iterdir())) == 2


def test_an_interrupted_batch_goes_on_where_it_was(
    batch: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (batch / "photos" / "c.jpg").unlink()
    command = ("fill", batch / "photos", batch / "masks", "-m", "ns", "-o", batch / "out")
    calls = []
    fill = predictor.fill

    def interrupted_at_the_second(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fill(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(predictor, "fill", interrupted_at_the_second)
    assert run(*command) == 130
    assert [path.name for path in (batch / "out").iterdir()] == ["a.png"]
    first = (batch / "out" / "a.png").stat().st_mtime_ns
    (batch / "out" / "b.png").touch()  # as a full disk leaves it: no result
    assert run(*command) == 0
    assert (batch / "out" / "a.png").stat().st_mtime_ns == first
    assert len(calls) == 3
    assert "1 filled, 1 existed already" in capsys.readouterr().out
    assert run(*command, "--overwrite") == 0
    assert len(calls) == 5


def test_photos_and_masks_may_share_a_folder(batch: Path) -> None:
    shared = batch / "shared"
    shared.mkdir()
    (shared / "cat.jpg").write_bytes((batch / "photo.jpg").read_bytes())
    (shared / "cat_mask.png").write_bytes((batch / "mask.png").read_bytes())
    plan = batches.plan(shared, shared, None, batch / "out", None)
    assert [(job.photo.name, job.mask.name) for job in plan.jobs] == [("cat.jpg", "cat_mask.png")]
