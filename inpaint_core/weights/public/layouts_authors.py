"""Layouts of the papers' authors."""

from __future__ import annotations

import re
from typing import Any

from inpaint_core.weights.public.layout import Layout, State, renaming, shift

# ---- LaMa (advimman/lama): one list of modules; stem 1, three downsamplings 2 to 4, blocks from 5 on, upsampling, head

LAMA_BLOCK = re.compile(r"model\.(\d+)\.conv1\.ffc\.convl2l\.weight")
LAMA_LAYERS = (
    (r"ffc\.convg2g\.conv1\.0", "global_to_global.reduce"),
    (r"ffc\.convg2g\.conv1\.1", "global_to_global.norm"),
    (r"ffc\.convg2g\.conv2", "global_to_global.expand"),
    (r"ffc\.convg2g\.fu\.conv_layer", "global_to_global.fourier.conv"),
    (r"ffc\.convg2g\.fu\.bn", "global_to_global.fourier.norm"),
    (r"ffc\.convl2l", "local_to_local"),
    (r"ffc\.convl2g", "local_to_global"),
    (r"ffc\.convg2l", "global_to_local"),
    (r"bn_l", "norm_local"),
    (r"bn_g", "norm_global"),
    (r"\.conv1\.", ".first."),  # of a block; those of the spectral transform have other names by now
    (r"\.conv2\.", ".second."),
)


def _lama_blocks(state: State) -> int:
    return sum(bool(LAMA_BLOCK.fullmatch(name)) for name in state)


def _lama_names(state: State) -> dict[str, str]:
    blocks = _lama_blocks(state)

    def stack(match: re.Match[str]) -> str:
        number = int(match[1])
        if number == 1:
            return "stem"
        for name, first, count in (("down", 2, 3), ("blocks", 5, blocks), ("up", 6 + blocks, 9)):
            if first <= number < first + count:
                return f"{name}.{number - first}"
        return "head"

    return renaming((r"^model\.(\d+)", stack), *LAMA_LAYERS)(state)


def _lama_arguments(state: State) -> dict[str, Any]:
    width = state["model.1.ffc.convl2l.weight"].shape[0]
    to_global = state["model.5.conv1.ffc.convl2g.weight"].shape[0]
    return {"width": width, "blocks": _lama_blocks(state), "global_share": to_global / (8 * width)}


# ---- GLCIC (satoshiiizuka/siggraph2017_inpainting): one list of 50 modules, activations among them -------------------


def _glcic_place(match: re.Match[str]) -> str:
    layer, part = divmod(int(match[1]), 3)
    return f"layers.{layer}." if layer == 16 else f"layers.{layer}.{part}."


# ---- AOT-GAN (researchmm/AOT-GAN-for-Inpainting) ---------------------------------------------------------------------


def _aot_blocks(state: State) -> int:
    return sum(name.endswith(".fuse.1.weight") for name in state)


# ---- MI-GAN (Picsart-AI-Research/MI-GAN), as its export script writes and traces it: a level is named by its side ----


def _migan_size(state: State) -> int:
    return max(int(match[1]) for name in state if (match := re.match(r"encoder\.b(\d+)\.", name)))


def _migan_names(state: State) -> dict[str, str]:
    levels = _migan_size(state).bit_length()

    def encoder(match: re.Match[str]) -> str:
        return f"encoder.{levels - int(match[1]).bit_length()}."

    def decoder(match: re.Match[str]) -> str:
        return f"decoder.{int(match[1]).bit_length() - 3}."

    return renaming(
        (r"^encoder\.b\d+\.fromrgb", "from_rgb"),
        (r"^encoder\.b(\d+)\.", encoder),
        (r"^synthesis\.b(\d+)\.", decoder),
        (r"\.torgb\.", ".to_rgb."),
        (r"\.conv1\.conv", ".first.conv"),
        (r"\.conv2\.conv", ".second.conv"),
        (r"\.conv1\.noise", ".first.noise"),
        (r"\.conv2\.noise", ".second.noise"),
        (r"\.conv1\.", ".depthwise."),
        (r"\.conv2\.", ".pointwise."),
        (r"\.noise_const$", ".noise"),
        drop=r"\.(filter\.weight|insert_zeros\.weight|filter_const)$",  # blurs, fixed and in our code
    )(state)


def _migan_arguments(state: State) -> dict[str, Any]:
    size = _migan_size(state)
    finest = state[f"encoder.b{size}.fromrgb.weight"].shape[0]
    return {"size": size, "base": size * finest, "most": state["synthesis.b4.conv1.conv1.weight"].shape[0]}


# ---- Table -----------------------------------------------------------------------------------------------------------

AUTHORS: tuple[Layout, ...] = (
    Layout(
        name="LaMa of its authors",
        method="lama",
        signature=(r"model\.1\.ffc\.convl2l\.weight", r"model\.5\.conv1\.ffc\.convl2g\.weight"),
        own_names=_lama_names,
        arguments=_lama_arguments,
    ),
    Layout(
        name="GLCIC of its authors, converted",
        method="glcic",
        signature=(r"0\.weight", r"1\.running_mean", r"48\.bias"),
        own_names=renaming((r"^(\d+)\.", _glcic_place)),
        arguments=lambda state: {
            "width": state["0.weight"].shape[0],
            "mean_colour": [0.4560, 0.4472, 0.4155],
            "ends": "centred",
        },
    ),
    Layout(
        name="AOT-GAN of its authors",
        method="aot_gan",
        signature=(r"encoder\.1\.weight", r"middle\.0\.block00\.1\.weight"),
        own_names=lambda state: renaming(
            (r"^encoder\.(\d+)", shift("layers.{}", -1)),
            (r"^middle\.(\d+)", shift("layers.{}", 6)),
            (r"\.block0(\d+)\.1\.", r".branches.\1."),
            (r"\.(fuse|gate)\.1\.", r".\1."),
            (r"^decoder\.(\d+)", shift("layers.{}", 6 + _aot_blocks(state))),
        )(state),
        arguments=lambda state: {"width": state["encoder.1.weight"].shape[0], "blocks": _aot_blocks(state)},
    ),
    Layout(
        name="MI-GAN of its authors, for inference",
        method="migan",
        signature=(r"encoder\.b4\.conv1\.conv1\.weight", r"synthesis\.b4\.torgb\.weight"),
        own_names=_migan_names,
        arguments=_migan_arguments,
    ),
)
