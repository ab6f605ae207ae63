"""Generators: what the warm start released, drawn by a linear part, and a detail part that learns the rest.

With a public prior (`gan.prior`) a network that has seen public images alone finishes what the linear part draws, its
detail is made as strong as the patients' (`strengths`), and the detail part goes on from there. A generator sees no
patients and may normalise as it likes. Its detail part is not told the class: it would write the class into every
image as a faint pattern, which is all that a classifier would then learn of them.
"""

import itertools
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.checks import one_of
from privgan.config import inline
from privgan.errors import UsageError
from privgan.gan.effects.odds import Odds
from privgan.gan.names import CONV, MLP, NETWORKS
from privgan.gan.networks.convolving import beside, doubled, one_output
from privgan.gan.networks.finish import Finish, FinishShape
from privgan.gan.networks.layers import convolution, linear
from privgan.gan.networks.strengths import Strengths
from privgan.gan.patients import classes_of
from privgan.gan.warm_start import ImageModel, Mixture, MixtureImages, MixtureShape
from privgan.gan.warm_start.strength import DetailBands
from privgan.images.blocks import at_once
from privgan.images.form import ImageForm

Network = TypeVar("Network", bound=nn.Module)
SMALLEST_MAP = 4
HIDDEN_PER_WIDTH = 8  # dense units for each channel of the convolutions: about as much work on small images
# More at once leave the cache, and the C library asks the system for their maps anew each time.
_FAKES_AT_ONCE = 32
_LOOKED_AT = 128  # images a class, to learn how strong detail is before gains


def fakes_at_once(side: int) -> int:
    """How many images of `side` pixels a generator draws at once."""
    return at_once(_FAKES_AT_ONCE, side)


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig(ImageModel):
    """Everything needed to rebuild a generator: public settings only.

    form: of the images, without words and units. latent: factors of the warm start; the detail part sees them, too.
    width: channels of the convolutions; `mlp` has eight times as many hidden units. network: one of NETWORKS;
    `autoencoder` is built like `conv` and differs in where it starts. finish: width of the public detail network, 0
    without one. prior: hex SHA-256 of the prior that it is of, empty without one. levels: codes of each column of a
    record, none without records. The rest: see `ImageModel`.
    """

    form: ImageForm = field(metadata=inline("side", "classes", "channels", side="image_size"))
    latent: int = 64
    width: int = 32
    network: str = CONV
    finish: int = 0
    prior: str = ""
    levels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(NETWORKS, network=self.network)
        if self.form != self.form.bare:
            raise UsageError("Expected the bare form of images: a generator knows no modality, body part or window.")

    @cached_property
    def mixture(self) -> MixtureShape:
        """Of the part that the warm start fills; its `latent` comes first in z."""
        return MixtureShape.of(self, self.form, factors=self.latent, uneven=bool(self.finish), levels=self.levels)

    @property
    def finished(self) -> FinishShape | None:
        """Of the public detail network, whose `latent` follows in z; None without one."""
        if not self.finish:
            return None
        return FinishShape(side=self.form.side, channels=self.form.channels, width=self.finish)

    @property
    def detail_bands(self) -> DetailBands:
        """The frequencies in which what the detail network added is made stronger or weaker."""
        return DetailBands(side=self.form.side, order=self.order)

    @cached_property
    def latents(self) -> int:
        """The dimension of z: standard normal numbers that make an image."""
        return self.mixture.latent + (self.finished.latent if self.finished else 0)


