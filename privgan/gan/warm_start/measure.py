"""A one-shot start for the generator: what a few noisy sums tell about the images, before any adversary.

Every image is described by a few numbers, most of them cosine coefficients of low frequency (`coordinates`). Gaussian
queries of every member then ask, in this order:

1. the mean of each class, with a constant coordinate for the counts;
2. with `align`: the mean of each class after every image was moved onto the mean of all, and that of the movements;
3. the second moments of each class around that mean;
4. of records: what goes along with each of their values (`gan.effects`), which is taken out of the second moments;
5. the grey levels of each class, a histogram of its pixels;
6. for more than one component: rounds of k-means within each class, in the directions that 3. kept (as DPLloyd of
   Su et al. 2016 does), then the second moments of each component.

With a public prior `strength` asks one more.

This is a mean embedding in the family of DP-MERF (Harder, Adamczewski and Park 2021), on coordinates that anatomy
lives in. Of noisy covariances only what rises above the noise is kept (`shrinkage`), so that noise does not become
texture. The generator starts from the images that all this implies, and stays anchored to them during refinement.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from privgan.gan.effects.effects import Directions, Effects, effects
from privgan.gan.effects.odds import Odds
from privgan.gan.image_model import MixtureSettings
from privgan.gan.patients import Describe, DescribedQuery, Everybody, ask, classes_of
from privgan.gan.randomness import Randomness
from privgan.gan.warm_start.components import Centres
from privgan.gan.warm_start.coordinates import COLOUR_WEIGHT, Coordinates
from privgan.gan.warm_start.grey_levels import LEVELS, counted_levels, level_curve
from privgan.gan.warm_start.mixture import Mixture, MixtureShape, grey, with_tones
from privgan.gan.warm_start.shrinkage import grain, loadings, shrunk


def measure_mixture(
    patients: Everybody,
    settings: MixtureSettings,
    noise: tuple[float, ...],
    shape: MixtureShape,
    randomness: Randomness,
    odds: Odds | None = None,
) -> Mixture:
    """Ask the queries; `noise` are their noise multipliers, as charged, one for each of `settings.noise_ratios`.

    odds: how common records are; then a last noise is that of what records do.
    """
    asked = _Queries(
        patients=patients,
        settings=settings,
        coordinates=shape.coordinates.still,
        shape=shape,
        rng=randomness.secret,
    )
    left, of_records = iter(noise if odds is None else noise[:-1]), noise[-1]
    counts, means = asked.class_means(next(left))
    if settings.align:
        asked = asked.moved_onto(means)
        means = asked.moved_means(means, counts, next(left))
        asked = replace(asked, coordinates=shape.coordinates.varying)
    means, fine = torch.split(means, [shape.coordinates.count, shape.coordinates.fine_count], dim=1)
    s = next(left)
    products = asked.class_products(means, s)
    spreads, grains = asked.directions(products, counts, s)
    if odds is not None:
        asked = asked.told(odds, spreads, grains, counts, means, of_records)
        spreads, grains = asked.directions(asked.left_of(products, counts), counts, s)
    wanted = asked.grey_levels(next(left))
    found = Mixture(
        counts=counts.float(),
        shares=torch.ones(shape.classes, 1),
        means=means[:, None].float(),
        loadings=spreads[:, None].float(),
        grain=grains[:, None].float(),
        fine=fine[0].float(),
        tint=asked.tint(products, means, counts, s).float(),
        drawn=Mixture.grey(shape).drawn,
        wanted=wanted.float(),
        effects=None if asked.effects is None else asked.effects.values,
        expected=None if odds is None else odds.expected,
    )
    if settings.components > 1:
        found = asked.components(found, tuple(left))
    return with_tones(found, shape, odds, randomness.public)


def noise_of_products(
    settings: MixtureSettings, shape: MixtureShape, noise: tuple[float, ...]
) -> tuple[float, float]:
    """Standard deviation of a class's summed squares of a coordinate, and the most that a patient's add up to.

    noise: multipliers of the queries, as charged.
    """
    most = settings.spread_radius**2 * shape.coordinates.image_size**2 * shape.coordinates.channels
    return noise[1 + settings.align] * most, most


@dataclass(frozen=True, kw_only=True)
class _Queries:
    """coordinates: that images are described by so far. template: (channels, size, size), moved onto before.

    effects: what records do, taken out of coordinates once it is known.
    """

    patients: Everybody
    settings: MixtureSettings
    coordinates: Coordinates
    shape: MixtureShape
    rng: np.random.Generator
    template: Tensor | None = None
    effects: Effects | None = None

    def moved_onto(self, means: Tensor) -> "_Queries":
        """The same queries of images that were moved onto the mean of all classes.

        One for all: moved onto the mean of its own, an image would become a better example of its class than it is.
        """
        template = self.coordinates.template(means.float().mean(0))
        return replace(self, coordinates=self.shape.coordinates, template=template)

    @property
    def spread(self) -> float:
        return self.settings.spread_radius * self._unit

    @property
    def _unit(self) -> float:
        return float(self.coordinates.image_size * self.coordinates.channels**0.5)

    @property
    def _weight(self) -> float:
        return float((1 - self.settings.count_share**2) ** 0.5)

    def _counted(self, vectors: Tensor) -> Tensor:
        """A first coordinate that counts, and the vectors in what it leaves of norm 1."""
        clipped = vectors / vectors.norm(dim=1, keepdim=True).clamp_min(1.0)
        constant = torch.full((len(vectors), 1), self.settings.count_share)
        return torch.cat([constant, clipped * self._weight], dim=1)

    def class_means(self, noise: float) -> tuple[Tensor, Tensor]:
        """Patients (classes,) and mean coordinates (classes, m)."""
        radius = self.settings.mean_radius * self._unit

        def describe(coordinates: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            return self._counted(coordinates / radius), labels

        first = self._sums(describe, self.shape.classes, 1 + len(self.coordinates.bands), noise)
        counts = (first[:, 0] / self.settings.count_share).clamp_min(1.0)
        scale = radius / (self._weight * counts)
        return counts, shrunk(first[:, 1:] * scale[:, None], counts, noise * scale, self.coordinates.bands)

    def moved_means(self, before: Tensor, counts: Tensor, noise: float) -> Tensor:
        """Mean coordinates (classes, m + f), given those of the still images; the last f are alike in all classes."""
        wide = len(self.coordinates.bands)
        centres = torch.nn.functional.pad(before, (0, wide - before.shape[1]))
        sums = self._sums(self._around(centres), self.shape.classes, wide, noise)
        scale = self.spread / counts
        found = centres + sums * scale[:, None]
        # Without variation around it, a class's own average would be a mark that gives the class away.
        alike = found[:, self.coordinates.count :]
        alike[:] = (alike * counts[:, None]).sum(0) / counts.sum()
        return shrunk(found, counts, noise * scale, self.coordinates.bands)

    def class_products(self, means: Tensor, noise: float) -> Tensor:
        """Sums of products around the class means, (classes, m, m)."""
        around, m = self._around(means), means.shape[1]
        return self._products(around, self.shape.classes, m, noise) * self.spread**2

    def directions(self, products: Tensor, counts: Tensor, noise: float) -> tuple[Tensor, Tensor]:
        """Loadings (classes, m, factors) of the directions that stand out, and the grain (classes, m) they leave."""
        unsure = noise * self.spread**2
        spreads = loadings(products, unsure, counts, self.shape.factors)
        rest = products.diagonal(dim1=1, dim2=2) / counts[:, None] - spreads.square().sum(2)
        return spreads, grain(rest, unsure / counts, counts, self.coordinates.bands)

    def told(
        self, odds: Odds, spreads: Tensor, grains: Tensor, counts: Tensor, means: Tensor, noise: float
    ) -> "_Queries":
        """The same queries of what records do not say, now that it is asked what they do."""
        shares = counts / counts.sum()
        own = spreads @ spreads.mT + torch.diag_embed(grains.square())
        directions, centres = Directions.of(torch.einsum("c,cmn->mn", shares, own)), means.float()

        def describe(coordinates: Tensor, records: Tensor) -> tuple[Tensor, Tensor]:
            labels = classes_of(records)
            offsets = directions.bounded(coordinates - centres[labels])
            return (odds.bounded(records)[:, :, None] * offsets[:, None]).flatten(1), torch.zeros_like(labels)

        size, total = (odds.values, means.shape[1]), float(counts.sum())
        sums = self._answer(describe, 1, math.prod(size), noise, records=True).reshape(size) / total
        values = effects(sums, odds, shares, noise / total, directions)
        return replace(self, effects=Effects(odds=odds, values=values.float()))

    def left_of(self, products: Tensor, counts: Tensor) -> Tensor:
        """Sums of products (classes, m, m) without what records do."""
        if self.effects is None:
            return products
        odds, values = self.effects.odds, self.effects.values.double()
        own = torch.stack([values.T @ odds.covariance(label) @ values for label in range(len(counts))])
        return products - own * counts[:, None, None]

    def tint(self, products: Tensor, means: Tensor, counts: Tensor, noise: float) -> Tensor:
        """How much of the light's detail each difference of colour has: (classes, channels - 1).

        A regression over the frequencies that both have, on what `class_means` and `class_products` said.
        """
        light, colour = self.coordinates.shared
        moments = products / counts[:, None, None] + means[:, :, None] * means[:, None, :]
        unsure = noise * self.spread**2 / counts
        power = moments[:, light, light].sum(1).clamp_min(1e-6) + unsure * len(light) ** 0.5
        both = moments[:, light, colour].sum(2) / COLOUR_WEIGHT
        error = unsure * (len(light) / 2) ** 0.5 / (COLOUR_WEIGHT * power)
        return shrunk(both / power[:, None], counts, error, torch.arange(len(colour)))

    def _around(self, means: Tensor) -> Describe:
        centres = means.float()

        def describe(coordinates: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            return (coordinates - centres[labels]) / self.spread, labels

        return describe

    def grey_levels(self, noise: float) -> Tensor:
        """Quantiles of the grey levels in [-1, 1]: (classes, KNOTS)."""

        def describe(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            return counted_levels(grey(images)), labels

        query = DescribedQuery(describe=describe, cells=self.shape.classes, dimensions=LEVELS)
        counted = ask(self.patients, query, noise=noise, rng=self.rng)
        return torch.from_numpy(np.stack([level_curve(row) for row in counted.numpy()]))

    def components(self, found: Mixture, noise: tuple[float, ...]) -> Mixture:
        """Several Gaussians a class, in the directions that its one Gaussian has."""
        size = (self.shape.classes, self.settings.components, found.loadings.shape[3])
        draws = torch.from_numpy(self.rng.standard_normal(size)).float()
        centres = Centres.first(found, draws, radius=self.settings.component_radius)
        for s in noise[:-1]:
            centres = self._kmeans_round(centres, s)
        spreads, left = self._component_spreads(centres, noise[-1])
        return centres.mixture(found, spreads, left, error=noise[-2] / self.settings.count_share)

    def _kmeans_round(self, centres: Centres, noise: float) -> Centres:
        """Every centre moves to the mean of the images that it is nearest to."""
        classes, k, size = centres.places.shape

        def describe(coordinates: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            offsets, cells = centres.offsets(coordinates, labels)
            return self._counted(offsets), cells

        sums = self._sums(describe, classes * k, 1 + size, noise).reshape(classes, k, -1).float()
        counts = (sums[..., 0] / self.settings.count_share).clamp_min(1.0)
        scale = self._weight * counts
        return centres.moved(counts, sums[..., 1:] / scale[..., None], noise / scale)

    def _component_spreads(self, centres: Centres, noise: float) -> tuple[Tensor, Tensor]:
        """What the second moments around the centres leave above the noise (classes, k, r, r), and the grain that
        they leave below it (classes, k, m).
        """
        classes, k, size = centres.places.shape
        of_bands = self.coordinates.bands

        def describe(coordinates: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            return centres.offsets_and_norms(coordinates, labels, of_bands)

        wide = size + int(of_bands.max()) + 1
        products = self._products(describe, classes * k, wide, noise).reshape(classes, k, wide, wide)
        return centres.spreads(products, noise, of_bands)

    def _sums(self, describe: Describe, cells: int, dimensions: int, noise: float) -> Tensor:
        return self._answer(describe, cells, dimensions, noise)

    def _products(self, describe: Describe, cells: int, dimensions: int, noise: float) -> Tensor:
        return self._answer(describe, cells, dimensions, noise, products=True)

    def _answer(self, describe: Describe, cells: int, dimensions: int, noise: float, **kind: bool) -> Tensor:
        """Of images, where `describe` takes coordinates: without what records do, once it is known."""

        def described(images: Tensor, told: Tensor) -> tuple[Tensor, Tensor]:
            coordinates = self.coordinates.of(images, self.template)
            if self.effects is None:
                return describe(coordinates, told)
            return describe(coordinates - self.effects.of(told), classes_of(told))

        kind = {"records": self.effects is not None} | kind
        query = DescribedQuery(describe=described, cells=cells, dimensions=dimensions, **kind)
        return ask(self.patients, query, noise=noise, rng=self.rng)
