"""What a private warm start would draw if its patients were public images: its own kind of error to learn from.

A warm start keeps the directions in which its patients vary most, and draws all others as grain, each by itself. A
network that only ever saw blurred images would add detail to the blotches which that makes. So public images are
described as patients are, without noise, as many directions are kept as explain a part of how they vary, and what
follows is drawn. Of chest X-rays at epsilon 3 a warm start of 3,274 patients kept 81 % of what their images vary by.
"""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.dp.sampling import PatientIndex
from privgan.gan.randomness import Randomness
from privgan.gan.training.members import Members
from privgan.gan.training.settings import TrainSettings
from privgan.gan.warm_start import Mixture, MixtureImages, MixtureShape
from privgan.gan.warm_start.measure import measure_mixture, with_tones
from privgan.gan.warm_start.shrinkage import by_band
from privgan.images.form import ImageForm
from privgan.progress import Progress, silent

TASK = "drawing as a warm start would"
_KEPT = (0.85, 0.92)  # parts of the variance that the kept directions explain
_NO_NOISE = 1e-3  # a noise multiplier: nobody is to be protected
_WIDE = 2.0  # times the radius that patients are clipped to: public images are as different as they are
_AT_ONCE = 250


def drawings(
    images: NDArray[np.uint8], settings: TrainSettings, *, count: int, seed: int, progress: Progress = silent
) -> Tensor:
    """So many images (count, channels, side, side) in [-1, 1], drawn as warm starts would.

    Args:
        images: public ones, uint8 (n, h, h, c), each a patient's only one.
        settings: of the warm start; one Gaussian is measured.
        count: how many to draw.
        seed: all chance comes from here.
        progress: told of each part.
    """
    randomness = Randomness.of(seed)
    start = replace(settings.warm_start, components=1, spread_radius=_WIDE * settings.warm_start.spread_radius)
    form = replace(ImageForm.of(images), classes=("public",))
    shape = MixtureShape.of(start, form, factors=settings.model.latent)
    everybody = np.arange(len(images))
    patients = Members(
        images=images,
        labels=np.zeros(len(images), dtype=np.int64),
        index=PatientIndex.of(everybody, everybody),
        settings=settings,
        device=torch.device("cpu"),
        rng=randomness.secret,
    )
    progress(TASK, 0, len(_KEPT) + 1)
    whole = measure_mixture(patients, start, (_NO_NOISE,) * len(start.noise_ratios), shape, randomness)
    found = []
    for number, part in enumerate(_KEPT, start=1):
        progress(TASK, number, len(_KEPT) + 1)
        some = len(range(number - 1, count, len(_KEPT)))
        found.append(_drawn(cut(whole, shape, part), shape, some, randomness.public))
    progress(TASK, len(_KEPT) + 1, len(_KEPT) + 1)
    return torch.cat(found)


def cut(whole: Mixture, shape: MixtureShape, part: float) -> Mixture:
    """The mixture with so few directions that they explain this part of its variance; the others become grain."""
    powers = whole.loadings.square().sum((0, 1, 2))
    needed = part * (powers.sum() + whole.grain.square().sum())
    kept = int((powers.cumsum(0) < needed).sum()) + 1
    loadings = whole.loadings.clone()
    loadings[..., kept:] = 0
    left = whole.grain.square() + whole.loadings[..., kept:].square().sum(-1)
    bands = shape.coordinates.varying.bands
    grain = (by_band(left[:, 0], bands) / torch.bincount(bands))[:, None, bands].sqrt()
    return replace(whole, loadings=loadings, grain=grain)


def _drawn(mixture: Mixture, shape: MixtureShape, count: int, torch_rng: torch.Generator) -> Tensor:
    start = MixtureImages(shape)
    start.fill(with_tones(mixture, shape, torch_rng))
    drawn = []
    with torch.no_grad():
        for some in range(0, count, _AT_ONCE):
            z = torch.randn(min(_AT_ONCE, count - some), shape.latent, generator=torch_rng)
            drawn.append(start(z, torch.zeros(len(z), dtype=torch.int64)))
    return torch.cat(drawn)
