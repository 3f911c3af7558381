"""Running generators as methods: loaded once, right precision, extras that can be shown."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import inpaint_core
from inpaint_core import catalogue, weights
from inpaint_core.errors import InpaintError
from inpaint_core.methods import feed_forward
from inpaint_core.methods.base import FillContext
from inpaint_core.methods.feed_forward import FeedForward
from inpaint_core.networks.aot_gan import AOTGAN
from inpaint_core.networks.autoencoder import Autoencoder
from inpaint_core.networks.context_encoder import ContextEncoder
from inpaint_core.networks.deepfill_v1 import DeepFillV1
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from inpaint_core.networks.glcic import CompletionNetwork
from inpaint_core.networks.lama import LaMa
from inpaint_core.networks.layers.attention import ATTENTION_MARGIN
from inpaint_core.networks.migan import MIGAN
from inpaint_core.networks.partial_conv import PartialConvUNet
from tests.provenance import UNTRAINED

SMALL: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    # Shallow: an untrained network with batch normalisation enlarges every rounding error by a fifth in each layer.
    "autoencoder": (Autoencoder, {"width": 8, "halvings": 3, "depth": 1}),
    "context_encoder": (ContextEncoder, {"width": 8}),
    "glcic": (CompletionNetwork, {"width": 8}),
    "deepfill_v1": (DeepFillV1, {"width": 8}),
    "deepfill_v1_mosaic": (DeepFillV1, {"width": 8, "keep_hole": True}),
    "partial_conv": (PartialConvUNet, {"width": 8}),
    "deepfill_v2": (DeepFillV2, {"width": 8}),
    "lama": (LaMa, {"width": 8, "blocks": 1}),
    "aot_gan": (AOTGAN, {"width": 8, "blocks": 1}),
    "migan": (MIGAN, {"base": 2048, "most": 16}),
}
SIDE = 128
SIDES = {"migan": 512}  # of networks that take one size only


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small checkpoints of every method whose normalisation has seen an image."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for name, (build, arguments) in SMALL.items():
        torch.manual_seed(0)
        network = build(**arguments)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            image, mask = batch(4, SIDES.get(name, SIDE))
            network.train()(image, mask)
        weights.save(name, network.state_dict(), arguments, folder, **UNTRAINED)
    return folder


@pytest.fixture
def here(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(checkpoints))
    return checkpoints


def make(name: str, **changes: Any) -> FeedForward:
    """The catalogue's method, some of its fields changed."""
    method = catalogue.get(name).build()
    assert isinstance(method, FeedForward)
    for field, value in changes.items():
        setattr(method, field, value)
    return method


def batch(count: int = 2, side: int = SIDE) -> tuple[Tensor, Tensor]:
    # Smooth images: on noise, which of two equal patches attention borrows is arbitrary.
    blobs = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    image = torch.nn.functional.interpolate(blobs, (side, side), mode="bicubic").clamp(0, 1)
    mask = torch.zeros(count, 1, side, side)
    for index in range(count):
        mask[index, :, 20 + 8 * index : 70, 30 : 60 + 4 * index] = 1
    return image, mask


NETWORKS = [record.name for record in catalogue.methods() if type(record.build()) is FeedForward]


def test_no_network_of_the_catalogue_is_left_out_here() -> None:
    assert set(NETWORKS) == set(SMALL)


