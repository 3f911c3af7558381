"""The table of methods: one record a system. Listing it imports nothing heavy."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inpaint_core.errors import InpaintError

if TYPE_CHECKING:
    from inpaint_core.methods.base import FillMethod


@dataclass(frozen=True)
class Method:
    """What the comparison knows of one system before running it."""

    name: str  # the word used on the command line, in the API, in the manifest and in train/
    title: str  # as the page shows it
    year: int
    paper: str  # authors, title, venue
    url: str  # where the paper is
    family: str  # diffusion, patches, encoder-decoder, generative prior, autoregressive
    licence: str  # of the code and weights shipped here
    summary: str  # one sentence on how it fills
    implementation: str  # "module:class" of a FillMethod, imported when first used
    cost: float  # rough seconds at 512 x 512 on two CPU cores: the order in which a comparison runs
    accepts_sketch: bool = False
    needs_weights: bool = False
    parameters: int | None = None  # of the generator at the paper's width; the manifest tells the width shipped
    restores: bool = False  # it is shown the hidden part pixelated: compare it with no method that is not
    trained_here: bool = True  # there is a script in train/ for it
    train_options: str = ""  # "SCRIPT --options" where they differ from the method's name
    takes_public_weights: bool = False  # a file of weights in the public PyTorch port's layout can stand in for ours

    @property
    def ready(self) -> bool:
        """True if the method can run now: it needs no weights, or they are here and match their checksum."""
        if not self.needs_weights:
            return True
        from inpaint_core import weights

        return weights.ready(self.name)

    @property
    def train_command(self) -> str | None:
        """The command that makes the weights; None for a method without any, or without a training script here."""
        if not self.needs_weights or not self.trained_here:
            return None
        return f"python -m train.{self.train_options or self.name} --data PHOTOS --out runs/{self.name} --export"

    def build(self, weights: str | Path | None = None) -> FillMethod:
        """A new instance of the method; its weights, if any, are loaded at the first fill.

        Args:
            weights: in place of the checkpoint, a file that training has exported beside its manifest, or public ones.

        Raises:
            InpaintError: weights were given, but they are another method's, or this one cannot take public ones.
        """
        module, _, attribute = self.implementation.partition(":")
        make = getattr(importlib.import_module(module), attribute)
        if weights is None:
            return make()
        from inpaint_core import weights as checkpoints

        record = checkpoints.record_of(weights)
        if record is not None:
            if record.method != self.name:
                raise InpaintError(f"{weights} holds weights of {record.method}: choose that method, not {self.name}.")
            method: FillMethod = make()
            method.folder = Path(weights).parent
            return method
        if not self.takes_public_weights:
            able = ", ".join(method.name for method in _METHODS if method.takes_public_weights)
            raise InpaintError(
                f"{self.name} takes no weights from {weights}: give a file that lies beside its "
                f"{checkpoints.MANIFEST}, as training exports it; {able} also takes public ones."
            )
        return make(weights)


_METHODS = (
    Method(
        name="ns",
        title="Navier-Stokes",
        year=2001,
        paper="Bertalmio, Bertozzi, Sapiro: Navier-Stokes, fluid dynamics, and image and video inpainting, CVPR 2001",
        url="https://doi.org/10.1109/CVPR.2001.990497",
        family="diffusion",
        licence="Apache-2.0 (OpenCV)",
        summary="Carries the lines of equal brightness into the hole, as a fluid would flow.",
        implementation="inpaint_core.methods.opencv:NavierStokes",
        cost=0.017,
    ),
    Method(
        name="telea",
        title="Fast marching (Telea)",
        year=2004,
        paper="Telea: An image inpainting technique based on the fast marching method, Journal of Graphics Tools 2004",
        url="https://doi.org/10.1080/10867651.2004.10487596",
        family="diffusion",
        licence="Apache-2.0 (OpenCV)",
        summary="Marches from the border inwards, each pixel a weighted mean of the known ones near it.",
        implementation="inpaint_core.methods.opencv:Telea",
        cost=0.018,
    ),
    Method(
        name="patchmatch",
        title="PatchMatch",
        year=2009,
        paper="Barnes et al.: PatchMatch, SIGGRAPH 2009; Wexler, Shechtman, Irani: Space-time completion, PAMI 2007",
        url="https://doi.org/10.1145/1531326.1531330",
        family="patches",
        licence="MIT",
        summary="Pieces the hole together from the photo's own patches, coarse to fine.",
        implementation="inpaint_core.methods.patchmatch:PatchMatch",
        cost=0.9,
    ),
    Method(
        name="autoencoder",
        title="Autoencoder",
        year=2016,
        paper="The plain convolutional encoder-decoder with a squared error: the baseline of Pathak et al., CVPR 2016",
        url="https://arxiv.org/abs/1604.07379",
        family="encoder-decoder",
        licence="MIT",
        summary="Squeezes the photo through a bottleneck and predicts the mean of all that could be there: blurred.",
        implementation="inpaint_core.methods.feed_forward:autoencoder",
        parameters=6_471_331,
        cost=0.1,
        needs_weights=True,
    ),
    Method(
        name="context_encoder",
        title="Context Encoder",
        year=2016,
        paper="Pathak et al.: Context encoders: feature learning by inpainting, CVPR 2016",
        url="https://arxiv.org/abs/1604.07379",
        family="encoder-decoder",
        licence="MIT",
        summary="An autoencoder with a channel-wise fully connected layer, and a critic that judges the filled patch.",
        implementation="inpaint_core.methods.feed_forward:context_encoder",
        parameters=6_049_667,
        cost=0.02,
        needs_weights=True,
    ),
    Method(
        name="pixel_cnn",
        title="PixelCNN",
        year=2016,
        paper="van den Oord et al.: Pixel recurrent neural networks, ICML 2016; mixture: Salimans et al., ICLR 2017",
        url="https://arxiv.org/abs/1601.06759",
        family="autoregressive",
        licence="MIT",
        summary="Draws the hole at 32 x 32 pixels, one colour value after the other, each from what is above and left.",
        implementation="inpaint_core.methods.autoregressive:pixel_cnn",
        parameters=3_398_736,
        cost=1.5,
        needs_weights=True,
    ),
    Method(
        name="pixel_rnn",
        title="PixelRNN (Diagonal BiLSTM)",
        year=2016,
        paper="van den Oord et al.: Pixel recurrent neural networks, ICML 2016",
        url="https://arxiv.org/abs/1601.06759",
        family="autoregressive",
        licence="MIT",
        summary="As PixelCNN, but two LSTMs sweep the diagonals, so that every value hears all that came before it.",
        implementation="inpaint_core.methods.autoregressive:pixel_rnn",
        parameters=1_081_218,
        cost=2.5,
        needs_weights=True,
    ),
    Method(
        name="latent_search",
        title="Latent search (DCGAN prior)",
        year=2017,
        paper="Yeh et al.: Semantic image inpainting with deep generative models, CVPR 2017; DCGAN: Radford, 2016",
        url="https://arxiv.org/abs/1607.07539",
        family="generative prior",
        licence="MIT",
        summary="Searches, of all the 64 px pictures a DCGAN can draw, for one that agrees with what is known.",
        implementation="inpaint_core.methods.latent_search:LatentSearch",
        parameters=6_342_272,
        cost=4.0,
        needs_weights=True,
        train_options="dcgan",
    ),
    Method(
        name="glcic",
        title="GLCIC",
        year=2017,
        paper="Iizuka, Simo-Serra, Ishikawa: Globally and locally consistent image completion, SIGGRAPH 2017",
        url="https://doi.org/10.1145/3072959.3073659",
        family="encoder-decoder",
        licence="MIT",
        summary="Dilated convolutions see far around the hole; one critic looks at the photo, another at the hole.",
        implementation="inpaint_core.methods.feed_forward:glcic",
        parameters=6_072_131,
        cost=0.25,
        needs_weights=True,
    ),
    Method(
        name="deepfill_v1",
        title="Contextual Attention (DeepFill v1)",
        year=2018,
        paper="Yu et al.: Generative image inpainting with contextual attention, CVPR 2018",
        url="https://arxiv.org/abs/1801.07892",
        family="encoder-decoder",
        licence="MIT",
        summary="A coarse fill first; then attention borrows features of known patches to refine it.",
        implementation="inpaint_core.methods.feed_forward:deepfill_v1",
        parameters=3_601_542,
        cost=0.24,
        needs_weights=True,
    ),
    Method(
        name="deepfill_v1_mosaic",
        title="Mosaic restoration (DeepFill v1)",
        year=2018,
        paper="Yu et al.: Generative image inpainting with contextual attention, CVPR 2018; trained on pixelated holes",
        url="https://arxiv.org/abs/1801.07892",
        family="encoder-decoder",
        licence="MIT",
        summary="Restores instead of inventing: it alone sees what the hole hides, pixelated into coarse blocks.",
        implementation="inpaint_core.methods.feed_forward:deepfill_v1_mosaic",
        parameters=3_601_542,
        cost=0.24,
        needs_weights=True,
        restores=True,
        train_options="deepfill_v1 --mosaic",
    ),
    Method(
        name="partial_conv",
        title="PartialConv",
        year=2018,
        paper="Liu et al.: Image inpainting for irregular holes using partial convolutions, ECCV 2018",
        url="https://arxiv.org/abs/1804.07723",
        family="encoder-decoder",
        licence="MIT",
        summary="Convolutions that count known pixels only; the hole shrinks from layer to layer.",
        implementation="inpaint_core.methods.feed_forward:partial_conv",
        parameters=25_779_796,
        cost=0.2,
        needs_weights=True,
    ),
    Method(
        name="deepfill_v2",
        title="DeepFill v2",
        year=2019,
        paper="Yu et al.: Free-form image inpainting with gated convolution, ICCV 2019",
        url="https://arxiv.org/abs/1806.03589",
        family="encoder-decoder",
        licence="MIT",
        summary="Gated convolutions learn where to look, in holes of any form, and follow the edges you sketch.",
        implementation="inpaint_core.methods.feed_forward:deepfill_v2",
        parameters=4_053_678,
        cost=0.23,
        accepts_sketch=True,
        needs_weights=True,
        takes_public_weights=True,
    ),
    Method(
        name="lama",
        title="LaMa",
        year=2022,
        paper="Suvorov et al.: Resolution-robust large mask inpainting with Fourier convolutions, WACV 2022",
        url="https://arxiv.org/abs/2109.07161",
        family="encoder-decoder",
        licence="MIT",
        summary="Fast Fourier convolutions see the whole photo at once and continue what repeats.",
        implementation="inpaint_core.methods.feed_forward:lama",
        parameters=27_048_835,
        cost=0.45,
        needs_weights=True,
        trained_here=False,
    ),
)

_BY_NAME = {method.name: method for method in _METHODS}


def methods() -> list[Method]:
    """Every method of the catalogue, oldest first, ready or not."""
    return list(_METHODS)


def get(name: str) -> Method:
    """The record of one method; an unknown name is an `InpaintError` that lists the known ones."""
    if name not in _BY_NAME:
        raise InpaintError(f"There is no method {name!r}; choose one of {', '.join(_BY_NAME)}.")
    return _BY_NAME[name]


def require_ready(name: str) -> Method:
    """The record of a method that can run now; `InpaintError` says how to make its weights where they are absent."""
    method = get(name)
    if not method.ready:
        remedy = f", or make them with '{method.train_command}'" if method.train_command else ""
        raise InpaintError(
            f"The weights of {name} are absent or damaged; put them into the checkpoints folder{remedy}."
        )
    return method


def default_method() -> str:
    """The name of the method that a first-time user should get."""
    return "patchmatch"
