"""Training and measuring the edge detector: its data, its loss, its protocol, resume and export."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch
from PIL import Image

from inpaint_core import sketch, weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.edge_detector import EdgeDetector
from train.edge_detection import evaluate as evaluate_edges
from train.edge_detection import train as script
from train.edge_detection.data import AGREED, DOUBTED, EdgeBank, EdgeSampler, annotated, consensus
from train.edge_detection.train import EdgeTraining, Recipe, Session, balanced_cross_entropy, run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of a bright square, a teacher's soft maps of them, and three annotators' drawings."""
    folder = tmp_path_factory.mktemp("edges")
    for name in ("photos", "maps", "drawn"):
        (folder / name).mkdir()
    dice = np.random.default_rng(0)
    for number in range(6):
        height, width = 72 + 4 * number, 96
        top, left = dice.integers(10, 30, 2)
        photo = dice.integers(0, 60, (height, width, 3), dtype=np.uint8)
        photo[top : top + 30, left : left + 40] += 150
        line = np.zeros((height, width), np.uint8)
        line[[top, top + 30], left : left + 41] = 1
        line[top : top + 31, [left, left + 40]] = 1
        soft = np.asarray(Image.fromarray(line * 255).resize((width // 2, height // 2)).resize((width, height)))
        Image.fromarray(photo).save(folder / "photos" / f"{number}.png")
        if number != 5:
            Image.fromarray(soft).save(folder / "maps" / f"{number}.png")
        bits = line | np.roll(line, 1, 0) << 1 | (line * (number % 2)) << 3  # the third one is absent or lazy
        Image.fromarray(photo).save(folder / "drawn" / f"{number}.png")
        Image.fromarray(bits.astype(np.uint8)).save(folder / "drawn" / f"{number}.annotators.png")
    return folder


def session(data: Path, out: Path, **more: object) -> Session:
    return Session(
        data=[data / "photos"],
        edges=[data / "maps"],
        annotated=[data / "drawn"],
        out=out,
        **more,  # type: ignore[arg-type]
    )


RECIPE: dict[str, Any] = {"size": 64, "batch": 4, "warmup": 2, "pretrained": False}


# ---- data ------------------------------------------------------------------------------------------------------------


def test_each_annotator_has_a_map_of_their_own(data: Path) -> None:
    found = annotated([data / "drawn"])
    assert [each.name for each in found] == [str(number) for number in range(6)]
    assert [len(each.drawings) for each in found] == [2, 3, 2, 3, 2, 3]
    assert found[0].drawings.dtype == bool
    assert found[0].drawings.shape[1:] == found[0].photo.shape[:2]
    assert np.array_equal(np.roll(found[0].drawings[0], 1, 0), found[0].drawings[1])


def test_annotators_agree_where_half_of_them_drew_nearby() -> None:
    drawings = np.zeros((4, 20, 40), bool)
    drawings[0, 5], drawings[1, 6], drawings[2, 7] = True, True, True  # one contour, a pixel apart
    drawings[3, 15] = True  # one person's own
    found = consensus(drawings)
    assert (found[5:8] == AGREED).all()
    assert (found[15] == DOUBTED).all()
    assert (found[[0, 4, 8, 10, 14, 16]] == 0).all()


def test_only_photos_with_a_teachers_map_are_learned_from(data: Path) -> None:
    assert len(EdgeBank.of_teacher([data / "photos"], [data / "maps"])) == 5
    with pytest.raises(FileNotFoundError, match="none of the teacher"):
        EdgeBank.of_teacher([data / "photos"], [data / "drawn" / "0.annotators.png"])
    with pytest.raises(FileNotFoundError, match="no annotated photos"):
        annotated([data / "photos"])


def test_a_turned_crop_turns_its_edges_along() -> None:
    photo = np.zeros((128, 128, 3), np.uint8)
    photo[60:68, 20:108] = 255
    bank = EdgeBank.of([(photo, photo[..., 0])], drawn=False)
    numbers = torch.rand(16, 7, generator=torch.Generator().manual_seed(0))
    numbers[:, 6] = 1.0
    numbers[:8, 6] = 0.0
    crops, inside = bank.crops(numbers, 64)
    torch.testing.assert_close(crops[:, 0], crops[:, 3])
    assert crops.shape == (16, 4, 64, 64)
    assert inside.shape == (16, 1, 64, 64)
    assert (inside[8:] == 1).all()
    turned = crops[:8, 0] > 0.5
    assert any(bool(each.any(0).sum() > 5 and each.any(1).sum() > 20) for each in turned)


def test_a_thin_line_survives_a_crop_at_half_size() -> None:
    photo, line = np.zeros((128, 128, 3), np.uint8), np.zeros((128, 128), np.uint8)
    line[:, 70] = AGREED
    numbers = torch.tensor([[0.0, 1.0, 0.0, 0.5, 0.5, 1.0, 1.0]])
    crops, _ = EdgeBank.of([(photo, line)], drawn=True).crops(numbers, 64)
    assert (crops[0, 3].amax(1) == 1).all()


def test_a_step_draws_the_same_batch_again_and_processes_share_it(data: Path) -> None:
    banks = [EdgeBank.of_teacher([data / "photos"], [data / "maps"]), EdgeBank.of_people([data / "drawn"])]
    whole = EdgeSampler(banks, [0.5, 0.5], 64, 8)
    first, again = whole(3), whole(3)
    assert torch.equal(first.image, again.image)
    assert torch.equal(first.edges, again.edges)
    assert not torch.equal(first.image, whole(4).image)
    halves = [EdgeSampler(banks, [0.5, 0.5], 64, 8, rank=rank, world=2)(3).image for rank in (0, 1)]
    both = torch.cat(halves)
    assert len(both) == 8
    torch.testing.assert_close(both.sum((1, 2, 3)).sort()[0], first.image.sum((1, 2, 3)).sort()[0])


# ---- the loss --------------------------------------------------------------------------------------------------------


def test_the_few_edge_pixels_weigh_as_much_as_all_others() -> None:
    edges = torch.zeros(1, 1, 20, 20)
    edges[..., 10, :] = 1  # 5 %
    known = torch.ones_like(edges)
    all_of, none_of = (balanced_cross_entropy(torch.full_like(edges, each), edges, known) for each in (9.0, -9.0))
    torch.testing.assert_close(all_of, none_of)
    assert balanced_cross_entropy(edges * 40 - 20, edges, known) < 1e-6


def test_doubted_pixels_teach_nothing() -> None:
    edges, known = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    edges[..., 4, :] = 1
    known[..., 0, :] = 0
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    balanced_cross_entropy(logits, edges, known).backward()
    assert logits.grad is not None
    assert (logits.grad[..., 0, :] == 0).all()
    assert (logits.grad[..., 1:, :] != 0).all()


def test_the_best_answer_to_a_soft_map_is_the_map() -> None:
    edges = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)).clamp(0.05, 0.95)
    logits = edges.logit().requires_grad_()
    balanced_cross_entropy(logits, edges, torch.ones_like(edges)).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6


def test_a_photo_without_edges_has_a_finite_loss() -> None:
    zeros = torch.zeros(2, 1, 8, 8)
    assert balanced_cross_entropy(zeros, zeros, zeros + 1).isfinite()
    assert balanced_cross_entropy(zeros, zeros, zeros) == 0


# ---- the run ---------------------------------------------------------------------------------------------------------


def test_training_learns_and_the_export_detects(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = session(data, tmp_path, val=[data / "drawn"], val_photos=2, eval_every=6, steps=6, export=True)
    engine = run(EdgeTraining(Recipe(**RECIPE)), where)
    assert engine.step == 6
    record = weights.records(tmp_path / "export")["edge_detector"]
    assert record.bytes < 3_000_000
    assert record.dtype == "float16"
    assert record.arguments == {"scales": [0.5, 1.0, 1.5]}
    assert record.metrics["photos"] == 6
    assert 0 < record.metrics["ods"] <= record.metrics["ois"] <= 1
    assert "python -m train.edge_detection.train" in record.command
    assert record.extra["recipe"]["size"] == 64
    assert "ODS" in capsys.readouterr().out
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path / "export"))
    soft = sketch.edges(annotated([data / "drawn"])[0].photo, "cpu")
    assert np.isfinite(soft).all()
    before = (tmp_path / "export" / "edge_detector.safetensors").read_bytes()
    start = EdgeTraining(Recipe(**RECIPE))
    run(start, session(data, tmp_path / "next", init=tmp_path / "export" / "edge_detector.safetensors", steps=1))
    assert start.started
    assert (tmp_path / "export" / "edge_detector.safetensors").read_bytes() == before