@pytest.mark.parametrize("size", [(61, 83), (5, 200), (300, 280)])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.usefixtures("here")
def test_known_pixels_survive_every_network_at_odd_sizes(name: str, size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    mask = np.zeros(size, bool)
    mask[1 : size[0] // 2, 2 : size[1] // 2] = mask[-1, -1] = True
    sketch = np.eye(*size, dtype=bool)
    assert catalogue.get(name).ready
    result = inpaint_core.inpaint(image, mask, name, sketch, "cpu", explain=True)
    assert result.image is not None
    assert np.array_equal(result.image[~mask], image[~mask])
    assert not np.array_equal(result.image[mask], image[mask])


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.usefixtures("here")
def test_every_method_of_the_catalogue_fills_in_float32_and_in_range(name: str) -> None:
    method = make(name)
    image, mask = batch(2, SIDES.get(name, SIDE))
    output = method.fill(image, mask, FillContext(sketch=torch.zeros_like(mask))).image
    assert output.shape == image.shape
    assert output.dtype == torch.float32
    assert output.min() >= 0
    assert output.max() <= 1
    assert not output.requires_grad
    assert image.shape[-1] % method.multiple_of == 0


@pytest.mark.parametrize("engine", ["auto", "torch"])
@pytest.mark.parametrize("name", SMALL)
@pytest.mark.usefixtures("here")
def test_bfloat16_stays_within_four_levels_of_float32_on_average(name: str, engine: str) -> None:
    image, mask = batch(2, SIDES.get(name, SIDE))
    outputs = []
    for dtype in (torch.float32, torch.bfloat16):
        filled = make(name, precision=dtype, engine=engine).fill(image, mask)
        outputs.append(filled.image)
        assert filled.extras["engine"].split()[1] == str(dtype).removeprefix("torch.")
    hole = mask.expand_as(image) > 0
    assert (outputs[0] - outputs[1])[hole].abs().mean() < 4 / 255


@pytest.mark.usefixtures("here")
def test_normalisation_statistics_stay_exact_in_bfloat16() -> None:
    network = make("glcic", precision=torch.bfloat16).network(engine="torch")
    _, state = weights.load("glcic")
    for name, tensor in network.state_dict().items():
        if "running" in name:
            assert torch.equal(tensor, state[name])
    assert next(network.parameters()).dtype == torch.bfloat16


@pytest.mark.usefixtures("here")
def test_weights_are_loaded_once_though_ten_requests_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = weights.load_network
    monkeypatch.setattr(weights, "load_network", lambda *arguments: calls.append(1) or original(*arguments))
    method = make("glcic")
    assert not calls  # lazily
    image, mask = batch(1, 64)
    barrier = threading.Barrier(10)

    def request(_: int) -> Tensor:
        barrier.wait()
        return method.fill(image, mask).image

    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(request, range(10)))
    assert len(calls) == 1
    assert all(torch.equal(result, results[0]) for result in results)


@pytest.mark.parametrize("engine", ["auto", "torch"])
@pytest.mark.usefixtures("here")
def test_four_threads_that_share_a_method_get_what_one_gets(engine: str) -> None:
    method = make("deepfill_v2", engine=engine, precision=torch.float32)
    image, mask = batch(4)
    pairs = [(image[i : i + 1], mask[i : i + 1]) for i in range(4)]
    alone = [method.fill(*pair).image for pair in pairs]
    assert not torch.equal(alone[0], alone[1])
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: method.fill(*pair).image, pairs * 3))
    for expected, found in zip(alone * 3, together, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_warming_up_chooses_the_precision_and_imports_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    monkeypatch.setattr(feed_forward, "fastest_precision", chosen.append)
    feed_forward.warm_up("cpu")
    assert chosen == ["cpu"]
    assert ("openvino" in sys.modules) == feed_forward.openvino_available()


@pytest.mark.usefixtures("here")
def test_extras_are_plain_float_tensors_on_the_cpu() -> None:
    found: dict[str, set[str]] = {}
    for name in SMALL:
        image, mask = batch(2, SIDES.get(name, SIDE))
        extras = make(name).fill(image, mask, FillContext(explain=True)).extras
        found[name] = set(extras)
        for value in extras.values():
            for tensor in value if isinstance(value, list) else [value]:
                if not isinstance(tensor, str):
                    assert tensor.dtype == torch.float32
                    assert tensor.device.type == "cpu"
                    assert tensor.is_contiguous()
                    assert not tensor.requires_grad
    assert found["deepfill_v1"] == {"coarse", "flow", "engine"}
    assert found["deepfill_v2"] == {"coarse", "flow", "gates", "engine"}
    assert found["partial_conv"] == {"masks", "engine"}
    assert found["glcic"] == {"engine"}


@pytest.mark.usefixtures("here")
def test_extras_do_not_change_the_fill() -> None:
    image, mask = batch()
    method = make("deepfill_v2", precision=torch.float32)
    plain, explained = (method.fill(image, mask, FillContext(explain=explain)) for explain in (False, True))
    assert set(plain.extras) == {"coarse", "engine"}, "nothing costly unless asked for"
    assert set(plain.extras) < set(explained.extras)
    hole = mask.expand_as(image) > 0  # elsewhere the plain fill does no work
    torch.testing.assert_close(plain.image[hole], explained.image[hole], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["deepfill_v1", "deepfill_v2"])
@pytest.mark.usefixtures("here")
def test_working_around_the_hole_alone_leaves_the_hole_as_it_was(name: str) -> None:
    image, mask = batch(2, 256)
    whole, window = (make(name, precision=torch.float32, engine="torch") for _ in range(2))
    whole.network().refinement.attention.margin = None
    if name == "deepfill_v2":
        assert window.network().hole_only
        whole.network().hole_only = False
    assert window.network().refinement.attention.margin >= ATTENTION_MARGIN
    before, after = whole.fill(image, mask).image, window.fill(image, mask).image
    hole = mask.expand_as(image) > 0
    torch.testing.assert_close(after[hole], before[hole], atol=1e-6, rtol=0)
    assert not torch.equal(after, before)  # far from the hole nothing is computed


@pytest.mark.usefixtures("here")
def test_gate_maps_are_kept_small() -> None:
    image, mask = batch(1, 320)
    gates = make("deepfill_v2").fill(image, mask, FillContext(explain=True)).extras["gates"]
    sides = [max(gate.shape[-2:]) for gate in gates]
    assert max(sides) == feed_forward.DISPLAY_SIDE
    assert min(sides) == 80
    assert all(gate.min() >= 0 and gate.max() <= 1 for gate in gates)


@pytest.mark.usefixtures("here")
def test_a_sketch_changes_what_deepfill_v2_fills() -> None:
    image, mask = batch()
    method = make("deepfill_v2")
    edges = torch.zeros_like(mask)
    edges[..., 40:44, :] = 1
    without, drawn = (method.fill(image, mask, FillContext(sketch=sketch)).image for sketch in (None, edges))
    assert not torch.equal(without, drawn)


@torch.no_grad()
def test_weights_for_another_size_than_the_methods_are_one_sentence() -> None:
    method = make("migan", load=lambda: MIGAN(size=256, base=1024, most=8))
    with pytest.raises(InpaintError, match="take 256 x 256 pixels"):
        method.fill(*batch(1, 512))


def test_absent_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="inpaint_core methods"):
        FeedForward("glcic", folder=tmp_path).fill(*batch(1, 64))


