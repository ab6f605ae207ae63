"""Several Gaussians a class: where their centres lie and whose images are nearest, between the queries."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from privgan.gan.warm_start.mixture import Mixture
from privgan.gan.warm_start.shrinkage import by_band, grain, loadings

_FIRST_CENTRES = 0.6  # of the class's spread, so that every one of them has images around it
# A component with less than this part of an equal share, or within so many standard errors of nobody, is dropped: it
# would draw its noise.
_SMALLEST, _ERRORS = 0.2, 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Centres:
    """The centres of k components a class, in the r directions that the class's one Gaussian has.

    means: (classes, m), of the classes; axes: (classes, m, r), unit directions; radius: (classes,), the unit of
    offsets; places: (classes, k, r), around the means; counts: (classes, k), patients nearest to each.
    """

    means: Tensor
    axes: Tensor
    radius: Tensor
    places: Tensor
    counts: Tensor

    @classmethod
    def first(cls, found: Mixture, draws: Tensor, *, radius: float) -> Self:
        """Draws (classes, k, r) from N(0, 1), spread as the class is; `radius` in units of the class's spread."""
        axes, scales = _axes(found.loadings[:, 0])
        reach = (scales.square().sum(1) + found.grain[:, 0].square().sum(1)).sqrt()  # (classes,), a class's spread
        return cls(
            means=found.means[:, 0],
            axes=axes,
            radius=(radius * reach).clamp_min(1e-6),
            places=_FIRST_CENTRES * draws * scales[:, None],
            counts=torch.ones(draws.shape[:2]),
        )

    def offsets(self, coordinates: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """From coordinates (n, m) to offsets (n, r) from the nearest centre, and which one of all that is (n,)."""
        inside = torch.einsum("nm,nmr->nr", coordinates - self.means[labels], self.axes[labels])
        return self._from_nearest(inside, labels)

    def offsets_and_norms(self, coordinates: Tensor, labels: Tensor, bands: Tensor) -> tuple[Tensor, Tensor]:
        """As `offsets`, and beside them (n, r + bands) the norms of what lies outside of the directions, by band."""
        away, axes = coordinates - self.means[labels], self.axes[labels]
        inside = torch.einsum("nm,nmr->nr", away, axes)
        offsets, cells = self._from_nearest(inside, labels)
        outside = away - torch.einsum("nmr,nr->nm", axes, inside)
        norms = by_band(outside.square(), bands).sqrt() / self.radius[labels, None]
        return torch.cat([offsets, norms], dim=1), cells

    def _from_nearest(self, inside: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        nearest = (inside[:, None] - self.places[labels]).square().sum(2).argmin(1)
        offsets = (inside - self.places[labels, nearest]) / self.radius[labels, None]
        return offsets, labels * self.places.shape[1] + nearest

    def spreads(self, products: Tensor, noise: float, bands: Tensor) -> tuple[Tensor, Tensor]:
        """Loadings (classes, k, r, r) in the directions and the grain (classes, k, m) beyond them.

        products: (classes, k, r + bands, r + bands), sums over each component's patients of products of what
        `offsets_and_norms` says. noise: of their diagonal entries. bands: as in `shrinkage`.
        """
        classes, k, r = self.places.shape
        inside, outside = products[..., :r, :r], products[..., r:, r:].diagonal(dim1=2, dim2=3)
        units, counts = self.radius.double().square(), self.counts.double()
        spreads, left = [], []
        for c in range(classes):
            axes = self.axes[c].double()
            own = loadings(inside[c] * units[c], noise * float(units[c]), counts[c], r)
            rest = inside[c] * units[c] / counts[c][:, None, None] - own @ own.mT
            beyond = outside[c] * units[c] / counts[c][:, None] / torch.bincount(bands)
            left.append(torch.einsum("mr,krs,ms->km", axes, rest, axes) + beyond[:, bands])
            spreads.append(own)
        unsure = noise * units[:, None] / counts
        grains = grain(torch.cat(left), unsure.flatten(), counts.flatten(), bands)
        return torch.stack(spreads).float(), grains.reshape(classes, k, -1).float()

    def moved(self, counts: Tensor, steps: Tensor, unsure: Tensor) -> Self:
        """Each by its mean offset, `steps` (classes, k, r), whose numbers have the standard errors `unsure`."""
        # Empirical Bayes: of what a centre seems to have moved, the part that is more than its noise.
        doubt = unsure.square() / steps.square().mean(2).clamp_min(1e-12)
        gone = steps * self.radius[:, None, None] * (1 - doubt).clamp_min(0.0)[..., None]
        return replace(self, places=self.places + gone, counts=counts)

    def mixture(self, found: Mixture, spreads: Tensor, grains: Tensor, *, error: float) -> Mixture:
        """The mixture with these components, of loadings (classes, k, r, r) in the directions and such grains.

        error: standard error of a count.
        """
        sure = torch.clamp_min(_SMALLEST * self.counts.mean(1, keepdim=True), _ERRORS * error)
        largest = self.counts == self.counts.amax(1, keepdim=True)
        shares = torch.where((self.counts >= sure) | largest, self.counts, 0.0)
        return replace(
            found,
            shares=shares / shares.sum(1, keepdim=True),
            means=self.means[:, None] + torch.einsum("ckr,cmr->ckm", self.places, self.axes),
            loadings=torch.einsum("cmr,ckrs->ckms", self.axes, spreads),
            grain=grains,
        )


def _axes(scaled: Tensor) -> tuple[Tensor, Tensor]:
    """Unit directions (classes, m, r) and standard deviations (classes, r) of loadings (classes, m, r)."""
    scales = scaled.norm(dim=1)
    return scaled / scales.clamp_min(1e-9)[:, None], scales
