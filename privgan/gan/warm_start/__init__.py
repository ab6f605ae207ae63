"""Where a generator starts: mixtures of Gaussians, and how images are drawn from them; who measures them says so."""

from privgan.gan.image_model import ImageModel
from privgan.gan.warm_start.coordinates import Coordinates
from privgan.gan.warm_start.cosines import analysed, cosine_basis
from privgan.gan.warm_start.mixture import Mixture, MixtureImages, MixtureShape

__all__ = [
    "Coordinates",
    "ImageModel",
    "Mixture",
    "MixtureImages",
    "MixtureShape",
    "analysed",
    "cosine_basis",
]
