"""How far a completed photo is from the true one: L1, L2, PSNR, SSIM, LPIPS, total variation, Fréchet distance.

Every function takes `image` and `reference`, float N x 3 x H x W in [0, 1], and returns one number a sample, (N,).
With a `mask`, N x 1 x H x W and 1 = hole, only the hole is measured. Wrong shapes, values that are not finite or
outside [0, 1] and a mask without a hole raise InpaintError.

Units: L1 and L2 are of pixel values in [0, 1]. `scale=255` gives the 0..255 convention (L1 times 255, L2 times 255
squared); over the whole image, not the hole, Navier-Stokes on 256 x 256 animals with a centre hole of 128 x 128 has
9.64 and 803 so. `scale=1` times 100 is the per cent of the DeepFill papers, `scale=255` with a mask the L1 per hole
pixel.
"""

from inpaint_core.metrics.frechet import frechet_distance
from inpaint_core.metrics.lpips_network import unavailable_reason as lpips_unavailable_reason
from inpaint_core.metrics.perceptual import alexnet_features, lpips
from inpaint_core.metrics.photos import measure
from inpaint_core.metrics.pixelwise import l1, l2, psnr
from inpaint_core.metrics.structural import ssim
from inpaint_core.metrics.variation import total_variation

__all__ = [
    "alexnet_features",
    "frechet_distance",
    "l1",
    "l2",
    "lpips",
    "lpips_unavailable_reason",
    "measure",
    "psnr",
    "ssim",
    "total_variation",
]