def test_a_resumed_run_ends_as_one_that_was_never_stopped(data: Path, tmp_path: Path) -> None:
    whole = run(EdgeTraining(Recipe(**RECIPE)), session(data, tmp_path / "whole", steps=4, precision="no"))
    run(EdgeTraining(Recipe(**RECIPE)), session(data, tmp_path / "parts", steps=4, precision="no", minutes=0))
    again = run(EdgeTraining(Recipe(**RECIPE)), session(data, tmp_path / "parts", steps=4, precision="no", resume=True))
    assert again.step == whole.step == 4
    for name, tensor in whole.modules["generator"].state_dict().items():
        assert torch.equal(tensor, again.modules["generator"].state_dict()[name]), name
    assert whole.average is not None
    assert again.average is not None
    for one, two in zip(whole.average.parameters(), again.average.parameters(), strict=True):
        assert torch.equal(one, two)


def test_a_checkpoint_of_another_network_is_refused(data: Path, tmp_path: Path) -> None:
    weights.save(
        "x", {"a": torch.zeros(3)}, {}, tmp_path, command="", data="", steps=0, images_seen=0, metrics={}, licence=""
    )
    with pytest.raises(InpaintError, match="another architecture"):
        run(EdgeTraining(Recipe(**RECIPE)), session(data, tmp_path / "run", init=tmp_path / "x.safetensors"))


