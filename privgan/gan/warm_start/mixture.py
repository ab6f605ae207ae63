"""What the warm start releases, and the images that it says: mixtures of Gaussians with the right grey levels.

Each Gaussian is a factor analyser (Ghahramani and Hinton 1996): some directions that are more than noise, and grain,
an independent variation of every coordinate, which stands for all directions that were not.
"""

from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor, nn

from privgan.gan.effects.odds import Odds, one_hot
from privgan.gan.image_model import ImageModel
from privgan.gan.patients import classes_of
from privgan.gan.warm_start.coordinates import Coordinates
from privgan.gan.warm_start.grey_levels import KNOTS, knots_below
from privgan.gan.warm_start.movement import BENDS, bent
from privgan.images.blocks import at_once
from privgan.images.form import ImageForm

# Standard deviation of the logarithm of how strongly an image varies: cloth is plain or patterned, tissue calm or
# busy (Wainwright and Simoncelli 2000). Public: it is 0.2 to 0.45 on clothes, digits and radiographs. On radiographs
# it is common to nearly all directions, those of few factors as well.
_UNEVEN = 0.3
_DRAWN = 256  # images a class, to learn which grey levels the Gaussians draw
# Below the first of grey levels from 0 to 2 light has hardly a colour; a colour becomes so much stronger at most.
_DARK, _VIVID = 0.05, 1.5


@dataclass(frozen=True, kw_only=True)
class MixtureShape:
    """Public: what an image is described by, classes, components a class, factors, bend.

    uneven: whether what an image has of its factors is strong or weak as a whole, as its grain is. levels: codes of
    each column of a record; none without records.
    """

    coordinates: Coordinates
    classes: int
    components: int
    factors: int
    bend: float
    uneven: bool = False
    levels: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        model: ImageModel,
        form: ImageForm,
        *,
        factors: int,
        uneven: bool = False,
        levels: tuple[int, ...] = (),
    ) -> Self:
        """Of such images, with so many factors."""
        coordinates = Coordinates(
            image_size=form.side,
            channels=form.channels,
            order=model.order,
            colour_order=model.colour_order,
            fine=max(model.order, model.fine_order) if model.align else model.order,
            brightness=model.brightness,
            pose=model.pose,
            align=model.align,
        )
        return cls(
            coordinates=coordinates,
            classes=len(form.classes),
            components=model.components,
            factors=factors,
            bend=model.bend,
            uneven=uneven,
            levels=levels,
        )

    @property
    def bends(self) -> int:
        """Standard normal numbers that make a distortion; none without a bend."""
        return BENDS if self.bend else 0

    @property
    def latent(self) -> int:
        """Standard normal numbers that make an image: factors, the component, the strength, grain, bends."""
        return self.factors + 2 + self.coordinates.count + self.bends


@dataclass(frozen=True, kw_only=True, eq=False)
class Mixture:
    """All of it differentially private.

    counts: (classes,), noisy patients. shares: (classes, components), each row sums to 1. means: (classes,
    components, m); loadings: (classes, components, m, factors). grain: (classes, components, m), standard deviations.
    fine: (f,), the coordinates that are the same in all images. tint: (classes, channels - 1), how much
    of the light's fine detail each difference of colour has.
    drawn, wanted: (classes, KNOTS), quantiles of the grey levels that the Gaussians draw and of those measured.
    effects: (K, m), what each value of a record adds to the coordinates; expected: (classes, K), how common it is.
    Both None without records; means are those of the average record.
    """

    counts: Tensor
    shares: Tensor
    means: Tensor
    loadings: Tensor
    grain: Tensor
    fine: Tensor
    tint: Tensor
    drawn: Tensor
    wanted: Tensor
    effects: Tensor | None = None
    expected: Tensor | None = None

    @classmethod
    def grey(cls, shape: MixtureShape) -> "Mixture":
        """Of a warm start that has measured nothing."""
        c, k, m, values = shape.classes, shape.components, shape.coordinates.count, sum(shape.levels)
        levels = torch.linspace(-1, 1, KNOTS).expand(c, KNOTS).clone()
        return cls(
            counts=torch.ones(c),
            shares=torch.full((c, k), 1 / k),
            means=torch.zeros(c, k, m),
            loadings=torch.zeros(c, k, m, shape.factors),
            grain=torch.zeros(c, k, m),
            fine=torch.zeros(shape.coordinates.fine_count),
            tint=torch.zeros(c, shape.coordinates.channels - 1),
            drawn=levels,
            wanted=levels.clone(),
            effects=torch.zeros(values, m) if values else None,
            expected=torch.zeros(c, values) if values else None,
        )

    def drawn_from(self) -> dict[str, Tensor]:
        """What an image depends on, by name: all but the counts."""
        found = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "counts"}
        return {name: value for name, value in found.items() if value is not None}


