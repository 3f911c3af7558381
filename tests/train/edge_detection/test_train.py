"""Training the edge detector: its loss, the pretrained trunk, an interrupted run, the export."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
import torch

from inpaint_core import sketch, weights
from inpaint_core.errors import InpaintError
from tests.train.recording import record_logs
from train.core.checkpoint import CHECKPOINT, read_checkpoint
from train.edge_detection import train as script
from train.edge_detection.data import annotated
from train.edge_detection.train import balanced_cross_entropy


def config(folder: Path, out: Path, **options: Any) -> script.Config:
    sources = {"data": (folder / "photos",), "edges": (folder / "maps",), "annotated": (folder / "drawn",)}
    short = {"size": 64, "batch": 4, "steps": 4, "warmup": 2, "pretrained": False, "precision": "no"}
    return script.Config(out=out, **{**sources, **short, **options})


def test_the_few_edge_pixels_weigh_as_much_as_all_others() -> None:
    edges = torch.zeros(1, 1, 20, 20)
    edges[..., 10, :] = 1  # 5 %
    known = torch.ones_like(edges)
    all_of, none_of = (balanced_cross_entropy(torch.full_like(edges, each), edges, known) for each in (9.0, -9.0))
    torch.testing.assert_close(all_of, none_of)
    assert balanced_cross_entropy(edges * 40 - 20, edges, known) < 1e-6


def test_doubted_pixels_have_no_gradient() -> None:
    edges, known = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
    edges[..., 4, :] = 1
    known[..., 0, :] = 0
    logits = torch.zeros(1, 1, 8, 8, requires_grad=True)
    balanced_cross_entropy(logits, edges, known).backward()
    assert logits.grad is not None
    assert (logits.grad[..., 0, :] == 0).all()
    assert (logits.grad[..., 1:, :] != 0).all()


def test_the_optimum_for_a_soft_map_is_the_map() -> None:
    edges = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)).clamp(0.05, 0.95)
    logits = edges.logit().requires_grad_()
    balanced_cross_entropy(logits, edges, torch.ones_like(edges)).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-6


def test_a_photo_without_edges_has_a_finite_loss() -> None:
    zeros = torch.zeros(2, 1, 8, 8)
    assert balanced_cross_entropy(zeros, zeros, zeros + 1).isfinite()
    assert balanced_cross_entropy(zeros, zeros, zeros) == 0


def test_training_learns_one_photo(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = record_logs(monkeypatch)
    (tmp_path / "photo").mkdir()
    shutil.copy(data / "photos" / "0.png", tmp_path / "photo")
    one: dict[str, Any] = {"data": (tmp_path / "photo",), "drawn": 0.0, "steps": 16, "cosine": False}
    script.main(config(data, tmp_path / "run", **one))
    fused = [log["fused"] for log in logs]
    assert max(fused[-3:]) < 0.8 * min(fused[:2]), fused
    assert {"side_1", "side_4", "gradient_norm"} <= set(logs[-1])


def test_bf16_trains_too(data: Path, tmp_path: Path) -> None:
    script.main(config(data, tmp_path, precision="bf16", steps=2, batch=2))
    for name, tensor in read_checkpoint(tmp_path / CHECKPOINT)["networks"]["detector"].items():
        assert tensor.isfinite().all(), name


def test_the_export_detects_and_trains_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"val": (data / "drawn",), "val_photos": 2, "eval_every": 2, "steps": 2, "export": True}
    logs = record_logs(monkeypatch)
    script.main(config(data, tmp_path / "run", **options))
    assert "validation/ods" in logs[-1]
    export = tmp_path / "run" / "export"
    record = weights.records(export)[sketch.DETECTOR]
    assert record.bytes < 3_000_000
    assert record.dtype == "float16"
    assert record.arguments == {"scales": [0.5, 1.0, 1.5]}
    assert record.metrics["photos"] == 6
    assert 0 < record.metrics["ods"] <= record.metrics["ois"] <= 1
    assert "python -m train.edge_detection.train" in record.command
    assert record.extra["recipe"]["size"] == 64
    assert "ODS" in capsys.readouterr().out
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(export))
    soft = sketch.edges(annotated([data / "drawn"])[0].photo, "cpu")
    assert np.isfinite(soft).all()

    exported = export / f"{sketch.DETECTOR}.safetensors"
    script.main(config(data, tmp_path / "next", init=exported, steps=1, lr=0.0))
    network = read_checkpoint(tmp_path / "next" / CHECKPOINT)["networks"]["detector"]
    for name, tensor in weights.read_state_dict(exported).items():
        if "running" not in name and "num_batches" not in name:
            assert torch.equal(network[name], tensor.to(network[name].dtype)), name


def test_a_resumed_run_ends_as_one_that_was_never_stopped(data: Path, tmp_path: Path) -> None:
    script.main(config(data, tmp_path / "whole"))
    script.main(config(data, tmp_path / "parts", minutes=0.0))
    script.main(config(data, tmp_path / "parts", resume=True))
    whole, parts = (read_checkpoint(tmp_path / name / CHECKPOINT) for name in ("whole", "parts"))
    assert parts["step"] == whole["step"] == 4
    for kind in ("networks", "averages"):
        for name, tensor in whole[kind]["detector"].items():
            assert torch.equal(tensor, parts[kind]["detector"][name]), name


def test_a_checkpoint_of_another_network_is_refused(data: Path, tmp_path: Path) -> None:
    weights.save(
        "x", {"a": torch.zeros(3)}, {}, tmp_path, command="", data="", steps=0, images_seen=0, metrics={}, licence=""
    )
    with pytest.raises(InpaintError, match="another architecture"):
        script.main(config(data, tmp_path / "run", init=tmp_path / "x.safetensors"))


def test_the_trunk_starts_from_imagenet_and_learns_at_a_lower_rate(
    data: Path, tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(shared / "torch_home"))
    script.main(config(data, tmp_path / "run", pretrained=True, lr=1e-3, trunk=0.5, steps=1))
    checkpoint = read_checkpoint(tmp_path / "run" / CHECKPOINT)
    groups = checkpoint["optimizers"]["detector"]["param_groups"]
    assert [group["lr"] for group in groups] == [0.5e-3, 0.25e-3]  # the first of two steps of the warmup
    (file,) = (shared / "torch_home/hub/checkpoints").glob("squeezenet1_1-*.pth")
    pretrained = torch.load(file, weights_only=True)
    network = checkpoint["networks"]["detector"]
    trunk = [name for name in network if name.startswith("trunk.")]
    assert len(trunk) > 40
    for name in trunk:
        moved = (network[name] - pretrained[name.replace("trunk.", "features.", 1)]).abs().max()
        assert 0 < moved < 1e-3, name


def test_without_the_pretrained_trunk_the_error_says_what_to_do(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*args: object, **more: object) -> None:
        raise URLError("no route")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", offline)
    with pytest.raises(InpaintError, match=r"squeezenet1_1.*--no-pretrained"):
        script.main(config(data, tmp_path / "run", pretrained=True))
    with pytest.raises(InpaintError, match="below 1"):
        script.main(config(data, tmp_path / "other", drawn=1.0))
