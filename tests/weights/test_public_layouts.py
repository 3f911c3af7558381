"""Published files as users have them: recognised whatever they are wrapped in, refused in one sentence otherwise."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from inpaint_core import InpaintError, weights
from tests.weights.published import layout, published_state

State = dict[str, Tensor]


def lama_state() -> State:
    """A small LaMa with the names under `generator.`."""
    return published_state(layout("lama", 8), gain=1.25)


def output(state: State) -> Tensor:
    """What the recognised network makes of a photo."""
    _, network = weights.network_from_public(state)
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:16, 8:20] = 1
    with torch.no_grad():
        stages = network(image, mask)
    return stages[-1] if isinstance(stages, tuple) else stages


def bare(state: State) -> State:
    return {name.removeprefix("generator."): tensor for name, tensor in state.items()}


def lightning(state: State) -> State:
    return {**state, "discriminator.model0.0.weight": torch.ones(3), "loss_resnet_pl.impl.conv1.weight": torch.ones(2)}


NAMINGS: dict[str, Callable[[State], State]] = {
    "none": bare,
    "generator": lambda state: state,
    "model.generator": lambda state: {f"model.{name}": tensor for name, tensor in state.items()},
    "data parallel": lambda state: {f"module.{name}": tensor for name, tensor in state.items()},
    "with a critic": lightning,
    "float16": lambda state: {k: v.half() if v.is_floating_point() else v for k, v in state.items()},
}


@pytest.mark.parametrize("naming", NAMINGS)
def test_the_generator_is_found_under_any_prefix(naming: str) -> None:
    state = lama_state()
    torch.testing.assert_close(output(NAMINGS[naming](state)), output(state), atol=5e-3, rtol=0)


def test_the_size_of_the_network_follows_from_the_shapes() -> None:
    method, network = weights.network_from_public(bare(lama_state()))
    assert (method, len(network.get_submodule("blocks"))) == ("lama", 2)  # type: ignore[arg-type]
    assert not network.training
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    converted = weights.convert_public(lama_state())
    assert converted.arguments == {"width": 8, "blocks": 2, "global_share": 0.75}


def test_converted_weights_make_a_checkpoint_of_our_own(tmp_path: Path) -> None:
    state = lama_state()
    converted = weights.convert_public(state)
    facts: dict[str, Any] = {"command": "", "data": "", "steps": 0, "images_seen": 0, "metrics": {}, "licence": ""}
    weights.save("lama", converted.state, converted.arguments, tmp_path, dtype="float32", **facts)
    network = weights.load_network("lama", tmp_path).eval()
    for name, tensor in weights.network_from_public(state)[1].state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor)


# ---- files -----------------------------------------------------------------------------------------------------------


class Traced(nn.Module):
    """As the published TorchScript: a wrapper around the training's module, which holds the generator."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.model = nn.Module()
        for name, tensor in state.items():
            *path, leaf = name.split(".")
            module = self.model
            for part in path:
                if not hasattr(module, part):
                    module.add_module(part, nn.Module())
                module = getattr(module, part)
            module.register_buffer(leaf, tensor)

    def forward(self, image: Tensor) -> Tensor:
        return image * 2


def write_torchscript(state: State, path: Path) -> None:
    torch.jit.trace(Traced(state), torch.zeros(1)).save(str(path))  # type: ignore[no-untyped-call]


