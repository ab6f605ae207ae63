"""Where a generator starts: mixtures of Gaussians, measured with noise."""

from privgan.gan.warm_start.coordinates import Coordinates
from privgan.gan.warm_start.cosines import analysed, cosine_basis
from privgan.gan.warm_start.measure import MixtureSettings, measure_mixture
from privgan.gan.warm_start.members import Members
from privgan.gan.warm_start.mixture import ImageModel, Mixture, MixtureImages, MixtureShape

__all__ = [
    "Coordinates",
    "ImageModel",
    "Members",
    "Mixture",
    "MixtureImages",
    "MixtureSettings",
    "MixtureShape",
    "analysed",
    "cosine_basis",
    "measure_mixture",
]
