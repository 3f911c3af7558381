"""Semantic inpainting with a generative prior: search the latent vector whose picture agrees with the known pixels.

Yeh et al. 2017, sections 3.2 and 4.1. Departures: the context loss is a mean by weight instead of a sum, so that the
prior's share of the loss does not depend on the size of the hole; several searches start at once and the worse ones
are given up early; where there are several priors (faces, scenes), a short start decides between them; a search ends
when its loss no longer falls. Poisson blending, the paper's last step, is `inpaint_core.predictor.blending`: at the
photo's own scale, as all finishing is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.methods.base import FillContext, Filled, FillMethod
from inpaint_core.networks.dcgan import DCGAN, draw_latents

PRIORS = {"faces": "latent_search", "scenes": "latent_search_scenes"}
"""What a prior draws -> its name in the manifest. Those whose weights are absent are left out."""

STEPS = 1500  # of Adam, at most (section 4.1)
RESTARTS = 8  # searches that start for each photo and prior
STAGES = ((0.05, 4), (0.15, 2), (1.0, 1))
"""(share of the steps, searches kept after it) for each photo; after the first stage one prior is kept, too."""
LR = 0.03  # of Adam
PRIOR_WEIGHT = 0.003  # lambda
WINDOW = 7  # side of the neighbourhood whose missing share is a known pixel's weight
PATIENCE, MIN_GAIN = 150, 0.01  # a stage ends when this many steps lowered no photo's loss by this share


def importance(mask: Tensor, window: int = WINDOW) -> Tensor:
    """The weight of each known pixel: the share of missing pixels around it (equation 3); 0 in the hole.

    Args:
        mask: N x 1 x H x W, 1 = hole.
        window: odd side of the neighbourhood, which the border cuts off.

    Returns:
        N x 1 x H x W in [0, 1).
    """
    share = F.avg_pool2d(mask, window, stride=1, padding=window // 2, count_include_pad=False)
    return share * (1 - mask)


@dataclass
class Search:
    """The searches of some photos with one prior: their state between steps.

    Attributes:
        prior: its name.
        photo: int64 (S,): which photo each search is for.
        latent: S x latent in [-1, 1]: where the search is.
        best: S x latent: where its loss was lowest, with `loss` and of that the context's part `context` (S,).
    """

    prior: str
    photo: Tensor
    latent: Tensor
    best: Tensor
    loss: Tensor
    context: Tensor

    @classmethod
    def start(cls, prior: str, photo: Tensor, latent: Tensor) -> Search:
        """Searches that have not made a step."""
        infinite = torch.full((len(photo),), torch.inf, device=photo.device)
        return cls(prior, photo, latent, latent.clone(), infinite, infinite.clone())

    def only(self, chosen: Tensor) -> Search:
        """The searches of these indices, which go on from the best place of each."""
        best = self.best[chosen]
        return Search(self.prior, self.photo[chosen], best.clone(), best, self.loss[chosen], self.context[chosen])

    def step(
        self, optimizer: torch.optim.Optimizer, network: DCGAN, image: Tensor, weight: Tensor, prior_weight: float
    ) -> None:
        """One step of the optimizer, each search by itself.

        Args:
            optimizer: of `latent`.
            network: the prior.
            image: N x 3 x H x W in [0, 1], the photos.
            weight: N x 1 x H x W, of their pixels (see `importance`).
            prior_weight: lambda.
        """
        target, weight = image[self.photo], weight[self.photo]
        with torch.enable_grad():
            drawn = network(self.latent)  # (S, 3, H, W)
            # twice the difference: the paper's images span [-1, 1]
            apart = 2 * (weight * (drawn - target).abs()).sum((1, 2, 3))
            context = apart / (3 * weight.sum((1, 2, 3))).clamp_min(1e-6)
            loss = context + prior_weight * network.prior_loss(drawn)
            (gradient,) = torch.autograd.grad(loss.sum(), self.latent)
        better = loss.detach() < self.loss
        self.best = torch.where(better[:, None], self.latent.detach(), self.best)
        self.context = torch.where(better, context.detach(), self.context)
        self.loss = torch.where(better, loss.detach(), self.loss)
        self.latent.grad = gradient
        optimizer.step()
        with torch.no_grad():
            self.latent.clamp_(-1, 1)  # what the prior was trained on


class LatentSearch(FillMethod):
    """Completes squares of the priors' size, a batch of photos at once.

    Args:
        folder: where the checkpoints are; None: `weights.directory()`.
        steps, restarts: in place of `STEPS` and `RESTARTS`.
        prior_weight: lambda.
    """

    uses_gpu = True
    multiple_of = 64
    native_size = 64
    fixed_size = True

    def __init__(
        self,
        folder: str | Path | None = None,
        steps: int | None = None,
        restarts: int | None = None,
        prior_weight: float = PRIOR_WEIGHT,
    ) -> None:
        self.folder = folder
        self.steps = steps
        self.restarts = restarts
        self.prior_weight = prior_weight
        self._priors: dict[str, dict[str, DCGAN]] = {}
        self._lock = threading.Lock()

    def priors(self, device: torch.device | str = "cpu") -> dict[str, DCGAN]:
        """The priors whose weights are here, on the device, in evaluation mode; loaded at the first call and kept.

        Raises:
            InpaintError: the weights are absent, damaged or of another architecture.
        """
        with self._lock:
            if str(device) not in self._priors:
                known = weights.records(self.folder)
                names = {prior: name for prior, name in PRIORS.items() if name in known}
                if not names:
                    raise InpaintError(
                        "There are no weights for latent_search: train them with python -m train.dcgan --export."
                    )
                self._priors[str(device)] = {
                    prior: self._load(name, torch.device(device)) for prior, name in names.items()
                }
            return self._priors[str(device)]

    def _load(self, name: str, device: torch.device) -> DCGAN:
        network = weights.load_network(name, self.folder)
        assert isinstance(network, DCGAN)
        if network.generator.size != self.native_size:
            raise InpaintError(f"The weights of {name} draw {network.generator.size} px; train a prior of 64 px.")
        network.eval().requires_grad_(False).to(device)
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def fill(self, image: Tensor, mask: Tensor, context: FillContext = FillContext()) -> Filled:
        """See `FillMethod.fill`. The known pixels come back as the prior draws them, for blending.

        The extras are `prior` (a list, a name for each photo), `context_loss` (likewise) and `steps`.
        """
        priors = self.priors(image.device)
        generator = context.random_numbers(image)
        searches = []
        for name, prior in priors.items():
            photo = torch.arange(len(image), device=image.device).repeat_interleave(self.restarts or RESTARTS)
            searches.append(Search.start(name, photo, draw_latents(len(photo), prior.generator.latent, generator)))

        def report(share: float, text: str, searches: list[Search]) -> None:
            if context.progress is not None:
                context.progress(share, text)
            if context.preview is not None:
                context.preview(_pictures(searches, priors, image))

        searches, steps = self._descend(searches, priors, image, importance(mask), report)
        names, losses = [""] * len(image), [0.0] * len(image)
        for search in searches:
            for number, loss in zip(search.photo.tolist(), search.context.tolist(), strict=True):
                names[number], losses[number] = search.prior, loss
        note = (
            f"Completed as a picture of 64 x 64 pixels that a prior of {' and '.join(sorted(set(names)))} draws, "
            "brought to the photo's scale."
        )
        extras = {"prior": names, "context_loss": losses, "steps": steps}
        return Filled(_pictures(searches, priors, image), (note,), extras)

    def _descend(
        self,
        searches: list[Search],
        priors: dict[str, DCGAN],
        image: Tensor,
        weight: Tensor,
        report: Callable[[float, str, list[Search]], None],
    ) -> tuple[list[Search], int]:
        """Run all stages: one search for each photo that is left, and the number of steps done."""
        most = self.steps or STEPS
        done = 0
        for share, kept in STAGES:
            until = max(round(share * most), done + 1)
            left = sum(len(search.photo) for search in searches)
            optimizers = [torch.optim.Adam([search.latent.requires_grad_()], LR) for search in searches]
            reference, since = torch.full((len(image),), torch.inf, device=image.device), 0
            while done < until and since < PATIENCE:
                for search, optimizer in zip(searches, optimizers, strict=True):
                    search.step(optimizer, priors[search.prior], image, weight, self.prior_weight)
                done, since = done + 1, since + 1
                if done % 25 == 0:
                    best = _per_photo(searches, len(image))
                    if bool((best < reference * (1 - MIN_GAIN)).any()):
                        reference, since = torch.minimum(reference, best), 0
                    report(done / most, f"step {done} of at most {most}, {left} searches", searches)
            searches = _select(searches, len(image), kept)
        return searches, done


@torch.no_grad()
def _pictures(searches: list[Search], priors: dict[str, DCGAN], image: Tensor) -> Tensor:
    """What the best search of each photo draws, as `image`; of two priors that still search the better by context."""
    output = torch.empty_like(image)
    lowest = torch.full((len(image),), torch.inf, device=image.device)
    for search in searches:
        for photo in search.photo.unique().tolist():
            own = (search.photo == photo).nonzero()[:, 0]
            first = own[search.loss[own].argmin()]
            if search.context[first] < lowest[photo]:
                lowest[photo] = search.context[first]
                output[photo] = priors[search.prior](search.best[first][None])[0]
    return output


def _per_photo(searches: list[Search], count: int) -> Tensor:
    """The lowest loss of each photo's searches: (count,)."""
    best = torch.full((count,), torch.inf, device=searches[0].loss.device)
    for search in searches:
        best = best.scatter_reduce(0, search.photo, search.loss, "amin")
    return best


def _select(searches: list[Search], count: int, kept: int) -> list[Search]:
    """Keep for each photo the prior with the lowest context loss and of its searches the `kept` with the lowest loss.

    The discriminators of two priors have no common scale, so between priors the context alone decides.
    """
    context = torch.full((len(searches), count), torch.inf, device=searches[0].context.device)
    for number, search in enumerate(searches):
        context[number] = context[number].scatter_reduce(0, search.photo, search.context, "amin")
    chosen = context.argmin(0)
    selected = []
    for number, search in enumerate(searches):
        indices: list[int] = []
        for photo in (chosen == number).nonzero()[:, 0].tolist():
            own = (search.photo == photo).nonzero()[:, 0]
            indices += own[search.loss[own].argsort()[:kept]].tolist()
        if indices:
            selected.append(search.only(torch.tensor(indices, dtype=torch.long, device=search.photo.device)))
    return selected