def write_lightning(state: State, path: Path) -> None:
    """A Lightning checkpoint as LaMa's, its eleven classes from modules that are not here when it is read."""
    from collections import defaultdict
    from typing import Any as AnyType

    names: dict[str, list[str]] = {
        "omegaconf": [],
        "pytorch_lightning": [],
        "pytorch_lightning.callbacks": [],
        "omegaconf.dictconfig": ["DictConfig"],
        "omegaconf.listconfig": ["ListConfig"],
        "omegaconf.nodes": ["AnyNode"],
        "omegaconf.base": ["Metadata", "ContainerMetadata"],
        "pytorch_lightning.callbacks.model_checkpoint": ["ModelCheckpoint"],
    }
    made: dict[str, Any] = {}
    for module, classes in names.items():
        sys.modules[module] = types.ModuleType(module)
        for name in classes:
            made[name] = type(name, (), {"__module__": module})
            setattr(sys.modules[module], name, made[name])
    try:
        config, values, node = made["DictConfig"](), made["ListConfig"](), made["AnyNode"]()
        metadata = made["ContainerMetadata"]()
        metadata.__dict__.update(ref_type=AnyType, object_type=dict, element=list, kind=int, lower=made["Metadata"]())
        counts = defaultdict(list, {"a": [1, 2]})
        config.__dict__.update(_content={"lr": node}, _metadata=metadata, counts=counts, items=values)
        callbacks = {made["ModelCheckpoint"]: {"best_model_score": torch.tensor(0.5)}}
        torch.save(
            {"state_dict": state, "hyper_parameters": config, "callbacks": callbacks, "optimizer_states": [{}]}, path
        )
    finally:
        for module in names:
            del sys.modules[module]


FILES: dict[str, Callable[[State, Path], None]] = {
    "safetensors": lambda state, path: save_file(state, path),
    "pth": lambda state, path: torch.save({"meta": {"epoch": 3}, "state_dict": state}, path),
    "old.pth": lambda state, path: torch.save(
        {"meta": {"time": "now"}, "state_dict": state}, path, _use_new_zipfile_serialization=False
    ),
    "pt": write_torchscript,
    "ckpt": write_lightning,
}


@pytest.mark.parametrize("suffix", FILES)
def test_every_kind_of_file_gives_its_tensors(tmp_path: Path, suffix: str) -> None:
    state = lama_state()
    FILES[suffix](lightning(state), tmp_path / f"weights.{suffix}")
    found = weights.convert_public(weights.read_state_dict(tmp_path / f"weights.{suffix}"))
    expected = weights.convert_public(state)
    assert found.state.keys() == expected.state.keys()
    assert all(torch.equal(found.state[name], tensor) for name, tensor in expected.state.items())


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("hostile-was-run"),)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("hostile.pth", pickle.dumps({"state_dict": Hostile()}, protocol=2)),
        ("empty.pth", b""),
        ("page.ckpt", b"<!DOCTYPE html><html>"),
        ("torn.pt", b"PK\x03\x04" + bytes(60)),
        ("torn.safetensors", b"\x08"),
    ],
)
def test_other_files_are_one_sentence_and_run_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    with pytest.raises(InpaintError) as caught:
        weights.read_state_dict(name)
    assert name in str(caught.value)
    assert str(caught.value).count("\n") == 0
    assert not Path("hostile-was-run").exists()


# ---- refusals --------------------------------------------------------------------------------------------------------


def without_a_layer(state: State) -> State:
    return {name: tensor for name, tensor in state.items() if "model.8.weight" not in name}


def with_another_shape(state: State) -> State:
    return {**state, "generator.model.18.weight": torch.zeros(3, 9, 7, 7)}


def with_nan(state: State) -> State:
    return {**state, "generator.model.18.bias": torch.tensor([0.0, float("nan"), 0.0])}


REFUSED: dict[str, tuple[Callable[[State], State], str]] = {
    "unknown": (lambda state: {"layer.weight": torch.ones(2, 2)}, "none of the known layouts.*LaMa of its authors"),
    "a layer missing": (without_a_layer, "LaMa of its authors.*up.0.weight is missing"),
    "another shape": (with_another_shape, r"LaMa of its authors.*head.weight is \(3, 9, 7, 7\)"),
    "NaN": (with_nan, "NaN or infinity in model.18.bias"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_one_sentence(case: str) -> None:
    change, sentence = REFUSED[case]
    with pytest.raises(InpaintError, match=sentence) as caught:
        weights.network_from_public(change(lama_state()))
    assert str(caught.value).count("\n") == 0
