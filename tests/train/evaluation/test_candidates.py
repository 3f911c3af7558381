"""Words such as "deepfill_v2+edges": which candidate they name, and what it fills."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inpaint_core.errors import InpaintError
from train.evaluation.candidates import Candidate, parse_candidates, ready_methods


@pytest.fixture
def photo_and_hole() -> tuple[np.ndarray, np.ndarray]:
    """A photo of coarse blocks, uint8 64 x 64 x 3, and a square hole, bool 64 x 64."""
    blocks = np.random.default_rng(0).integers(0, 255, (8, 8, 3))
    hole = np.zeros((64, 64), bool)
    hole[16:48, 16:48] = True
    return np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8), hole


def test_a_word_names_method_edges_and_refinement() -> None:
    assert Candidate.parse("deepfill_v2+edges") == Candidate("deepfill_v2+edges", "deepfill_v2", edges=True)
    assert Candidate.parse("ns+patchmatch") == Candidate("ns+patchmatch", "ns", refine="patchmatch")
    both = Candidate.parse("deepfill_v2+edges+patchmatch")
    assert (both.edges, both.refine) == (True, "patchmatch")


@pytest.mark.parametrize("word", ["magic", "telea+edges", "ns+patchmatch+telea"])
def test_words_that_name_no_candidate_are_refused(word: str) -> None:
    with pytest.raises(InpaintError):
        Candidate.parse(word)


def test_methods_without_weights_are_refused_and_not_among_those_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    for word in ("glcic", "deepfill_v1_mosaic", "deepfill_v2+edges"):
        with pytest.raises(InpaintError):
            parse_candidates([word])
    quick, slow = ready_methods()
    assert "ns" in quick
    assert "glcic" not in quick + slow


def test_navier_stokes_comes_first_and_every_candidate_once() -> None:
    words = [each.word for each in parse_candidates(["telea", "ns", "telea"])]
    assert words == ["ns", "telea"]
    assert [each.word for each in parse_candidates(["telea"], baseline=False)] == ["telea"]


def test_slow_methods_are_named() -> None:
    quick, slow = ready_methods(0.5)
    assert "ns" in quick
    assert "patchmatch" in slow


def test_edges_and_refinement_change_the_fill_and_nothing_else(photo_and_hole: tuple[np.ndarray, np.ndarray]) -> None:
    image, hole = photo_and_hole
    for plain, changed in (("deepfill_v2", "deepfill_v2+edges"), ("ns", "ns+patchmatch")):
        first, second = (Candidate.parse(word).fill(image, hole, "cpu")[0] for word in (plain, changed))
        assert not np.array_equal(first[hole], second[hole])
        assert np.array_equal(first[~hole], image[~hole])
        assert np.array_equal(second[~hole], image[~hole])


def test_an_unknown_refinement_is_refused(photo_and_hole: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(InpaintError, match="magic"):
        Candidate.parse("ns+magic").fill(*photo_and_hole, "cpu")
