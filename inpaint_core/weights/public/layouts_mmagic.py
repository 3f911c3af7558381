"""Layouts of mmagic (formerly mmediting): encoders `enc1` ..., decoders `dec1` ..., trained on BGR but for AOT-GAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inpaint_core.weights.public.layout import Layout, State, add_zero_biases, renaming, shift, swap_red_and_blue

if TYPE_CHECKING:
    from torch import Tensor


# ---- GLCIC: one list of 17 layers ------------------------------------------------------------------------------------


def _glcic_adapt(state: dict[str, Tensor]) -> None:
    layers = [f"layers.{number}.0" for number in range(16)]
    add_zero_biases(state, layers, transposed=("layers.12.0", "layers.14.0"))
    swap_red_and_blue(state, ("layers.16.weight", "layers.16.bias"), {"layers.0.0.weight": 0})


# ---- DeepFill v1 -----------------------------------------------------------------------------------------------------


def _deepfill_v1_adapt(state: dict[str, Tensor]) -> None:
    heads = [f"{stack}.{part}" for stack in ("coarse.16", "refinement.decoder.6") for part in ("weight", "bias")]
    first = ("coarse.0", "refinement.conv_branch.0", "refinement.attention_encoder.0")
    swap_red_and_blue(state, heads, {f"{layer}.weight": 0 for layer in first})


# ---- PartialConv -----------------------------------------------------------------------------------------------------


def _partial_conv_levels(state: State) -> int:
    return sum(name.startswith("encoder.enc") and name.endswith(".conv.weight") for name in state)


def _partial_conv_adapt(state: dict[str, Tensor]) -> None:
    head = "head.conv.weight"
    photo = state[head].shape[1] - 3  # the last layer takes the photo, too, behind the features
    swap_red_and_blue(state, (head, "head.conv.bias"), {"encoder.0.conv.weight": 0, head: photo})


# ---- AOT-GAN ---------------------------------------------------------------------------------------------------------


def _aot_blocks(state: State) -> int:
    return sum(name.endswith(".fuse.1.conv.weight") for name in state)


# ---- Table -----------------------------------------------------------------------------------------------------------

MMAGIC: tuple[Layout, ...] = (
    Layout(
        name="GLCIC of mmagic",
        method="glcic",
        signature=(r"encoder\.enc1\.bn\.weight", r"dilation_neck\.dilation_convs\.0\.conv\.weight"),
        own_names=renaming(
            (r"^encoder\.enc(\d+)", shift("layers.{}", -1)),
            (r"^dilation_neck\.dilation_convs\.(\d+)", shift("layers.{}", 6)),
            (r"^decoder\.dec7\.conv", "layers.16"),
            (r"^decoder\.dec(\d+)", shift("layers.{}", 9)),
            (r"\.conv\.", ".0."),
            (r"\.bn\.", ".1."),
        ),
        arguments=lambda state: {"width": state["encoder.enc1.conv.weight"].shape[0], "ends": "symmetric"},
        adapt=_glcic_adapt,
    ),
    Layout(
        name="DeepFill v1 of mmagic",
        method="deepfill_v1",
        signature=(r"stage1\.encoder\.enc1\.conv\.weight", r"stage2\.encoder_attention\.enc1\.conv\.weight"),
        own_names=renaming(
            (r"^stage1\.encoder\.enc(\d+)", shift("coarse.{}", -1)),
            (r"^stage1\.dilation_neck\.dilation_convs\.(\d+)", shift("coarse.{}", 6)),
            (r"^stage1\.decoder\.dec(\d+)", shift("coarse.{}", 9)),
            (r"^stage2\.encoder_conv\.enc(\d+)", shift("refinement.conv_branch.{}", -1)),
            (r"^stage2\.dilation_neck\.dilation_convs\.(\d+)", shift("refinement.conv_branch.{}", 6)),
            (r"^stage2\.encoder_attention\.enc(\d+)", shift("refinement.attention_encoder.{}", -1)),
            (r"^stage2\.contextual_attention_neck\.conv(\d+)", shift("refinement.attention_decoder.{}", -1)),
            (r"^stage2\.decoder\.dec(\d+)", shift("refinement.decoder.{}", -1)),
            (r"\.conv\.", "."),
            drop=r"fuse_kernel$",
        ),
        arguments=lambda state: {"width": state["stage1.encoder.enc1.conv.weight"].shape[0], "port": "mmagic"},
        adapt=_deepfill_v1_adapt,
    ),
    Layout(
        name="PartialConv of mmagic",
        method="partial_conv",
        signature=(r"encoder\.enc1\.conv\.bias", r"encoder\.enc2\.bn\.weight", r"decoder\.dec1\.conv\.bias"),
        own_names=lambda state: renaming(
            (r"^encoder\.enc(\d+)", shift("encoder.{}", -1)),
            (r"^decoder\.dec1\.", "head."),
            (r"^decoder\.dec(\d+)", shift("decoder.{}", _partial_conv_levels(state), -1)),
            (r"\.bn\.", ".norm."),
            drop=r"\.weight_mask_updater$",
        )(state),
        arguments=lambda state: {
            "width": state["encoder.enc1.conv.weight"].shape[0],
            "levels": _partial_conv_levels(state),
            "mean": [0.5] * 3,
            "std": [0.5] * 3,
            "first_bias": True,
        },
        adapt=_partial_conv_adapt,
    ),
    Layout(
        name="AOT-GAN of mmagic",
        method="aot_gan",
        signature=(r"encoder\.encoder\.1\.conv\.weight", r"dilation_neck\.model\.0\.fuse\.1\.conv\.weight"),
        own_names=lambda state: renaming(
            (r"^encoder\.encoder\.(\d+)\.conv", shift("layers.{}", -2, 2)),
            (r"^dilation_neck\.model\.(\d+)", shift("layers.{}", 6)),
            (r"\.blocks\.(\d+)\.1\.conv\.", r".branches.\1."),
            (r"\.(fuse|gate)\.1\.conv\.", r".\1."),
            (r"^decoder\.decoder\.2\.conv", "decoder.decoder.2"),
            (r"^decoder\.decoder\.(\d+)", shift("layers.{}", 6 + _aot_blocks(state), 2)),
        )(state),
        arguments=lambda state: {
            "width": state["encoder.encoder.1.conv.weight"].shape[0],
            "blocks": _aot_blocks(state),
        },
    ),
)
