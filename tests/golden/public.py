"""Published layouts at an eighth of their width, and what our networks make of a photo with drawn weights in them.

`python -m tests.golden.public` writes the outputs anew. Do so only with `tests/weights/test_public_golden.py` green
where the golden files of the published code are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from inpaint_core import weights
from tests.networks.seeded import photo
from tests.weights.published import layout, published_state

ROW_FILE = Path(__file__).with_suffix(".npz")
NETWORKS = {
    "lama": "lama",
    "deepfill_v2_nipponjo": "deepfill_v2",
    "deepfill_v1_mmagic": "deepfill_v1",
    "deepfill_v1_daa233": "deepfill_v1",
    "glcic_mmagic": "glcic",
    "glcic_official": "glcic",
    "partial_conv_mmagic": "partial_conv",
    "partial_conv_naoto0804": "partial_conv",
    "aot_gan_mmagic": "aot_gan",
    "aot_gan_official": "aot_gan",
    "context_encoder_boyuanjiang": "context_encoder",
}
"""Layout -> the method it must be recognised as."""
SHARES = {"deepfill_v2_nipponjo": 6}
"""Layout -> what its channels are divided by, where an eighth of them is no whole number."""
GAINS = {"deepfill_v2_nipponjo": 2.0, "lama": 1.25, "glcic_official": 1.8}
GAINS |= dict.fromkeys(("partial_conv_mmagic", "partial_conv_naoto0804"), 1.0)


@torch.no_grad()
def small_output(name: str) -> tuple[str, np.ndarray]:
    """The recognised method, and every fourth pixel of its last output in float64."""
    state = published_state(layout(name, SHARES.get(name, 8)), gain=GAINS.get(name, 1.4))
    method, network = weights.network_from_public(state)
    image, mask, _ = photo(128, 128)
    output = network.double()(image, mask)
    return method, (output[-1] if isinstance(output, tuple) else output)[0, :, ::4, ::4].numpy()


if __name__ == "__main__":
    np.savez_compressed(ROW_FILE, **{name: small_output(name)[1].astype(np.float32) for name in NETWORKS})
