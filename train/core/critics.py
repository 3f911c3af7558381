"""Critics that learn from few photos, for any generator: when they join a run, and how much they count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Adam

from inpaint_core.networks.deepfill_v2 import SNPatchDiscriminator
from inpaint_core.networks.patch_critic import PatchCritic
from inpaint_core.networks.projected_critic import ProjectedCritic
from train.core.config import HoleConfig
from train.core.gan import auc, frozen, halves, hinge_critic, hinge_generator, photo_scores
from train.core.gradient_weights import adaptive_weight, gradients_at, last_layer_norms
from train.core.losses import shift_together
from train.core.run import Run
from train.core.validation import Fill, stages_of

CRITICS = {"sn_patchgan": SNPatchDiscriminator, "patch": PatchCritic, "projected": ProjectedCritic}
CRITIC_LR = {"sn_patchgan": 1e-4, "patch": 4e-4, "projected": 4e-4}

Critic = Literal["sn_patchgan", "patch", "projected"]

Fills = tuple[Tensor, ...]
"""Photos (N x 3 x H x W), the same completed, their masks (N x 1 x H x W) and, where there are any, their sketches."""

Phase = Literal["off", "warm-up", "adversarial"]
"""Critics that are not trained yet; that are trained, without effect on the generator; that the generator faces."""


@dataclass(frozen=True, kw_only=True)
class CriticConfig(HoleConfig):
    """Options of `PhotoCritics` for a script that trains on photos, to be inherited by its config."""

    critics: tuple[Critic, ...] = ()  # that learn from few photos
    critic_start: float = 0.3  # share of the run after which critics join; at once where --init is given
    critic_warmup: int = 120  # steps for which --critics are trained at least before the generator faces them ...
    critic_auc: float = 0.65  # ... and the AUC on held-out fills that they must have reached by then
    critic_check: int = 60  # steps between measurements of the AUC ...
    critic_photos: int = 32  # ... on this many held-out crops
    adversarial_share: float = 0.4  # gradient of --critics as a share of the reconstruction's at the last layer
    adversarial_cap: float = 1.0  # largest weight of the adversarial term of --critics


def fills_of(inputs: tuple[Tensor, ...], run: Run, fill: Fill) -> Callable[[], Fills]:
    """For `PhotoCritics.phase`: the same photos completed by `fill` as it is at the time of each call.

    Args:
        inputs: photos that no step draws, their masks and, where there are any, their sketches: N x C x S x S.
        run: whose precision is used.
        fill: as for `Validation`.
    """

    @torch.no_grad()
    def fills() -> Fills:
        image, mask, *sketch = inputs
        with run.autocast():
            refined = stages_of(fill(image, mask, sketch[0] if sketch else None))[1].float()
        return image, torch.where(mask > 0, refined, image), mask, *sketch

    return fills


class PhotoCritics:
    """Critics of completed photos with hinge losses inside the hole, under the run's checkpointing.

    They are trained without effect on the generator until they recognise held-out fills. From then on their term is
    weighted by gradients (see `train.core.gradient_weights`).

    Args:
        run: receives a network "critic_KIND" for each of `config.critics`.
        config: which critics, when they join, how much they count.
        last_kernel: of the generator, where the terms' gradients are compared.
        in_channels: 4 (RGB, mask) or 5 (RGB, mask, edge).
    """

    def __init__(self, run: Run, config: CriticConfig, last_kernel: Tensor, in_channels: int = 4) -> None:
        self.run, self.config, self.last_kernel = run, config, last_kernel
        self._wrapped: dict[str, nn.Module] = {}
        for kind in config.critics:
            network = CRITICS[kind](in_channels=in_channels)
            trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
            optimizer = Adam(trained, CRITIC_LR[kind], (0.5, 0.999))
            self._wrapped[f"critic_{kind}"] = run.add(f"critic_{kind}", network, optimizer)
        self.networks = {name: run.networks[name] for name in self._wrapped}

    def phase(self, held_out: Callable[[], Fills]) -> Phase:
        """What the critics do in this step; measures their AUC where it is due.

        Once the generator faces them it does so to the end: the AUC may fall again as the generator improves.

        Args:
            held_out: returns fills of photos that are not trained on, by the generator as it is now.
        """
        joined = "generator" in self.run.initialised or self.run.progress >= self.config.critic_start
        if not self.networks or not joined:
            return "off"
        step, state = self.run.step, self.run.state
        if step == state.setdefault("critics_since", step) or step % self.config.critic_check == 0:
            state["auc"] = self.auc(*held_out())
            self.run.log(auc=state["auc"])
        trained = step - state["critics_since"] >= self.config.critic_warmup
        if trained and state["auc"] >= self.config.critic_auc:
            state["critics_count"] = True
        return "adversarial" if state.get("critics_count", False) else "warm-up"

    @torch.no_grad()
    def auc(self, truth: Tensor, completed: Tensor, mask: Tensor, *sketch: Tensor) -> float:
        """The critics' mean AUC; images N x 3 x H x W in [0, 1], mask N x 1 x H x W, 1 = hole."""
        values = []
        with self.run.autocast():
            for critic in self.networks.values():
                real, fake = (photo_scores(critic(image, mask, *sketch), mask) for image in (truth, completed))
                values.append(auc(real, fake))
        return sum(values) / len(values)

    def adversarial(self, completed: Tensor, mask: Tensor, *sketch: Tensor) -> Tensor:
        """The generator's hinge loss, the mean over the critics, a scalar; shapes as for `auc`."""
        shifted = shift_together(completed, mask, *sketch, step=self.run.step, stride=16)
        with frozen(*self.networks.values()), self.run.autocast():
            losses = [hinge_generator(critic(*shifted), shifted[1]) for critic in self.networks.values()]
        return torch.stack(losses).mean()

    def adversarial_weight(self, norms: Mapping[str, Tensor], reconstruction: str) -> Tensor:
        """The weight of the term "adversarial" by the `norms` of both terms' gradients at the last layer, a scalar."""
        return adaptive_weight(
            norms, "adversarial", reconstruction, self.config.adversarial_share, self.config.adversarial_cap
        )

    def term(self, completed: Tensor, mask: Tensor, reconstruction: Tensor, output: Tensor) -> Tensor:
        """The weighted `adversarial` loss, a scalar, logged with its weight and the gradients that decide it.

        Args:
            completed, mask: as for `auc`.
            reconstruction: a scalar computed from `output`, as `completed` is.
            output: of the generator, N x 3 x H x W.
        """
        terms = {"adversarial": self.adversarial(completed, mask), "reconstruction": reconstruction}
        norms = last_layer_norms(output, self.last_kernel, gradients_at(output, terms))
        weight = self.adversarial_weight(norms, "reconstruction")
        self.run.log(adversarial=terms["adversarial"], adversarial_weight=weight)
        self.run.log(**{f"gradients/{name}": norm for name, norm in norms.items()})
        return weight * terms["adversarial"]

    def update(self, truth: Tensor, completed: Tensor, mask: Tensor, *sketch: Tensor) -> None:
        """One optimizer step of each critic; shapes as for `auc`."""
        images, *conditions = torch.cat((truth, completed.detach())), *(torch.cat((x, x)) for x in (mask, *sketch))
        shifted = shift_together(images, *conditions, step=self.run.step, stride=16)
        for name, critic in self._wrapped.items():
            real, fake = halves(critic(*shifted))
            loss = hinge_critic(real, fake, shifted[1][: len(truth)])
            self.run.backward(loss, name)
            self.run.log(**{name: loss})
