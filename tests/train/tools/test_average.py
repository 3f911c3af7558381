"""The mean of checkpoints: its weights, what its record says of it, and figures that are its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.metrics import l1
from inpaint_core.networks.context_encoder import ContextEncoder
from inpaint_core.networks.deepfill_v1 import DeepFillV1
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from inpaint_core.networks.glcic import CompletionNetwork
from train.core.config import PhotoConfig
from train.core.photo_bank import PhotoBank
from train.core.validation import centre_crops, paste
from train.tools.average import Config, check_measurable, main, measure, normalised

SIZE = 64
ABOUT: dict[str, Any] = {
    "command": "python -m train.glcic --steps 9",
    "data": "photos",
    "steps": 9,
    "images_seen": 18,
    "metrics": {"centre_64": {"lpips": 0.5}},
    "licence": "MIT",
    "recipe": {"size": SIZE},
    "lpips_change": 0.0003,
}


def exported(
    folder: Path,
    seed: int,
    make: type[nn.Module] = CompletionNetwork,
    method: str = "glcic",
    dtype: str = "float32",
    **about: Any,
) -> Path:
    """The file of an untrained network, beside its manifest."""
    torch.manual_seed(seed)
    arguments = {"width": 4} | about.pop("arguments", {})
    network = make(**arguments)
    record = weights.save(method, network.state_dict(), arguments, folder, dtype=dtype, **(ABOUT | about))
    return folder / record.file


def state_of(file: Path) -> dict[str, Tensor]:
    return weights.load(file.stem, file.parent)[1]


def average(files: Sequence[Path], out: Path, **options: Any) -> None:
    main(Config(files=tuple(files), out=out, **options))


def test_the_mean_is_weighted_by_the_shares(tmp_path: Path) -> None:
    files = [exported(tmp_path / str(seed), seed) for seed in range(3)]
    average(files, tmp_path / "mean", shares=(3.0, 1.0, 4.0))
    first, second, third = map(state_of, files)
    for name, tensor in state_of(tmp_path / "mean" / "glcic.safetensors").items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, (3 * first[name] + second[name] + 4 * third[name]) / 8)
        else:
            assert torch.equal(tensor, first[name])


def test_without_shares_all_count_the_same(tmp_path: Path) -> None:
    assert normalised((), 4) == [0.25] * 4
    files = [exported(tmp_path / str(seed), seed) for seed in range(2)]
    average(files, tmp_path / "mean")
    first, second, both = map(state_of, (*files, tmp_path / "mean" / "glcic.safetensors"))
    name = next(name for name, tensor in both.items() if tensor.ndim == 4)
    assert not torch.equal(first[name], second[name])
    torch.testing.assert_close(both[name], (first[name] + second[name]) / 2)


def test_weights_stored_as_int8_are_averaged_as_what_they_stand_for(tmp_path: Path) -> None:
    one, two = exported(tmp_path / "1", 1, dtype="int8"), exported(tmp_path / "2", 2, dtype="float16")
    average([one, two], tmp_path / "mean", shares=(0.5, 0.5), stored="float32")
    average([one, two], tmp_path / "small", shares=(0.5, 0.5))
    assert weights.records(tmp_path / "small")["glcic"].dtype == "int8", "as the first one"
    first, second, both = map(state_of, (one, two, tmp_path / "mean" / "glcic.safetensors"))
    for name, tensor in both.items():
        if tensor.ndim == 4:
            torch.testing.assert_close(tensor, (first[name] + second[name]) / 2)
            assert tensor.abs().max() < 10, "not the integers"


def test_the_record_is_the_first_ones_but_for_figures_and_origin(tmp_path: Path) -> None:
    one = exported(tmp_path / "1", 1)
    two = exported(tmp_path / "2", 2, steps=77, command="another", recipe={"size": 32})
    average([one, two], tmp_path / "mean", shares=(0.65, 0.35))
    first, second = (weights.records(file.parent)["glcic"] for file in (one, two))
    record = weights.records(tmp_path / "mean")["glcic"]
    assert weights.ready("glcic", tmp_path / "mean")
    for name in ("method", "file", "arguments", "dtype", "command", "data", "steps", "images_seen", "licence"):
        assert getattr(record, name) == getattr(first, name)
    assert record.metrics == {}, "those of the files are another network's"
    assert record.extra == {
        "recipe": {"size": SIZE},
        "averaged": [
            {"file": "glcic.safetensors", "sha256": first.sha256, "share": 0.65},
            {"file": "glcic.safetensors", "sha256": second.sha256, "share": 0.35},
        ],
    }
    average([tmp_path / "mean" / "glcic.safetensors", one], tmp_path / "again")
    origins = weights.records(tmp_path / "again")["glcic"].extra["averaged"]
    assert origins[0]["averaged"] == record.extra["averaged"], "the record of a mean of a mean names both"
    assert "averaged" not in origins[1]


def test_other_checkpoints_of_the_folder_stay_in_its_manifest(tmp_path: Path) -> None:
    files = [exported(tmp_path / str(seed), seed) for seed in range(2)]
    exported(tmp_path / "mean", 5, DeepFillV1, "deepfill_v1")
    average(files, tmp_path / "mean")
    assert set(weights.records(tmp_path / "mean")) == {"glcic", "deepfill_v1"}


def test_what_has_no_mean_is_one_sentence_and_nothing_is_written(tmp_path: Path) -> None:
    one, two = (exported(tmp_path / str(seed), seed) for seed in (1, 2))
    wide = exported(tmp_path / "wide", 1, arguments={"width": 8})
    other = exported(tmp_path / "v1", 1, DeepFillV1, "deepfill_v1")
    out = tmp_path / "mean"
    stranger = tmp_path / "1" / "stranger.safetensors"
    stranger.write_bytes(one.read_bytes())
    damaged = exported(tmp_path / "damaged", 3)
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for files, options, word in (
        ([one], {}, "two or more"),
        ([one, wide], {}, "one architecture"),
        ([one, other], {}, "glcic and deepfill_v1"),
        ([one, stranger], {}, "stranger"),
        ([one, damaged], {}, "checksum"),
        ([one, two], {"shares": (1.0,)}, "each of the 2 files"),
        ([one, two], {"shares": (1.5, -0.5)}, "positive"),
        ([one, two], {"shares": (1.0, math.nan)}, "positive"),
        ([one, two], {"out": two.parent}, "another folder"),
    ):
        before = two.read_bytes()
        with pytest.raises(InpaintError, match=word):
            average(files, **({"out": out} | options))
        assert not out.exists()
        assert two.read_bytes() == before


def test_methods_that_need_photos_of_one_size_are_not_measured_here(tmp_path: Path, photos: Path) -> None:
    sizes: dict[str, Any] = {"arguments": {"image_size": SIZE}}
    files = [exported(tmp_path / str(seed), seed, ContextEncoder, "context_encoder", **sizes) for seed in range(2)]
    with pytest.raises(InpaintError, match="--val"):
        average(files, tmp_path / "mean", val=(photos,))
    assert not (tmp_path / "mean").exists()
    for name in ("latent_search", "ns"):
        with pytest.raises(InpaintError, match="--val"):
            check_measurable(name)
    average(files, tmp_path / "mean")


def test_with_photos_the_figures_are_the_means_own(
    shared: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for name, light in (("bright", 3.0), ("dark", -1.0)):
        state = DeepFillV2(6, 4).state_dict()
        state["refinement.decoder.6.bias"].fill_(light)
        about = ABOUT | {"folder": tmp_path / name, "arguments": {"in_channels": 6, "width": 4}}
        files.append(tmp_path / name / weights.save("deepfill_v2", state, **about).file)
    average(files, tmp_path / "mean", shares=(1.0, 3.0), val_small=(photos,))
    figures = weights.records(tmp_path / "mean")["deepfill_v2"].metrics
    assert set(figures) == {f"centre_{SIZE}", f"free_form_{SIZE}", f"centre_{SIZE}_sketch", "images"}
    assert figures["images"].startswith(f"central squares of {photos.name};")
    assert f"centre_{SIZE}_sketch" in capsys.readouterr().out

    image = centre_crops(PhotoBank.load([photos]), 6, SIZE)
    mask = torch.zeros(6, 1, SIZE, SIZE)
    mask[..., 16:48, 16:48] = 1
    errors = []
    for file in (tmp_path / "mean" / "deepfill_v2.safetensors", *files):
        network = DeepFillV2(6, 4)
        network.load_state_dict(state_of(file))
        with torch.no_grad():
            errors.append(float(l1(paste(network(image, mask)[1], image, mask), image, mask).mean()))
    own = figures[f"centre_{SIZE}"]["l1"]
    assert own == pytest.approx(errors[0], abs=3e-3)
    assert min(errors[1:]) > own + 0.03, "white and black are farther from the photos than their mean, a grey"
    assert {path.name for path in (tmp_path / "mean").iterdir()} == {"deepfill_v2.safetensors", weights.MANIFEST}


def test_networks_that_restore_are_shown_mosaics(shared: Path, photos: Path) -> None:
    shown = []

    class Network(nn.Module):
        def forward(self, image: Tensor, mask: Tensor, sketch: Tensor | None = None) -> Tensor:
            shown.append(image)
            return image

    config = PhotoConfig(data=(), out=Path(), size=SIZE, val_small=(photos,))
    for name, pixelated in (("deepfill_v1_mosaic", True), ("deepfill_v1", False)):
        shown.clear()
        measure(name, Network(), config)
        block = shown[0][0, :, 32:36, 32:36]  # of the centre hole
        assert torch.equal(block, block[:, :1, :1].expand_as(block)) == pixelated


def test_with_training_photos_the_statistics_of_batch_normalisation_are_the_means_own(
    photos: Path, tmp_path: Path
) -> None:
    files = [exported(tmp_path / str(seed), seed) for seed in range(2)]
    average(files, tmp_path / "mean")
    average(files, tmp_path / "measured", data=(photos,))
    mean, measured = (state_of(tmp_path / name / "glcic.safetensors") for name in ("mean", "measured"))
    statistics = [name for name in mean if name.endswith(("running_mean", "running_var"))]
    assert statistics
    for name, tensor in mean.items():
        if name in statistics:
            assert not torch.equal(measured[name], tensor)
        elif tensor.is_floating_point():
            assert torch.equal(measured[name], tensor)
    average(files, tmp_path / "again", data=(photos,))
    again = state_of(tmp_path / "again" / "glcic.safetensors")
    assert all(torch.equal(again[name], measured[name]) for name in statistics)
