"""PatchMatch completion: the hole is pieced together from patches of the photo's own known part, coarse to fine."""

from inpaint_core.methods.patchmatch.method import PatchMatch, warm_up

__all__ = ["PatchMatch", "warm_up"]
