"""The known layouts, one record each; in a group of files by who published them."""

from inpaint_core.weights.public.layout import Layout
from inpaint_core.weights.public.layouts_authors import AUTHORS
from inpaint_core.weights.public.layouts_mmagic import MMAGIC
from inpaint_core.weights.public.layouts_ports import PORTS

__all__ = ["LAYOUTS", "Layout"]

LAYOUTS: tuple[Layout, ...] = (*AUTHORS, *MMAGIC, *PORTS)
"""No state dict fits two of them, except where `Layout.prefix` tells them apart: the first one counts."""
