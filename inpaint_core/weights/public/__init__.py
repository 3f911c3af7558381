"""Published weights of the papers' authors and of others: read from their files, recognised, loaded into our networks.

Importing this package does not import torch.
"""

from inpaint_core.weights.public.conversion import Converted, convert_public, load_public, network_from_public
from inpaint_core.weights.public.layouts import LAYOUTS, Layout

__all__ = [
    "LAYOUTS",
    "Converted",
    "Layout",
    "convert_public",
    "load_public",
    "network_from_public",
]
