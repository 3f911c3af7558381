"""Layouts of the papers' authors."""

from __future__ import annotations

import re
from typing import Any

from inpaint_core.weights.public.layout import Layout, State, renaming

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


# ---- Table -----------------------------------------------------------------------------------------------------------

AUTHORS: tuple[Layout, ...] = (
    Layout(
        name="LaMa of its authors",
        method="lama",
        signature=(r"model\.1\.ffc\.convl2l\.weight", r"model\.5\.conv1\.ffc\.convl2g\.weight"),
        own_names=_lama_names,
        arguments=_lama_arguments,
    ),
)