class MixtureImages(nn.Module):
    """(z (n, latent), told) -> images (n, channels, size, size) in [-1, 1]; nothing in it is learned.

    told: labels (n,), or records (n, 1 + columns): the class, then the code of each column. Of labels alone images
    are drawn as of their class's average record.

    The first latent numbers are factors, then one picks the component, one sets how strong the image's grain is, and
    its factors where they are uneven; grain and bends follow.
    """

    basis: Tensor
    field: Tensor
    shares: Tensor
    means: Tensor
    loadings: Tensor
    grain: Tensor
    fine: Tensor
    tint: Tensor
    drawn: Tensor
    wanted: Tensor
    effects: Tensor
    expected: Tensor

    def __init__(self, shape: MixtureShape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("basis", shape.coordinates.basis, persistent=False)
        self.register_buffer("field", shape.coordinates.field, persistent=False)
        for name, value in Mixture.grey(shape).drawn_from().items():
            self.register_buffer(name, value)

    def fill(self, mixture: Mixture) -> None:
        """Take over what was released."""
        for name, value in mixture.drawn_from().items():
            getattr(self, name).copy_(value)

    def forward(self, z: Tensor, told: Tensor) -> Tensor:
        """See the class."""
        return _toned(self.gaussian(z, told), self.drawn, self.wanted, classes_of(told))

    def gaussian(self, z: Tensor, told: Tensor) -> Tensor:
        """The images before their grey levels are set right; unbounded."""
        shape, labels = self.shape, classes_of(told)
        ends = self.shares[labels].cumsum(1)
        parts = [shape.factors, 1, 1, shape.coordinates.count, shape.bends]
        factors, pick, strength, grain, bends = torch.split(z, parts, dim=1)
        component = (torch.special.ndtr(pick) > ends[:, :-1]).sum(1)
        uneven = torch.exp(_UNEVEN * strength - _UNEVEN**2)  # its square is 1 on average
        factors = factors * uneven if shape.uneven else factors
        spread = torch.einsum("nmr,nr->nm", self.loadings[labels, component], factors)
        found = self.means[labels, component] + spread + self.grain[labels, component] * grain * uneven
        if told.dim() > 1 and shape.levels:
            centred = one_hot(told[:, 1:], shape.levels).to(found) - self.expected[labels]
            found = found + centred @ self.effects
        found = torch.cat([found, self.fine.expand(len(found), -1)], dim=1)
        images = shape.coordinates.drawn(found, self.tint[labels], self.basis, self.field)
        return bent(images, bends, self.field, shape.bend) if shape.bend else images


def with_tones(found: Mixture, shape: MixtureShape, odds: Odds | None, torch_rng: torch.Generator) -> Mixture:
    """Note which grey levels the Gaussians draw: a look at their images, which costs nothing."""
    images = MixtureImages(shape)
    images.fill(found)
    drawn = []
    for label in range(shape.classes):
        z = torch.randn(_DRAWN, shape.latent, generator=torch_rng)
        told, few = torch.full((_DRAWN,), label), at_once(_DRAWN, shape.coordinates.image_size)
        told = told if odds is None else odds.drawn(told, torch_rng)
        parts = zip(torch.split(z, few), torch.split(told, few), strict=True)
        levels = torch.cat([grey(images.gaussian(*part)) for part in parts])
        drawn.append(quantiles(levels.reshape(1, -1)))
    return replace(found, drawn=torch.cat(drawn))


def grey(images: Tensor) -> Tensor:
    """Grey levels (n, pixels) of images (n, channels, h, w)."""
    return images.mean(1).flatten(1)


def quantiles(values: Tensor) -> Tensor:
    """KNOTS quantiles of each row of (rows, n), strictly increasing."""
    ranks = torch.linspace(0, values.shape[1] - 1, KNOTS).round().long()
    return values.sort(dim=1).values[:, ranks] + torch.linspace(0, 1e-3, KNOTS)


def _toned(images: Tensor, drawn: Tensor, wanted: Tensor, labels: Tensor) -> Tensor:
    """Grey levels through the line that leads their class's quantiles to those wanted (histogram specification).

    Colours go with the light: each channel by itself would have noise of its own, and shadows a hue.
    """
    levels = grey(images).contiguous()
    right = torch.empty(levels.shape, dtype=torch.int64, device=levels.device)
    for label in torch.unique(labels).tolist():
        alike = labels == label
        right[alike] = knots_below(drawn[label], levels[alike].detach())
    right, drawn, wanted = right.clamp(1, KNOTS - 1), drawn[labels], wanted[labels]
    x0, x1 = drawn.gather(1, right - 1), drawn.gather(1, right)
    y0, y1 = wanted.gather(1, right - 1), wanted.gather(1, right)
    toned = y0 + (y1 - y0) * ((levels - x0) / (x1 - x0)).clamp(0, 1)
    if images.shape[1] == 1:
        return toned.reshape(images.shape)
    vivid = ((toned + 1) / (levels + 1).clamp_min(_DARK)).clamp(0, _VIVID)
    colour = (images.flatten(2) - levels[:, None]) * vivid[:, None]
    return (toned[:, None] + colour).clamp(-1, 1).reshape(images.shape)