def test_the_trunk_begins_with_what_imagenet_taught_and_learns_at_a_lower_rate(
    data: Path, tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(shared / "torch_home"))
    training = EdgeTraining(Recipe(**{**RECIPE, "pretrained": True, "rate": 1e-3, "trunk": 0.5}))
    engine = run(training, session(data, tmp_path / "run", steps=1, precision="no"))
    groups = engine.optimizers["generator"].param_groups
    assert [group["lr"] for group in groups] == [0.5e-3, 0.25e-3]  # the first of two steps of the warmup
    assert sum(len(group["params"]) for group in groups) == len(list(training.detector.parameters()))
    (file,) = (shared / "torch_home/hub/checkpoints").glob("squeezenet1_1-*.pth")
    taught = torch.load(file, weights_only=True)
    for name, tensor in training.detector.trunk.state_dict().items():
        moved = (tensor - taught[f"features.{name}"]).abs().max()
        assert 0 < moved < 1e-3, name


def test_without_the_pretrained_trunk_it_says_what_would_help(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*args: object, **more: object) -> None:
        raise URLError("no route")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(InpaintError, match=r"squeezenet1_1.*--no-pretrained"):
        run(EdgeTraining(Recipe(**{**RECIPE, "pretrained": True})), session(data, tmp_path / "run", steps=1))


def test_the_options_of_the_command_are_those_of_recipe_and_session() -> None:
    names = list(inspect.signature(script.main).parameters)
    for field in (*fields(Session), *fields(Recipe)):
        assert field.name in names
    assert "masks" not in names


# ---- the protocol ----------------------------------------------------------------------------------------------------


