"""Runs any generator network as a method: loads its weights once, picks the precision, gathers what it can show.

The catalogue names the functions at the end (`glcic`, `deepfill_v2`, ...): each makes one method.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.methods.base import FillMethod
from inpaint_core.methods.engines.precision import fastest_precision
from inpaint_core.networks.deepfill_v2 import DeepFillV2

ATTENTION_PIXELS = 768 * 768
"""The most pixels for networks with contextual attention, whose cost grows with the square of their number."""

TRAINED_HOLE = 0.5
"""Side of the largest holes of the training, as a share of its photos'."""

DISPLAY_SIDE = 256
"""Gate maps are kept at no more than so many pixels a side."""


class FeedForward(FillMethod):
    """One forward pass of a generator.

    A generator is a module `network(image, mask, sketch=None)` on tensors as `FillMethod.fill` takes them, which
    returns its prediction of the whole image in [0, 1], or a tuple of stages of which the last counts. It maps to the
    paper's range, blanks the hole and adds its own planes in `forward`. See `inpaint_core.networks`.

    Args:
        name: of the catalogue and the manifest.
        build: makes the network from the arguments in the manifest (a class of `inpaint_core.networks`).
        multiple_of, native_size, fixed_size, max_pixels: see `FillMethod`.
        folder: where the checkpoints are; None: the usual place.
        precision: dtype of the convolutions; None: what is fastest on the device.
        trained_depth: fill a hole that is deeper than the deepest one of the training photos at a smaller scale (the
            manifest tells their size).
        engine: "torch", or "auto": OpenVINO on a CPU where it is installed and knows the network's layers, else torch.
        public_file: weights of the public PyTorch port in place of our checkpoint, for networks that can load them
            (`load_public_state_dict`); `build` is then called without arguments.
    """

    uses_gpu = True

    def __init__(
        self,
        name: str,
        build: Callable[..., nn.Module],
        *,
        multiple_of: int = 8,
        native_size: int | None = 256,
        fixed_size: bool = False,
        max_pixels: int | None = 1024 * 1024,
        folder: str | Path | None = None,
        precision: torch.dtype | None = None,
        trained_depth: bool = False,
        engine: str = "auto",
        public_file: str | Path | None = None,
    ) -> None:
        if engine not in ("auto", "torch"):
            raise ValueError(f"the engine is auto or torch, not {engine!r}")
        self.name = name
        self.build = build
        self.multiple_of = multiple_of
        self.native_size = native_size
        self.fixed_size = fixed_size
        self.max_pixels = max_pixels
        self.folder = folder
        self.precision = precision
        self.trained_depth = trained_depth
        self.engine = engine
        self.public_file = public_file
        self._networks: dict[tuple[str, str], tuple[nn.Module, str]] = {}
        self._lock = threading.Lock()

    @property
    def max_depth(self) -> float | None:  # type: ignore[override]
        """See `FillMethod`: where it is asked for, the depth of a hole of half the side of the training photos.

        Measured on 24 photos of 256 px, networks trained at 128 px, as shares of Navier-Stokes. Plain autoencoder,
        centre hole: L1 1.04 at half the size against 1.10 at the full one, LPIPS 1.14 both; free-form holes, which are
        no deeper than those it knows, only lose: L1 1.31 against 1.23. DeepFill v2 and PartialConv lose more to the
        blur than they gain: LPIPS of the centre hole 1.02 against 0.93, and 1.04 against 0.98. GLCIC, early in its
        training, had an L1 of 1.05 on photos of 128 px and of 1.61 on those of 256 px.
        """
        record = weights.records(self.folder).get(self.name) if self.trained_depth else None
        size = None if record is None else record.extra.get("recipe", {}).get("size")
        return None if size is None else size * TRAINED_HOLE / 2

    def network(self, device: torch.device | str = "cpu", engine: str | None = None) -> nn.Module:
        """The network with its weights on the device, in evaluation mode; loaded at the first call and kept.

        Raises:
            InpaintError: weights are absent, damaged or of another architecture.
        """
        return self._network(torch.device(device), engine or self.engine)[0]

    def _network(self, device: torch.device, engine: str) -> tuple[nn.Module, str]:
        """The network and the word for how it runs, such as "openvino bfloat16"."""
        if device.type != "cpu" or not openvino_available():
            engine = "torch"
        with self._lock:  # two requests at once must not load it twice
            if (str(device), engine) not in self._networks:
                self._networks[str(device), engine] = self._prepare(self._load(), device, engine)
            return self._networks[str(device), engine]

    def _load(self) -> nn.Module:
        """The network with its weights, float32 on the CPU."""
        if self.public_file is not None:
            network = self.build()
            state = weights.read_state_dict(self.public_file)
            try:
                network.load_public_state_dict(state)  # type: ignore[operator]
            except (AttributeError, ValueError) as error:
                raise InpaintError(f"{self.public_file} are not public weights of {self.name}: {error}.") from error
            return network
        arguments, state = weights.load(self.name, self.folder)
        try:
            network = self.build(**arguments)
        except (TypeError, ValueError) as error:
            raise InpaintError(f"The manifest's arguments do not fit {self.name}: {error}.") from error
        weights.load_into(network, state, f"The weights of {self.name}")
        return network

    def _prepare(self, network: nn.Module, device: torch.device, engine: str) -> tuple[nn.Module, str]:
        network.eval().requires_grad_(False)
        if hasattr(network, "restrict_to_hole"):
            network.restrict_to_hole()  # type: ignore[operator]
        dtype = self.precision or fastest_precision(device)
        word = str(dtype).removeprefix("torch.")
        if engine == "auto":
            from inpaint_core.methods.engines.openvino import accelerate

            fast = accelerate(network, dtype)
            if fast is not None:
                return fast, f"openvino {word}"
        return prepare(network, device, dtype), f"torch {word}"

    @torch.inference_mode()
    def fill(
        self,
        image: Tensor,
        mask: Tensor,
        sketch: Tensor | None = None,
        generator: Generator | None = None,
        details: dict[str, Any] | None = None,
    ) -> Tensor:
        """See `FillMethod.fill`. Draws no random numbers.

        `details` receives `engine` (such as "openvino bfloat16") and, of a network of two stages, `coarse`
        (N x 3 x H x W). If it holds a true `explain`, it also receives what the network has of: `flow` (N x 2 x h x w,
        the row and column each patch was borrowed from), `gates` (a list of N x C x h x w in [0, 1], at most
        `DISPLAY_SIDE` pixels a side), `masks` (a list of N x 1 x h x w, the hole left after each level). All are
        float32 on the CPU. Explaining costs time and memory: every layer's gates are kept, and torch does the work.
        """
        explain = details is not None and bool(details.get("explain"))
        network, word = self._network(image.device, "torch" if explain else self.engine)
        dtype = next(network.parameters()).dtype
        inputs = [None if plane is None else as_input(plane, dtype) for plane in (image, mask, sketch)]
        extras: dict[str, Any] = {}
        if explain and hasattr(network, "explain"):
            output, extras = network.explain(*inputs)  # type: ignore[operator]
        else:
            output = network(*inputs)
        stages = output if isinstance(output, tuple) else (output,)
        if details is not None:
            details["engine"] = word
            if len(stages) > 1:
                details["coarse"] = for_display(stages[0])
            for name, extra in extras.items():
                details[name] = for_display(extra, DISPLAY_SIDE if name == "gates" else None)
        return stages[-1].float().clamp(0, 1)


