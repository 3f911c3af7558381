"""Checkpoints: what is saved comes back, and whatever is wrong with a file is one sentence."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.glcic import CompletionNetwork

FACTS: dict[str, Any] = {
    "command": "python -m train.glcic --steps 5",
    "data": "random noise",
    "steps": 5,
    "images_seen": 80,
    "metrics": {"l1": 0.1, "images": "none"},
    "licence": "MIT",
}


def network(width: int = 4) -> CompletionNetwork:
    torch.manual_seed(0)
    return CompletionNetwork(width=width)


def export(folder: Path, dtype: str = "float16", method: str = "glcic", **extra: Any) -> weights.Record:
    return weights.save(method, network().state_dict(), {"width": 4}, folder, dtype=dtype, **FACTS, **extra)


def assert_one_sentence(message: str) -> None:
    assert "\n" not in message
    assert message[0].isupper() or message.startswith("/")
    assert message.endswith(".")


def fails_with(folder: Path, *words: str, method: str = "glcic") -> None:
    with pytest.raises(InpaintError) as caught:
        weights.load(method, folder)
    assert_one_sentence(str(caught.value))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 0.0), ("float16", 1e-3), ("int8", 1 / 250)])
def test_what_was_saved_comes_back(tmp_path: Path, dtype: str, tolerance: float) -> None:
    record = export(tmp_path, dtype, seconds=12.5)
    arguments, state = weights.load("glcic", tmp_path)
    assert arguments == {"width": 4}
    original = network().state_dict()
    assert state.keys() == original.keys()
    for name, tensor in original.items():
        assert state[name].dtype == tensor.dtype
        if tensor.ndim < 2:
            assert torch.equal(state[name], tensor)
        else:
            largest = tensor.flatten(1).abs().amax(1).reshape(-1, *[1] * (tensor.ndim - 1))
            assert ((state[name] - tensor).abs() <= tolerance * largest).all()
    fresh = CompletionNetwork(**arguments)
    weights.load_into(fresh, state, "The weights")
    assert weights.records(tmp_path) == {"glcic": record}
    assert record.extra == {"seconds": 12.5}


def test_int8_is_a_quarter_and_float16_half_of_float32(tmp_path: Path) -> None:
    state = {"weight": torch.randn(64, 64, 3, 3, generator=torch.Generator().manual_seed(0))}
    sizes = {dtype: weights.save("glcic", state, {}, tmp_path, dtype=dtype, **FACTS).bytes for dtype in weights.DTYPES}
    assert sizes["float16"] < 0.51 * sizes["float32"]
    assert sizes["int8"] < 0.26 * sizes["float32"]


def test_int8_scales_every_output_channel_by_itself(tmp_path: Path) -> None:
    kernel = torch.ones(2, 3, 1, 1)
    kernel[1] *= 1e-4  # would vanish beside the first with a common scale
    weights.save("glcic", {"weight": kernel}, {}, tmp_path, dtype="int8", **FACTS)
    torch.testing.assert_close(weights.load("glcic", tmp_path)[1]["weight"], kernel)


def test_several_methods_share_a_manifest_and_saving_again_replaces(tmp_path: Path) -> None:
    export(tmp_path, method="glcic")
    export(tmp_path, method="autoencoder")
    export(tmp_path, "int8", method="glcic")
    assert {name: record.dtype for name, record in weights.records(tmp_path).items()} == {
        "autoencoder": "float16",
        "glcic": "int8",
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "autoencoder.safetensors",
        "glcic.safetensors",
        "manifest.json",
    ]


def test_ready_means_here_and_unaltered(tmp_path: Path) -> None:
    assert not weights.ready("glcic", tmp_path)
    export(tmp_path)
    assert weights.ready("glcic", tmp_path)
    assert not weights.ready("lama", tmp_path)
    path = tmp_path / "glcic.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert not weights.ready("glcic", tmp_path)
    path.write_bytes(content)
    assert weights.ready("glcic", tmp_path)
    path.unlink()
    assert not weights.ready("glcic", tmp_path)


def test_the_folder_can_be_chosen_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(tmp_path)
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    assert weights.directory() == tmp_path
    assert weights.ready("glcic")
    assert weights.load("glcic")[0] == {"width": 4}
    monkeypatch.delenv("INPAINT_CHECKPOINTS")
    assert weights.directory() == Path(__file__).resolve().parents[2] / "checkpoints"


def test_absent_weights_name_the_command_that_makes_them(tmp_path: Path) -> None:
    fails_with(tmp_path, "glcic", "python -m inpaint_core methods")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    export(tmp_path)
    (tmp_path / "glcic.safetensors").unlink()
    fails_with(tmp_path, "cannot be read")


def test_a_truncated_file_is_one_sentence(tmp_path: Path) -> None:
    export(tmp_path)
    path = tmp_path / "glcic.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    fails_with(tmp_path, "1000 of")


def test_a_tampered_file_is_one_sentence(tmp_path: Path) -> None:
    export(tmp_path)
    path = tmp_path / "glcic.safetensors"
    content = bytearray(path.read_bytes())
    content[-10] ^= 0xFF
    path.write_bytes(bytes(content))
    fails_with(tmp_path, "checksum")


@pytest.mark.parametrize(
    "manifest",
    ["{", "[]", '{"checkpoints": [{"method": "glcic"}]}', '{"checkpoints": 3}', "\x00\xff"],
)
def test_a_broken_manifest_is_one_sentence_and_nothing_is_ready(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    fails_with(tmp_path, "manifest")
    assert not weights.ready("glcic", tmp_path)


@pytest.mark.parametrize("name", ["../glcic.safetensors", "/etc/passwd", "", ".."])
def test_the_manifest_cannot_point_outside_its_folder(tmp_path: Path, name: str) -> None:
    export(tmp_path)
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["checkpoints"][0]["file"] = name
    path.write_text(json.dumps(manifest))
    fails_with(tmp_path, "beside it")


def test_weights_of_another_architecture_are_one_sentence(tmp_path: Path) -> None:
    export(tmp_path)
    _, state = weights.load("glcic", tmp_path)
    with pytest.raises(InpaintError, match="another architecture") as caught:
        weights.load_into(nn.Conv2d(3, 3, 1), state, "The weights of glcic")
    assert_one_sentence(str(caught.value))
    state["odd"] = torch.zeros(1)
    with pytest.raises(InpaintError, match="odd has no place"):
        weights.load_into(network(), state, "The weights of glcic")


def test_weights_of_another_width_are_one_sentence(tmp_path: Path) -> None:
    export(tmp_path)
    _, state = weights.load("glcic", tmp_path)
    with pytest.raises(InpaintError, match="another size") as caught:
        weights.load_into(network(width=8), state, "The weights of glcic")
    assert_one_sentence(str(caught.value))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_with_nan_or_infinity_are_not_saved(tmp_path: Path, bad: float) -> None:
    with pytest.raises(InpaintError, match="NaN or infinity"):
        weights.save("glcic", {"weight": torch.full((2, 2), bad)}, {}, tmp_path, **FACTS)
    assert not (tmp_path / "manifest.json").exists()


def test_weights_too_large_for_float16_are_not_saved_as_infinity(tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="too large for float16"):
        weights.save("glcic", {"weight": torch.full((2, 2), 1e6)}, {}, tmp_path, **FACTS)


def test_an_export_is_not_lost_over_a_metric_that_json_does_not_know(tmp_path: Path) -> None:
    metrics = {"l1": np.float32(0.5), "lpips": float("nan"), "psnr": torch.tensor([1.0, 2.0]), "images": tmp_path}
    facts = {**FACTS, "metrics": metrics}
    weights.save("glcic", {"weight": torch.ones(2, 2)}, {"widths": (4, 8)}, tmp_path, **facts)
    record = weights.records(tmp_path)["glcic"]
    assert record.metrics == {"l1": 0.5, "lpips": None, "psnr": [1.0, 2.0], "images": str(tmp_path)}
    assert record.arguments == {"widths": [4, 8]}


def test_an_unknown_dtype_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="int4"):
        export(tmp_path, "int4")


def test_a_public_pickle_is_unwrapped(tmp_path: Path) -> None:
    state = {"module.conv1.weight": torch.ones(2, 2)}
    path = tmp_path / "states.pth"
    torch.save({"G": state, "n_iter": 3}, path)
    assert weights.read_state_dict(path).keys() == {"conv1.weight"}
    torch.save(state, path)
    assert weights.read_state_dict(path).keys() == {"conv1.weight"}


def test_a_public_safetensors_file_is_read(tmp_path: Path) -> None:
    export(tmp_path)
    assert weights.read_state_dict(tmp_path / "glcic.safetensors").keys() == network().state_dict().keys()


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("hostile-was-run"),)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"G": Hostile()}, "new.pth")
    Path("old.pth").write_bytes(pickle.dumps({"G": Hostile()}))
    for name in ("new.pth", "old.pth"):
        with pytest.raises(InpaintError, match="plain tensors"):
            weights.read_state_dict(name)
    assert not Path("hostile-was-run").exists()


LARGE_TENSOR = b'{"weight": {"dtype": "F32", "shape": [10000000000], "data_offsets": [0, 40000000000]}}'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pth", b""),
        ("b.pth", b"not a pickle"),
        ("c.safetensors", b"\x08"),
        ("d.safetensors", b"x" * 100),
        ("a header of 40 GB.safetensors", (40 * 10**9).to_bytes(8, "little") + b"{}"),
        ("a tensor of 40 GB.safetensors", len(LARGE_TENSOR).to_bytes(8, "little") + LARGE_TENSOR),
    ],
)
def test_files_that_are_no_weights_are_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InpaintError) as caught:
        weights.read_state_dict(tmp_path / name)
    assert_one_sentence(str(caught.value))


def test_a_file_without_tensors_or_without_itself_is_one_sentence(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(InpaintError, match="no state dict"):
        weights.read_state_dict(tmp_path / "empty.pth")
    with pytest.raises(InpaintError, match="check the path"):
        weights.read_state_dict(tmp_path / "absent.pth")


def test_asking_what_is_ready_does_not_import_torch(tmp_path: Path) -> None:
    export(tmp_path)
    code = (
        "import sys; from inpaint_core import weights; "
        f"assert weights.ready('glcic', {str(tmp_path)!r}); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).resolve().parents[2])


@pytest.mark.parametrize("arguments", [{"width": -3}, {"width": "x"}, {"width": 10**9}, {"width": 4, "no": 1}, [4]])
def test_a_manifest_whose_arguments_make_no_network_is_one_sentence(tmp_path: Path, arguments: Any) -> None:
    export(tmp_path)
    manifest = json.loads((tmp_path / weights.MANIFEST).read_text())
    manifest["checkpoints"][0]["arguments"] = arguments
    (tmp_path / weights.MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InpaintError, match="manifest") as caught:
        weights.load_network("glcic", tmp_path)
    assert_one_sentence(str(caught.value))


def test_weights_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    state = network().state_dict()
    state["layers.0.0.weight"][0, 0, 0, 0] = torch.nan
    with pytest.raises(InpaintError, match=r"NaN or infinity in layers\.0\.0\.weight"):
        weights.load_into(network(), state, "These weights")