def line(row: int, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    found = np.zeros(shape, bool)
    found[row, 10:150] = True
    return found


def soft(lines: np.ndarray) -> np.ndarray:
    from scipy.ndimage import distance_transform_edt

    return np.exp(-0.5 * (distance_transform_edt(~lines) / 2) ** 2).astype(np.float32)


def test_a_perfect_map_scores_one() -> None:
    scores = evaluate_edges.evaluate([(soft(line(40)), line(40)[None])], 9)
    assert scores.ods > 0.98
    assert scores.ois > 0.98


def test_lines_within_the_tolerance_count_and_beyond_it_do_not() -> None:
    """0.0075 of the diagonal of 120 x 160 is 1.5 pixels."""
    near = evaluate_edges.evaluate([(soft(line(41)), line(40)[None])], 9)
    far = evaluate_edges.evaluate([(soft(line(43)), line(40)[None])], 9)
    assert near.ods > 0.98
    assert far.ods < 0.1


def test_no_pixel_is_matched_twice() -> None:
    """Two parallel lines within the tolerance of one that was drawn: only one of them is right."""
    drawn = np.zeros((120, 160), bool)
    drawn[40] = True
    these = np.argwhere(np.roll(drawn, 1, 0) | np.roll(drawn, -1, 0))
    near = evaluate_edges.pairs(these, np.argwhere(drawn), 1.5)
    assert evaluate_edges.match(near, 320, 160).sum() == 160


def test_the_matching_is_as_large_as_an_assignment_finds() -> None:
    from scipy.optimize import linear_sum_assignment

    dice = np.random.default_rng(0)
    for _ in range(5):
        these, those = (np.unique(dice.integers(0, 25, (60, 2)), axis=0) for _ in range(2))
        close = np.linalg.norm(these[:, None] - those[None], axis=2) <= 2.0
        near = evaluate_edges.pairs(these, those, 2.0)
        assert np.array_equal(np.unique(near, axis=0), np.argwhere(close))
        rows, columns = linear_sum_assignment(close, maximize=True)
        assert evaluate_edges.match(near, len(these), len(those)).sum() == close[rows, columns].sum()


def test_precision_forgives_what_one_annotator_drew_and_recall_asks_for_all_of_it() -> None:
    drawings = np.stack([line(40), line(80)])
    counts = evaluate_edges.count(soft(line(40)), drawings, np.array([0.5]))
    assert counts.precision()[0] > 0.97
    assert abs(counts.recall()[0] - 0.5) < 0.01


def test_one_threshold_for_all_photos_is_never_better_than_each_ones_own() -> None:
    maps = [
        (0.3 * soft(line(40)) + 0.25 * soft(line(90)), line(40)[None]),
        (soft(line(40)) + 0 * line(9), line(40)[None]),
    ]
    maps[1] = (np.maximum(maps[1][0], 0.6 * soft(line(90))), line(40)[None])
    scores = evaluate_edges.evaluate(maps, 19)
    assert scores.ois > scores.ods + 0.05
    with pytest.raises(ValueError, match="no maps"):
        evaluate_edges.evaluate([])


def test_the_gradient_finds_a_step_and_nothing_on_a_plain(data: Path) -> None:
    photo = np.zeros((60, 80, 3), np.uint8)
    photo[:, 40:] = 200
    for detect in (evaluate_edges.gradient, evaluate_edges.canny):
        found = detect(photo)
        assert found[:, 38:42].max() > 0.5
        assert found[:, :20].max() == 0
    detected = evaluate_edges.detect(EdgeDetector().eval(), photo)
    assert detected.shape == (60, 80)


def test_the_command_prints_a_table_and_draws_a_sheet(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "sheet.png"
    evaluate_edges.main([data / "drawn"], ["gradient", "canny"], limit=4, thresholds=5, picture=picture)
    rows = [row.split("|")[1].strip() for row in capsys.readouterr().out.splitlines()]
    assert rows == ["detector", "---", "gradient", "canny"]
    assert Image.open(picture).size == (6 * 240, 4 * 240)
    with pytest.raises(InpaintError, match="magic"):
        evaluate_edges.main([data / "drawn"], ["magic"])