class Generator(nn.Module):
    """(z (n, latents), told) -> images (n, channels, size, size) in [-1, 1].

    told: labels (n,), or records (n, 1 + columns), see `MixtureImages`.
    `start` draws what the warm start released, `finish` what public images add to it, and `strengths` says how
    strong that is; none of them learns here. A detail part, zero at first, adds what the discriminator asks for.
    torch_rng: of its first weights; without it they are zero, for whoever fills them.
    """

    def __init__(self, config: GeneratorConfig, torch_rng: torch.Generator | None) -> None:
        super().__init__()
        self.config = config
        self.start = MixtureImages(config.mixture)
        self.finish = None if config.finished is None else Finish(config.finished, None).requires_grad_(False)
        self.strengths = Strengths(config.detail_bands, len(config.form.classes)) if config.finished else None
        build = _dense if config.network == MLP else _convolutions
        self.lift, self.blocks, self.last = build(config, torch_rng)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]  # Optional in the stubs, present by default

    @property
    def basis(self) -> Tensor:
        """The cosines of low frequency, (m, size x size)."""
        return self.start.basis

    def warm_start(self, mixture: Mixture) -> None:
        """Begin where the released mixture is."""
        self.start.fill(mixture)

    def strengthen(self, wanted: Tensor, torch_rng: torch.Generator, odds: Odds | None = None) -> None:
        """Make detail as strong as patients say, by a look at some images, which have no gains yet.

        Args:
            wanted: (classes, numbers), as `measure_powers` released them.
            torch_rng: of those images.
            odds: of their records, if they have any.
        """
        if self.strengths is None:
            return
        device, drawn = self.basis.device, []
        for label in range(len(self.config.form.classes)):
            z = torch.randn(_LOOKED_AT, self.config.latents, generator=torch_rng).to(device)
            told = torch.full((_LOOKED_AT,), label, device=device)
            told = told if odds is None else odds.drawn(told, torch_rng)
            few = fakes_at_once(self.config.form.side)
            with torch.no_grad():
                some = [self.begun(*batch) for batch in zip(torch.split(z, few), torch.split(told, few), strict=True)]
            drawn.append(self.config.detail_bands.powers(torch.cat(some)).mean(0))
        self.strengths.fill(wanted.to(device), torch.stack(drawn))

    def forward(self, z: Tensor, told: Tensor) -> Tensor:
        """See the class."""
        return self.drawn(z, told)[0]

    def begun(self, z: Tensor, told: Tensor) -> Tensor:
        """The images before refinement: what the warm start draws, finished by the public network if there is one."""
        first = self.config.mixture.latent
        image: Tensor = self.start(z[:, :first], told)
        if self.finish is None or self.strengths is None:
            return image
        finished = self.finish(image, z[:, first:]).clamp(-1.0, 1.0)
        return self.strengths(finished, classes_of(told)).clamp(-1.0, 1.0)  # type: ignore[no-any-return]  # as for all modules

    def drawn(self, z: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
        """The images, and what they were before refinement."""
        image = self.begun(z, told)
        return F.hardtanh(image + self.detail(z, image)), image

    def detail(self, z: Tensor, image: Tensor) -> Tensor:
        """What is added to a smooth image (n, channels, size, size); of its shape."""
        z = z[:, : self.config.latent]
        if self.config.network == MLP:
            x = self.lift(torch.cat([z, image.flatten(1)], dim=1))
            for block in self.blocks:
                x = block(x)
            dense: Tensor = self.last(x).reshape(image.shape)
            return dense
        start = _first_map(self.config.form.side)
        x = self.lift(z).reshape(len(z), -1, start, start)
        for block in self.blocks:
            x = block(x, image)
        return _centre_crop(self._ended(beside(x, image)), image.shape[-1])

    def _ended(self, x: Tensor) -> Tensor:
        last = self.last
        if isinstance(last, nn.Conv2d) and last.out_channels == 1 and x.device.type == "cpu":
            return one_output(x, last.weight, last.bias)
        found: Tensor = last(x)
        return found


Layers = tuple[nn.Linear, nn.ModuleList, nn.Conv2d | nn.Linear]  # lift, blocks, last


def _convolutions(config: GeneratorConfig, torch_rng: torch.Generator | None) -> Layers:
    doublings, deep = _doublings(config.form.side), config.width * 2
    lift = linear(config.latent, deep * _first_map(config.form.side) ** 2, torch_rng)
    widths = [deep] + [max(config.width >> max(level - 1, 0), 16) for level in range(doublings)]
    blocks = nn.ModuleList(_up(a + config.form.channels, b, torch_rng) for a, b in itertools.pairwise(widths))
    return lift, blocks, convolution(widths[-1] + config.form.channels, config.form.channels, 3, torch_rng)


def _dense(config: GeneratorConfig, torch_rng: torch.Generator | None) -> Layers:
    hidden = config.width * HIDDEN_PER_WIDTH
    block = nn.Sequential(nn.ReLU(), linear(hidden, hidden, torch_rng), nn.ReLU())
    pixels = config.form.channels * config.form.side**2
    lift = linear(config.latent + pixels, hidden, torch_rng)
    return lift, nn.ModuleList([block]), linear(hidden, pixels, torch_rng)


def _doublings(size: int) -> int:
    return max(0, int(math.log2(size / SMALLEST_MAP)))


def _first_map(size: int) -> int:
    return math.ceil(size / (1 << _doublings(size)))


class Up(nn.Sequential):
    """(maps (n, c, h, h), image) -> maps (n, outputs, 2h, 2h): a doubling, a convolution, and whatever follows."""

    def forward(self, x: Tensor, image: Tensor) -> Tensor:  # type: ignore[override]  # what lies beside comes in here
        """See the class."""
        match list(self):
            case [nn.Upsample(), nn.Conv2d() as plain, *rest] if x.device.type == "cpu":
                x = doubled(x, image, plain.weight, plain.bias)
            case rest:
                x = beside(x, image)
        for layer in rest:
            x = layer(x)
        return x


def _up(inputs: int, outputs: int, torch_rng: torch.Generator | None) -> Up:
    return Up(
        nn.Upsample(scale_factor=2, mode="nearest"),
        convolution(inputs, outputs, 3, torch_rng),
        nn.GroupNorm(4, outputs),
        nn.ReLU(),
    )


def _centre_crop(image: Tensor, size: int) -> Tensor:
    margin = (image.shape[-1] - size) // 2
    return image[..., margin : margin + size, margin : margin + size]


def placed(network: Network, device: torch.device | str) -> Network:
    """A network on a device, its maps with the channels last: a third faster convolutions there and here."""
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
