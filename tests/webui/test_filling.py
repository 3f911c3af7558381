"""A fill of the Edit tab: what is said while it runs, what is kept of it, with and without a sketch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core import InpaintError, Result, catalogue, predictor
from inpaint_core.predictor import FillOptions
from tests.webui.painting import box, strokes
from webui import filling
from webui.drawing import Drawing
from webui.filling import Finished
from webui.session import Session, close, open_photo

needs_weights = pytest.mark.skipif(
    not catalogue.get("deepfill_v2").ready, reason="the weights of deepfill_v2, which follows sketches, are absent"
)

HOLE = box(100, 100, 160, 180)
LINE = box(128, 90, 130, 190)
BESIDE = box(10, 10, 12, 300)


def _fill(session: Session, method: str = "telea", sketch: np.ndarray | None = None) -> Finished:
    job = filling.prepare(Drawing(session, strokes(HOLE, sketch)), method, FillOptions())
    *_, finished = filling.fill(job)
    assert isinstance(finished, Finished)
    return finished


def _pixels(path: str | Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def test_a_fill_is_kept_as_a_step_that_changes_nothing_but_the_hole(session: Session) -> None:
    finished = _fill(session)
    (step,) = finished.steps
    before, after = session.pixels(), _pixels(step.image)
    assert np.array_equal(before[~HOLE], after[~HOLE])
    assert (before[HOLE] != after[HOLE]).any()
    assert np.array_equal(_pixels(step.mask) > 0, HOLE)
    assert session.steps == {step.id: step}
    assert finished.explanations


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
    (first,) = _fill(session).steps
    job = filling.prepare(Drawing(session.at(first.id), strokes(box(200, 10, 220, 40))), "telea", FillOptions())
    *_, finished = filling.fill(job)
    assert isinstance(finished, Finished)
    assert np.array_equal(_pixels(finished.steps[0].changed) > 0, HOLE | box(200, 10, 220, 40))
    assert np.array_equal(_pixels(finished.steps[0].mask) > 0, box(200, 10, 220, 40))
    assert np.array_equal(_pixels(finished.steps[0].image)[HOLE], _pixels(first.image)[HOLE])


def test_progress_and_previews_are_shown_while_a_fill_runs(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(image, mask, method, options, *, progress, preview):
        progress(0.5, "half of it")
        preview(image)
        return Result(method, image, 0.0)

    monkeypatch.setattr(predictor, "fill", slowly)
    job = filling.prepare(Drawing(session, strokes(HOLE)), "telea", FillOptions())
    *running, finished = filling.fill(job)
    assert running[0].share is None  # nothing is known yet, so nothing is said
    assert [(each.share, each.text) for each in running[1:]] == [(0.5, "half of it")] * (len(running) - 1)
    ((picture, place),) = [each.preview for each in running if each.preview is not None]
    assert max(picture.shape) == filling.PREVIEW_SIDE
    assert (place.top, place.left) == (60, 60)  # half of the hole's longer side around it
    assert isinstance(finished, Finished)


def test_with_nothing_painted_the_hole_of_the_fill_that_is_shown_is_filled_once_more(session: Session) -> None:
    (first,) = _fill(session, "telea").steps
    job = filling.prepare(Drawing(session.at(first.id), strokes(np.zeros((300, 400), bool))), "ns", FillOptions())
    assert np.array_equal(job.request.mask, HOLE)
    assert np.array_equal(job.request.image, session.pixels())  # of the photo as it was before that fill


def test_a_fill_of_a_photo_that_was_closed_meanwhile_is_dropped(session: Session) -> None:
    job = filling.prepare(Drawing(session, strokes(HOLE)), "telea", FillOptions())
    close(session)
    with pytest.raises(InpaintError, match="Another photo was opened"):
        list(filling.fill(job))
    assert not session.folder.exists()


def test_a_method_that_follows_no_sketch_says_so(session: Session) -> None:
    assert "does not follow a sketch" in _fill(session, "telea", LINE).notes
    assert "sketch" not in _fill(session, "telea").notes


@needs_weights
def test_a_sketch_beside_the_hole_is_ignored_and_the_notes_say_so(session: Session) -> None:
    plain, beside = _fill(session, "deepfill_v2"), _fill(session, "deepfill_v2", BESIDE)
    assert "outside of the mask" in beside.notes
    assert "outside of the mask" not in plain.notes
    assert np.array_equal(_pixels(plain.steps[0].image), _pixels(beside.steps[0].image))


@needs_weights
def test_with_and_without_a_sketch_gives_two_pictures_of_the_hole_and_keeps_the_one_with(session: Session) -> None:
    job = filling.prepare(Drawing(session, strokes(HOLE, LINE)), "deepfill_v2", FillOptions())
    *_, finished = filling.fill_both(job)
    assert isinstance(finished, Finished)
    without, with_it = finished.steps
    assert (without.title.rpartition(", ")[2], with_it.title.rpartition(", ")[2]) == (
        "without the sketch",
        "with the sketch",
    )
    assert without.session.step == with_it.session.step == ""
    changed = (_pixels(without.image) != _pixels(with_it.image)).any(axis=2)
    assert changed[HOLE].any()
    assert not changed[~HOLE].any()


@needs_weights
@pytest.mark.parametrize(
    ("method", "sketch", "message"),
    [
        ("telea", BESIDE, "does not follow a sketch; choose .*DeepFill v2"),
        ("deepfill_v2", BESIDE, "no line inside of the mask"),
        ("deepfill_v2", None, "no line inside of the mask"),
    ],
)
def test_with_and_without_names_what_is_missing(
    session: Session, method: str, sketch: np.ndarray | None, message: str
) -> None:
    job = filling.prepare(Drawing(session, strokes(HOLE, sketch)), method, FillOptions())
    with pytest.raises(InpaintError, match=message):
        list(filling.fill_both(job))


def test_an_unpainted_photo_is_refused_before_anything_runs(session: Session) -> None:
    with pytest.raises(InpaintError, match="Nothing is painted yet"):
        filling.prepare(Drawing(session), "telea", FillOptions())