def openvino_available() -> bool:
    """True if OpenVINO is installed. Does not import it."""
    return importlib.util.find_spec("openvino") is not None


def warm_up(device: torch.device | str = "cpu") -> None:
    """Do what the first fill of any network would wait for: choose the precision, import the engine.

    For a page to call in a thread of its own once it is up; takes about half a second.
    """
    fastest_precision(device)
    if torch.device(device).type == "cpu" and openvino_available():
        importlib.import_module("inpaint_core.methods.engines.openvino").start()


def prepare(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Evaluation mode, on the device, channels last, in `dtype` except for normalisation statistics, no gradients."""
    network = network.eval().requires_grad_(False).to(device)
    norms = [module for module in network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    exact = [{name: tensor.clone() for name, tensor in norm.state_dict().items()} for norm in norms]
    network.to(dtype)
    for norm, state in zip(norms, exact, strict=True):  # variances in bfloat16 would be off by up to 0.4 %
        norm.float().load_state_dict(state)
    if device.type != "mps":
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def as_input(plane: Tensor, dtype: torch.dtype) -> Tensor:
    """The tensor in the network's precision and memory layout."""
    plane = plane.to(dtype)
    return plane if plane.device.type == "mps" else plane.contiguous(memory_format=torch.channels_last)


def for_display(extra: Any, side: int | None = None) -> Any:
    """Tensors, also in lists, as plain float32 on the CPU, averaged down to at most `side` pixels a side."""
    if isinstance(extra, list | tuple):
        return [for_display(item, side) for item in extra]
    if not torch.is_tensor(extra):
        return extra
    if side is not None and max(extra.shape[-2:]) > side:
        extra = F.interpolate(extra.float(), scale_factor=side / max(extra.shape[-2:]), mode="area")
    return extra.to("cpu", torch.float32, memory_format=torch.contiguous_format)


# The methods of the catalogue. Networks are imported here, when a method is first used, not when methods are listed.


def autoencoder() -> FeedForward:
    """The plain autoencoder trained with the mean squared error."""
    from inpaint_core.networks.autoencoder import Autoencoder

    return FeedForward("autoencoder", Autoencoder, multiple_of=16, trained_depth=True)


def context_encoder() -> FeedForward:
    """Context Encoder for holes anywhere in 128 x 128 pixels: its channel-wise layer fixes the size."""
    from inpaint_core.networks.context_encoder import ContextEncoder

    return FeedForward("context_encoder", ContextEncoder, multiple_of=128, native_size=128, fixed_size=True)


def glcic() -> FeedForward:
    """GLCIC's completion network."""
    from inpaint_core.networks.glcic import CompletionNetwork

    return FeedForward("glcic", CompletionNetwork, multiple_of=4, trained_depth=True)


def deepfill_v1() -> FeedForward:
    """DeepFill v1 for empty holes."""
    from inpaint_core.networks.deepfill_v1 import DeepFillV1

    return FeedForward("deepfill_v1", DeepFillV1, max_pixels=ATTENTION_PIXELS)


def deepfill_v1_mosaic() -> FeedForward:
    """DeepFill v1 for holes that carry the pixelated truth; its checkpoint says `keep_hole`."""
    from inpaint_core.networks.deepfill_v1 import DeepFillV1

    method = FeedForward("deepfill_v1_mosaic", DeepFillV1, max_pixels=ATTENTION_PIXELS)
    method.reads_hole = True
    return method


def partial_conv() -> FeedForward:
    """PartialConv's U-Net."""
    from inpaint_core.networks.partial_conv import PartialConvUNet

    return FeedForward("partial_conv", PartialConvUNet)


def deepfill_v2(public_file: str | Path | None = None) -> FeedForward:
    """DeepFill v2, with or without a sketch; or with the public port's weights (no sketch) from a file."""
    if public_file is None:
        return FeedForward("deepfill_v2", DeepFillV2, max_pixels=ATTENTION_PIXELS)
    return FeedForward(
        "deepfill_v2", lambda: DeepFillV2(in_channels=5), max_pixels=ATTENTION_PIXELS, public_file=public_file
    )


def lama() -> FeedForward:
    """LaMa with fast Fourier convolutions."""
    from inpaint_core.networks.lama import LaMa

    return FeedForward("lama", LaMa)