def test_arguments_of_another_network_are_one_sentence(tmp_path: Path) -> None:
    state = CompletionNetwork(width=4).state_dict()
    weights.save("glcic", state, {"depth": 4}, tmp_path, **UNTRAINED)
    with pytest.raises(InpaintError, match="do not fit glcic"):
        FeedForward("glcic", folder=tmp_path).network()
    weights.save("glcic", state, {"width": 8}, tmp_path, **UNTRAINED)
    with pytest.raises(InpaintError, match="another size"):
        FeedForward("glcic", folder=tmp_path).network()


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="auto or torch"):
        FeedForward("glcic", engine="tensorflow")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", SMALL)
def test_cpu_and_gpu_agree(name: str) -> None:
    method = make(name, precision=torch.float32)
    image, mask = batch()
    on_gpu = method.fill(image.cuda(), mask.cuda()).image
    assert on_gpu.is_cuda
    assert (on_gpu.cpu() - method.fill(image, mask).image).abs().mean() < 1e-3


def test_a_network_is_not_shown_deeper_holes_than_it_was_trained_on(tmp_path: Path) -> None:
    for name in ("autoencoder", "deepfill_v2"):
        build, arguments = SMALL[name]
        weights.save(name, build(**arguments).state_dict(), arguments, tmp_path, **UNTRAINED, recipe={"size": 128})
    for name, expected in (("autoencoder", 32), ("deepfill_v2", None)):
        assert make(name, folder=tmp_path).max_depth == expected
    assert make("autoencoder", folder=tmp_path / "none").max_depth is None


def test_lama_takes_steps_to_holes_of_more_than_twice_the_side_of_its_training(tmp_path: Path) -> None:
    lama = catalogue.get("lama").make()
    lama.folder = tmp_path
    assert lama.coherent_depth == 256, "of a hole of 512 px, for published weights"
    build, arguments = SMALL["lama"]
    weights.save("lama", build(**arguments).state_dict(), arguments, tmp_path, **UNTRAINED, recipe={"size": 128})
    assert lama.coherent_depth == 128
    assert make("deepfill_v2").coherent_depth is None
