"""Public damage: what happens to a good image on its way, as named operations with parameters in physical units.

A restorer learns from pairs, and nobody has the pair of a patient's noisy image. So good images are damaged on
purpose. Each operation says what it imitates, draws from the generator that it is handed, and does nothing at zero.
"""

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.arrays import Images
from privgan.checks import within
from privgan.errors import UsageError
from privgan.images.form import ImageForm
from privgan.images.pixels import planes
from privgan_uses.restoring.request import ARTEFACTS, DENOISE, SUPER_RESOLVE

WHITE = 255.0
_MOST_UNITS = 1e4
_LEAST = 1e-3  # of the largest singular value: what is smaller is not there


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Poisson and Gaussian noise together (Foi et al. 2008): quanta that are counted, and an amplifier.

    photons: counted where an image is white; 0 where the number is not what limits. spread: standard deviation of the
    rest, in Hounsfield units or, where values have no unit, in levels of 255.
    """

    photons: float = 100.0
    spread: float = 5.0

    def __post_init__(self) -> None:
        within(0.0, 1e9, photons=self.photons)
        within(0.0, _MOST_UNITS, spread=self.spread)

    def of(self, images: Tensor, unit: float, torch_rng: torch.Generator) -> Tensor:
        """See `Damage`."""
        counted = images
        if self.photons:
            counted = torch.poisson(images / WHITE * self.photons, generator=torch_rng) * (WHITE / self.photons)
        return counted + self.spread * unit * torch.randn(images.shape, generator=torch_rng)


@dataclass(frozen=True, kw_only=True)
class Coarse:
    """Larger pixels: a blur, then means over squares of pixels, brought back to the full size by cubic splines.

    factor: pixels a side of a square, 1, 2 or 4. blur: standard deviation of the blur before, in pixels of the full
    size.
    """

    factor: int = 2
    blur: float = 0.5

    def __post_init__(self) -> None:
        if self.factor not in (1, 2, 4):
            raise UsageError(f"Expected a factor of 2 or 4, got {self.factor}.")
        within(0.0, 8.0, blur=self.blur)

    def of(self, images: Tensor, unit: float, torch_rng: torch.Generator) -> Tensor:  # noqa: ARG002 - see `Damage`
        """See `Damage`."""
        return self.enlarged(_rounded(self.small(images)))

    def small(self, images: Tensor) -> Tensor:
        """Levels (n, c, h, h) as (n, c, h / factor, h / factor)."""
        blurred = _blurred(images, self.blur)
        return F.avg_pool2d(blurred, self.factor) if self.factor > 1 else blurred

    def enlarged(self, images: Tensor) -> Tensor:
        """Small images at the full size, by cubic interpolation (Keys 1981)."""
        if self.factor == 1:
            return images
        return F.interpolate(images, scale_factor=float(self.factor), mode="bicubic", align_corners=False)


@dataclass(frozen=True, kw_only=True)
class Stripes:
    """A detector whose columns answer differently. column_spread: standard deviation of what each column adds.

    In Hounsfield units or, where values have no unit, in levels of 255.
    """

    column_spread: float = 12.0

    def __post_init__(self) -> None:
        within(0.0, _MOST_UNITS, column_spread=self.column_spread)

    def of(self, images: Tensor, unit: float, torch_rng: torch.Generator) -> Tensor:
        """See `Damage`."""
        columns = torch.randn(len(images), 1, 1, images.shape[-1], generator=torch_rng)
        return images + self.column_spread * unit * columns


@dataclass(frozen=True, kw_only=True)
class Ghosts:
    """Somebody moved regularly while lines were measured: fainter images beside the true one, above and below it.

    weight: share of the ghosts, up to it at random. reach: their distance at most, as a share of the field of view.
    """

    weight: float = 0.3
    reach: float = 0.25

    def __post_init__(self) -> None:
        within(0.0, 0.9, weight=self.weight)
        within(0.0, 0.5, reach=self.reach)

    def of(self, images: Tensor, unit: float, torch_rng: torch.Generator) -> Tensor:  # noqa: ARG002 - see `Damage`
        """See `Damage`."""
        side, drawn = images.shape[-2], torch.rand(len(images), 2, generator=torch_rng)
        far = (1 + drawn[:, 0] * (self.reach * side - 1)).long().tolist()
        share = (self.weight * drawn[:, 1])[:, None, None, None]
        pairs = zip(images, far, strict=True)
        ghosts = torch.stack([(each.roll(rows, 1) + each.roll(-rows, 1)) / 2 for each, rows in pairs])
        return (1 - share) * images + share * ghosts


@dataclass(frozen=True, kw_only=True)
class Streaks:
    """Bright and dark rays from a small dense object, like those of metal in computed tomography.

    hounsfield: amplitude next to the object. fade: distance after which a third is left, as a share of the field of
    view. The object itself is not drawn.
    """

    hounsfield: float = 120.0
    fade: float = 0.25

    def __post_init__(self) -> None:
        within(0.0, _MOST_UNITS, hounsfield=self.hounsfield)
        within(0.01, 10.0, fade=self.fade)

    def of(self, images: Tensor, unit: float, torch_rng: torch.Generator) -> Tensor:
        """See `Damage`."""
        count, side = len(images), images.shape[-1]
        centre = (0.3 + 0.4 * torch.rand(count, 2, 1, 1, generator=torch_rng)) * side
        places = torch.arange(side) + 0.5
        down, right = places[None, :, None] - centre[:, 0], places[None, None, :] - centre[:, 1]
        phases = 2 * math.pi * torch.rand(count, len(_RAYS), 1, 1, generator=torch_rng)
        angle = torch.atan2(down, right)[:, None]
        waves = torch.cos(torch.tensor(_RAYS)[None, :, None, None] * angle + phases).mean(1, keepdim=True)
        distance = (down.square() + right.square()).sqrt()[:, None]
        return images + self.hounsfield * unit * waves * torch.exp(-distance / (self.fade * side))


_RAYS = (2.0, 4.0, 6.0, 10.0, 16.0)  # waves around the object; even, as a ray leaves on both sides
Damage = Noise | Coarse | Stripes | Ghosts | Streaks
"""Each has `of`: levels 0 to 255, float32 (n, c, h, h), so many levels a unit, and a generator, to such levels."""
_BY_NAME: dict[str, type[Stripes] | type[Ghosts] | type[Streaks]] = dict(
    zip(ARTEFACTS, (Stripes, Ghosts, Streaks), strict=True)
)


def usual(task: str, form: ImageForm, *, artefact: str, factor: int) -> Damage:
    """A task's damage for images of this form, where nobody says more; amounts are of the strength of a poor image.

    Raises:
        UsageError: streaks of images that are not in Hounsfield units.
    """
    if task == SUPER_RESOLVE:
        return Coarse(factor=factor)
    if task == DENOISE:  # the noise of a reconstructed slice is no count any more
        return Noise() if form.window is None else Noise(photons=0.0, spread=60.0)
    damage = _BY_NAME[artefact]()
    if isinstance(damage, Streaks) and form.window is None:
        raise UsageError("Expected images in Hounsfield units for --artefact streaks: these rays come from CT.")
    if isinstance(damage, Stripes) and form.window is not None:
        return replace(damage, column_spread=30.0)
    return damage


def damaged(images: Images, damage: Damage, form: ImageForm, torch_rng: torch.Generator) -> Images:
    """Good images uint8 (n, h, h, c) as they would have come out; rounded, as files hold them."""
    return _stored(damage.of(planes(images).float(), levels_a_unit(form), torch_rng))


def enlarged(images: Images, damage: Coarse) -> Images:
    """Small images uint8 (n, s, s, c) at the full size, as the restorer is shown them."""
    return _stored(damage.enlarged(planes(images).float()))


def agreeing(images: Images, seen: Images, damage: Damage) -> Images:
    """Restored images uint8 (n, h, h, c), changed as little as possible so that they agree with what was seen.

    Larger pixels alone can be held against an image: of all whose pixels these are it is the nearest, where
    back-projection ends (Irani and Peleg 1991). A network then adds what nobody measured and changes nothing else,
    but where levels beyond black and white are cut off afterwards.
    """
    if not isinstance(damage, Coarse):
        return images
    made, shown = planes(images).float(), planes(seen).float()
    sight, back = _sight(damage, made.shape[-1])
    return _stored(made + back @ (shown - sight @ made @ sight.T) @ back.T)


@cache
def _sight(damage: Coarse, side: int) -> tuple[Tensor, Tensor]:
    """What larger pixels make of the rows of an image, as a matrix (side, side), and its pseudoinverse."""
    each = torch.eye(side)[:, None, :, None].expand(
        side, 1, side, damage.factor
    )  # one bright row; as narrow as may be
    sight = damage.enlarged(damage.small(each))[:, 0, :, 0].T
    return sight, torch.linalg.pinv(sight.double(), rtol=_LEAST).float()


def levels_a_unit(form: ImageForm) -> float:
    """Levels of 255 that a Hounsfield unit is; 1 where values have no unit."""
    return 1.0 if form.window is None else WHITE / (form.window[1] - form.window[0])


def _rounded(levels: Tensor) -> Tensor:
    return levels.round().clamp(0.0, WHITE)


def _stored(levels: Tensor) -> Images:
    """Planes (n, c, h, h) as images (n, h, h, c)."""
    return np.ascontiguousarray(_rounded(levels).to(torch.uint8).permute(0, 2, 3, 1).numpy())


def _blurred(images: Tensor, spread: float) -> Tensor:
    """A Gaussian blur, the edge continued."""
    if spread == 0:
        return images
    reach = math.ceil(3 * spread)
    weights = torch.exp(-torch.arange(-reach, reach + 1).float().square() / (2 * spread**2))
    weights = weights / weights.sum()
    kernel = weights[:, None] * weights[None, :]
    beyond = F.pad(images.flatten(0, 1)[:, None], (reach,) * 4, mode="replicate")
    return F.conv2d(beyond, kernel[None, None]).reshape(images.shape)
