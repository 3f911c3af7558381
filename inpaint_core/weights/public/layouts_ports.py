"""Layouts of PyTorch ports by others than the papers' authors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from inpaint_core.weights.public.layout import Layout, State, add_zero_biases, renaming, shift

if TYPE_CHECKING:
    from torch import Tensor

# ---- DeepFill: convolutions numbered through, `conv13_upsample.conv`, with the words for their branch before them

REFINEMENT = (
    ("pmconv", 1, "refinement.attention_encoder"),
    ("pmconv", 9, "refinement.attention_decoder"),
    ("allconv", 11, "refinement.decoder"),
)


def _numbered(stacks: Sequence[tuple[str, int, str]]) -> Callable[[re.Match[str]], str]:
    """The place of the layer that a name's word and number say.

    Args:
        stacks: word, first number and our stack; a word with several stacks has them in rising order.
    """

    def place(match: re.Match[str]) -> str:
        word, number = match[1], int(match[2])
        starts = [(first, stack) for its, first, stack in stacks if its == word and first <= number]
        first, stack = starts[-1]
        return f"{stack}.{number - first}."

    return place


DEEPFILL_V2 = (("conv", 1, "coarse.encoder"), ("conv", 11, "coarse.decoder"), ("xconv", 1, "refinement.conv_branch"))
NUMBERED = r"^([a-z]*conv)(\d+)(?:_[a-z]+)?(?:\.conv)+\."


DEEPFILL_V1 = (("coarse.conv", 1, "coarse"), ("fine.conv", 1, "refinement.conv_branch"))
DEEPFILL_V1_NAMES = renaming(
    (r"^coarse_generator\.", "coarse."),
    (r"^fine_generator\.(?!conv)", ""),
    (r"^fine_generator\.", "fine."),
    (r"^([a-z.]*conv)(\d+)(?:_[a-z]+)?\.conv\.", _numbered((*DEEPFILL_V1, *REFINEMENT))),
)


def _deepfill_v1(name: str, port: str, prefix: str | None) -> Layout:
    return Layout(
        name=name,
        method="deepfill_v1",
        signature=(r"coarse_generator\.conv1\.conv\.weight", r"fine_generator\.allconv17\.conv\.weight"),
        own_names=DEEPFILL_V1_NAMES,
        arguments=lambda state: {"width": state["coarse_generator.conv1.conv.weight"].shape[0], "port": port},
        prefix=prefix,
    )


# ---- PartialConv (naoto0804) -----------------------------------------------------------------------------------------


def _levels(state: State) -> int:
    return sum(bool(re.fullmatch(r"enc_\d+\.conv\.input_conv\.weight", name)) for name in state)


def _divide_by_window(state: dict[str, Tensor]) -> None:
    """That port leaves out the size of the window, by which ours multiplies: kernels smaller by it give the same."""
    for name, tensor in state.items():
        if name.endswith(".conv.weight"):
            state[name] = tensor / tensor[0].numel()


# ---- Context Encoder (BoyuanJiang) -----------------------------------------------------------------------------------


def _context_encoder_stack(match: re.Match[str]) -> str:
    number = int(match[1])
    for stack, first in (("decoder", 20), ("bottleneck", 14), ("encoder", 0)):
        if number >= first:
            return f"{stack}.{number - first}"
    raise ValueError(match[0])


def _context_encoder_biases(state: dict[str, Tensor]) -> None:
    convolutions = [name.removesuffix(".weight") for name, tensor in state.items() if tensor.ndim == 4]
    transposed = [name for name in convolutions if name.startswith("decoder") or name == "bottleneck.3"]
    add_zero_biases(state, convolutions, transposed)


# ---- Table -----------------------------------------------------------------------------------------------------------

PORTS: tuple[Layout, ...] = (
    Layout(
        name="DeepFill v2 of nipponjo",
        method="deepfill_v2",
        signature=(r"conv1\.conv\.weight", r"xconv1\.conv\.weight", r"allconv17\.conv\.weight"),
        own_names=renaming((NUMBERED, _numbered((*DEEPFILL_V2, *REFINEMENT)))),
        arguments=lambda state: {
            "in_channels": state["conv1.conv.weight"].shape[1],
            "width": state["conv1.conv.weight"].shape[0] // 2,
        },
    ),
    # The authors' weights, converted from TensorFlow to the names of daa233's port, begin with `netG.`; its own do not.
    _deepfill_v1("DeepFill v1 of its authors, converted", "authors", "netG."),
    _deepfill_v1("DeepFill v1 of daa233", "daa233", None),
    Layout(
        name="PartialConv of naoto0804",
        method="partial_conv",
        signature=(r"enc_1\.conv\.input_conv\.weight", r"dec_1\.conv\.input_conv\.weight"),
        own_names=lambda state: renaming(
            (r"^enc_(\d+)", shift("encoder.{}", -1)),
            (r"^dec_1\.", "head."),
            (r"^dec_(\d+)", shift("decoder.{}", _levels(state), -1)),
            (r"\.input_conv\.", "."),
            (r"\.bn\.", ".norm."),
            drop=r"\.mask_conv\.weight$",
        )(state),
        arguments=lambda state: {
            "width": state["enc_1.conv.input_conv.weight"].shape[0],
            "levels": _levels(state),
        },
        adapt=_divide_by_window,
    ),
    Layout(
        name="Context Encoder of BoyuanJiang",
        method="context_encoder",
        signature=(r"main\.0\.weight", r"main\.14\.weight", r"main\.29\.weight"),
        own_names=renaming((r"^main\.(\d+)", _context_encoder_stack)),
        arguments=lambda state: {
            "width": state["main.0.weight"].shape[0],
            "region": "centre",
            "bottleneck": "full",
            "latent": state["main.14.weight"].shape[0],
        },
        adapt=_context_encoder_biases,
    ),
)
