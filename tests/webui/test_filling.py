"""A fill of the Edit tab: what is said while it runs, what is kept of it, with and without a sketch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core import InpaintError, Result, catalogue, predictor
from inpaint_core.predictor import FillOptions
from tests.webui.painting import box, strokes
from webui import filling, runner
from webui.drawing import Drawing
from webui.filling import Finished, Running
from webui.session import Session, close, open_photo

needs_weights = pytest.mark.skipif(
    not catalogue.get("deepfill_v2").ready, reason="the weights of deepfill_v2, which follows sketches, are absent"
)

HOLE = box(100, 100, 160, 180)
LINE = box(128, 90, 130, 190)
BESIDE = box(10, 10, 12, 300)


def _ignore(share: float, text: str) -> None: ...


def _fill(session: Session, method: str = "telea", sketch: np.ndarray | None = None) -> Finished:
    job = filling.prepare(Drawing(session, strokes(HOLE, sketch)), method, FillOptions())
    *_, finished = filling.fill(job, _ignore)
    assert isinstance(finished, Finished)
    return finished


def _pixels(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def test_a_fill_is_kept_as_a_step_that_changes_nothing_but_the_hole(session: Session) -> None:
    finished = _fill(session)
    before, after = session.pixels(), _pixels(finished.step.image)
    assert np.array_equal(before[~HOLE], after[~HOLE])
    assert (before[HOLE] != after[HOLE]).any()
    assert np.array_equal(_pixels(finished.step.mask) > 0, HOLE)
    assert np.array_equal(_pixels(finished.step.before), before)
    assert finished.photo_format == "PNG"
    assert finished.explanations
    assert not finished.pair


def test_the_notes_name_the_method_the_share_and_the_time(session: Session) -> None:
    notes = _fill(session).notes
    assert catalogue.get("telea").title in notes
    assert f"{HOLE.mean():.2%} of the photo" in notes
    assert " s." in notes


def test_a_format_that_changes_known_pixels_is_named(tmp_path: Path, astronaut: np.ndarray) -> None:
    Image.fromarray(astronaut[:300, :400]).save(tmp_path / "photo.jpg")
    session = open_photo(tmp_path / "photo.jpg")
    assert "JPEG compresses the whole photo anew" in _fill(session).notes
    close(session)


def test_a_fill_of_a_result_adds_to_what_is_changed(session: Session) -> None:
    first = _fill(session).step
    job = filling.prepare(Drawing(first.continued(), strokes(box(200, 10, 220, 40))), "telea", FillOptions())
    *_, finished = filling.fill(job, _ignore)
    assert isinstance(finished, Finished)
    assert np.array_equal(_pixels(finished.step.changed) > 0, HOLE | box(200, 10, 220, 40))
    assert np.array_equal(_pixels(finished.step.mask) > 0, box(200, 10, 220, 40))
    assert np.array_equal(_pixels(finished.step.image)[HOLE], _pixels(first.image)[HOLE])


def test_progress_and_previews_are_shown_while_a_fill_runs(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(image, mask, method, options, *, progress, preview):
        progress(0.5, "half of it")
        preview(image)
        return Result(method, image, 0.0)

    monkeypatch.setattr(predictor, "fill", slowly)
    reported: list[tuple[float, str]] = []
    job = filling.prepare(Drawing(session, strokes(HOLE)), "telea", FillOptions())
    running, finished = filling.fill(job, lambda *report: reported.append(report))
    assert reported == [(0.5, "half of it")]
    assert isinstance(running, Running)
    assert running.preview is not None
    assert max(running.preview.shape) == filling.PREVIEW_SIDE
    assert isinstance(finished, Finished)


def test_a_slow_method_is_announced_so_that_it_can_be_stopped(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "is_slow", lambda name: True)
    job = filling.prepare(Drawing(session, strokes(HOLE)), "telea", FillOptions())
    first, *_ = filling.fill(job, _ignore)
    assert isinstance(first, Running)
    assert "Stop ends it" in (first.notes or "")


def test_a_method_that_follows_no_sketch_says_so(session: Session) -> None:
    assert "does not follow a sketch" in _fill(session, "telea", LINE).notes
    assert "sketch" not in _fill(session, "telea").notes


@needs_weights
def test_a_sketch_beside_the_hole_is_ignored_and_the_notes_say_so(session: Session) -> None:
    plain, beside = _fill(session, "deepfill_v2"), _fill(session, "deepfill_v2", BESIDE)
    assert "outside of the mask" in beside.notes
    assert "outside of the mask" not in plain.notes
    assert np.array_equal(_pixels(plain.step.image), _pixels(beside.step.image))


@needs_weights
def test_with_and_without_a_sketch_gives_two_pictures_of_the_hole_and_keeps_the_one_with(session: Session) -> None:
    job = filling.prepare(Drawing(session, strokes(HOLE, LINE)), "deepfill_v2", FillOptions())
    *_, finished = filling.fill_both(job, _ignore)
    assert isinstance(finished, Finished)
    (without, _), (with_it, caption) = [(_pixels(path), caption) for path, caption in finished.pair]
    assert caption == "With the sketch"
    assert without.shape == with_it.shape == (140, 160, 3)  # the hole and half of its longer side around it
    changed = (without != with_it).any(axis=2)
    assert changed[40:100, 40:120].any()
    changed[40:100, 40:120] = False
    assert not changed.any()
    assert np.array_equal(_pixels(finished.step.image)[60:200, 60:220], with_it)


@needs_weights
@pytest.mark.parametrize(
    ("method", "sketch", "message"),
    [
        ("telea", BESIDE, "does not follow a sketch; choose DeepFill v2"),
        ("deepfill_v2", BESIDE, "no line inside of the mask"),
        ("deepfill_v2", None, "no line inside of the mask"),
    ],
)
def test_with_and_without_names_what_is_missing(
    session: Session, method: str, sketch: np.ndarray | None, message: str
) -> None:
    job = filling.prepare(Drawing(session, strokes(HOLE, sketch)), method, FillOptions())
    with pytest.raises(InpaintError, match=message):
        list(filling.fill_both(job, _ignore))


def test_an_unpainted_photo_is_refused_before_anything_runs(session: Session) -> None:
    with pytest.raises(InpaintError, match="Nothing is painted yet"):
        filling.prepare(Drawing(session), "telea", FillOptions())
