"""Runs any generator network as a method: weights loaded once, in the fastest engine and precision."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.methods.base import FillContext, Filled, FillMethod
from inpaint_core.methods.engines.precision import fastest_precision
from inpaint_core.methods.engines.pytorch import as_input, prepare

TRAINED_HOLE = 0.5
"""Side of the largest holes of the training, as a share of its photos'."""

PUBLISHED_SIZE = 256
"""Side in pixels of the photos that networks with a coherent depth were trained on, where their weights do not say."""

DISPLAY_SIDE = 256
"""The largest side of a gate map that is kept, in pixels."""


@dataclass(eq=False)
class FeedForward(FillMethod):
    """One forward pass of a generator.

    A generator is a module `network(image, mask, sketch=None)` on tensors as `FillMethod.fill` takes them, which
    returns its prediction of the whole image in [0, 1], or a tuple of stages of which the last counts. It maps to the
    paper's range, blanks the hole and adds its own planes in `forward`. One that can show its insides also has
    `explain(image, mask, sketch=None)`, which returns the same output and a dictionary of what is to be shown.

    The fields `multiple_of` to `reads_hole`, `folder` and `load` are those of `FillMethod`.

    Raises:
        ValueError: an unknown engine.
    """

    name: str  # of the checkpoint in the manifest
    _: KW_ONLY
    multiple_of: int = 8
    native_size: int | None = 256
    fixed_size: bool = False
    max_pixels: int | None = 1024 * 1024
    reads_hole: bool = False
    trained_depth: bool = False  # `max_depth` is that of the training's deepest holes
    in_steps: bool = False  # it has a `coherent_depth`
    folder: str | Path | None = None
    load: Callable[[], nn.Module] | None = None
    precision: torch.dtype | None = None  # of the convolutions; None: what is fastest on the device
    engine: str = "auto"  # "torch", or "auto": OpenVINO on a CPU if installed and able to run the layers, else torch
    _networks: dict[tuple[str, str], tuple[nn.Module, str]] = field(default_factory=dict, init=False, repr=False)
    _centre_only: bool = field(default=False, init=False, repr=False)  # it predicts the central square alone
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    uses_gpu = True

    def __post_init__(self) -> None:
        if self.engine not in ("auto", "torch"):
            raise ValueError(f"the engine is auto or torch, not {self.engine!r}")

    @property
    def max_depth(self) -> float | None:  # type: ignore[override]
        """See `FillMethod`: with `trained_depth`, that of a hole of half the side of the training photos.

        Measured on 24 photos of 256 px, networks trained at 128 px, as shares of Navier-Stokes. Plain autoencoder,
        centre hole: L1 1.04 at half the size against 1.10 at the full one, LPIPS 1.14 both; free-form holes, which are
        no deeper than those of its training, only lose: L1 1.31 against 1.23. DeepFill v2 and PartialConv lose more to
        the blur than they gain: LPIPS of the centre hole 1.02 against 0.93, and 1.04 against 0.98. GLCIC, early in its
        training, had an L1 of 1.05 on photos of 128 px and of 1.61 on those of 256 px.
        """
        size = self._trained_size() if self.trained_depth else None
        return None if size is None else size * TRAINED_HOLE / 2

    @property
    def coherent_depth(self) -> float | None:  # type: ignore[override]
        """See `FillMethod`: with `in_steps`, that of a hole of twice the side of the training photos.

        So of 512 px for Big LaMa, trained at 256 px, as Kulshreshtha et al. (2022) have it.
        """
        return (self._trained_size() or PUBLISHED_SIZE) if self.in_steps else None

    def _trained_size(self) -> int | None:
        """Side in pixels of the photos that its weights were trained on; None where nothing says so."""
        record = weights.records(self.folder).get(self.name) if self.load is None else None
        return None if record is None else record.extra.get("recipe", {}).get("size")

    def network(self, device: torch.device | str = "cpu", engine: str | None = None) -> nn.Module:
        """The network with its weights on the device, in evaluation mode; loaded at the first call and kept.

        Raises:
            InpaintError: weights are absent, damaged or of another architecture.
        """
        return self._network(torch.device(device), engine or self.engine)[0]

    def _network(self, device: torch.device, engine: str) -> tuple[nn.Module, str]:
        """The network and the words for how it runs, such as "openvino bfloat16"."""
        if device.type != "cpu" or not openvino_available():
            engine = "torch"
        with self._lock:  # two requests at once must not load it twice
            if (str(device), engine) not in self._networks:
                self._networks[str(device), engine] = self._prepare(device, engine)
            return self._networks[str(device), engine]

    def _prepare(self, device: torch.device, engine: str) -> tuple[nn.Module, str]:
        network = weights.load_network(self.name, self.folder) if self.load is None else self.load()
        network.eval().requires_grad_(False)
        self._centre_only = getattr(network, "region", None) == "centre"
        side = getattr(network, "image_size", None)
        if self.fixed_size and side not in (None, self.native_size):
            raise InpaintError(
                f"These weights of {self.name} take {side} x {side} pixels: give those for {self.native_size} pixels."
            )
        if hasattr(network, "restrict_to_hole"):
            network.restrict_to_hole()  # type: ignore[operator]
        dtype = self.precision or fastest_precision(device)
        precision = str(dtype).removeprefix("torch.")
        if engine == "auto":
            from inpaint_core.methods.engines.openvino import accelerate

            fast = accelerate(network, dtype)
            if fast is not None:
                return fast, f"openvino {precision}"
        return prepare(network, device, dtype), f"torch {precision}"

    @torch.inference_mode()
    def fill(self, image: Tensor, mask: Tensor, context: FillContext = FillContext()) -> Filled:
        """See `FillMethod.fill`. Draws random numbers only for a network with an attribute `takes_noise` that is true.

        The extras are `engine` (such as "openvino bfloat16") and, of a network of two stages, `coarse`
        (N x 3 x H x W). With `context.explain` also what the network has of: `flow` (N x 2 x h x w, the row and column
        each patch was borrowed from), `gates` (a list of N x C x h x w in [0, 1], at most `DISPLAY_SIDE` pixels a
        side), `masks` (a list of N x 1 x h x w, the hole left after each level). All are float32 on the CPU.
        Explaining costs time and memory: every layer's gates are kept, and torch does the work.
        """
        network, engine = self._network(image.device, "torch" if context.explain else self.engine)
        if self._centre_only:
            require_central(mask)
        dtype = next(network.parameters()).dtype
        inputs = [None if plane is None else as_input(plane, dtype) for plane in (image, mask, context.sketch)]
        further: dict[str, Tensor] = {}
        if getattr(network, "takes_noise", False):
            generator = context.random_numbers(image)
            further["noise"] = torch.randn(mask.shape, generator=generator, device=image.device).to(dtype)
        if context.colours is not None and getattr(network, "takes_colours", False):
            further["colours"] = as_input(context.colours, dtype)
        shown: dict[str, Any] = {}
        if context.explain and hasattr(network, "explain"):
            output, shown = network.explain(*inputs, **further)  # type: ignore[operator]
        else:
            output = network(*inputs, **further)
        stages = output if isinstance(output, tuple) else (output,)
        extras: dict[str, Any] = {"engine": engine}
        if len(stages) > 1:
            extras["coarse"] = for_display(stages[0])
        for name, extra in shown.items():
            extras[name] = for_display(extra, DISPLAY_SIDE if name == "gates" else None)
        return Filled(stages[-1].float().clamp(0, 1), extras=extras)


def require_central(mask: Tensor) -> None:
    """Raise `InpaintError` unless the hole lies in the central square of half the side (mask: N x 1 x H x W)."""
    height, width = mask.shape[-2:]
    around = mask.clone()
    around[..., height // 4 : height - height // 4, width // 4 : width - width // 4] = 0
    if around.any():
        raise InpaintError(
            "These weights fill the middle of a square alone, and the hole is too near to the photo's border, or to "
            "another hole, to be in the middle of one: choose another method."
        )


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


def for_display(extra: Any, side: int | None = None) -> Any:
    """Tensors, also in lists, as plain float32 on the CPU, averaged down to at most `side` pixels a side."""
    if isinstance(extra, list | tuple):
        return [for_display(item, side) for item in extra]
    if not torch.is_tensor(extra):
        return extra
    if side is not None and max(extra.shape[-2:]) > side:
        extra = F.interpolate(extra.float(), scale_factor=side / max(extra.shape[-2:]), mode="area")
    return extra.to("cpu", torch.float32, memory_format=torch.contiguous_format)
