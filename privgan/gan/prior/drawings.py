"""What a private warm start would draw if its patients were public images: its own kind of error to learn from.

A network that only ever saw clean images blurred would leave every blotch that noise paints, or add detail to it.
Here the same queries are asked of public images, in the place of a few hundred to a few thousand patients, and
answered with the noise of a planned epsilon; what follows from the answers is drawn. Nothing private is read.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.checks import positive
from privgan.dp.plan import calibrate_queries
from privgan.dp.sampling import PatientIndex
from privgan.gan.randomness import Randomness
from privgan.gan.training.members import Members
from privgan.gan.training.settings import TrainSettings
from privgan.gan.warm_start import MixtureImages, MixtureShape
from privgan.gan.warm_start.measure import measure_mixture
from privgan.images.form import ImageForm
from privgan.progress import Progress, silent

TASK = "drawing as a warm start would"
DELTA = 1e-5
# Times the planned epsilon and the planned patients: a hospital's are known roughly, and its classes differ in size.
_AROUND = ((1.0, 1.0), (1.0, 2.0), (3.0, 1.0), (1 / 3, 1.0))
_AT_ONCE = 250


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The trainings that a prior is learned for: their epsilon, and patients a class."""

    epsilon: float = 3.0
    patients: int = 1000

    def __post_init__(self) -> None:
        positive(epsilon=self.epsilon, patients=self.patients)


def drawings(
    images: NDArray[np.uint8],
    settings: TrainSettings,
    planned: Planned,
    *,
    count: int,
    seed: int,
    progress: Progress = silent,
) -> Tensor:
    """So many images (count, channels, side, side) in [-1, 1], drawn from several such warm starts.

    Args:
        images: public ones, uint8 (n, h, h, c), each a patient's only one.
        settings: of the warm start.
        planned: how much noise.
        count: a multiple of how many warm starts there are is drawn, at least this.
        seed: all chance comes from here: the noise protects nobody.
        progress: told of each warm start.
    """
    rng, found = np.random.default_rng(seed), []
    for number, (more, larger) in enumerate(_AROUND):
        patients = min(len(images), round(planned.patients * larger))
        rows = np.sort(rng.permutation(len(images))[:patients])
        randomness = Randomness.of(seed * len(_AROUND) + number)
        found.append(
            _warm_start(images[rows], settings, planned.epsilon * more, -(-count // len(_AROUND)), randomness)
        )
        progress(TASK, number + 1, len(_AROUND))
    return torch.cat(found)


def _warm_start(
    images: NDArray[np.uint8], settings: TrainSettings, epsilon: float, count: int, randomness: Randomness
) -> Tensor:
    form = replace(ImageForm.of(images), classes=("public",))
    shape = MixtureShape.of(settings.warm_start, form, factors=settings.model.latent)
    patients = Members(
        images=images,
        labels=np.zeros(len(images), dtype=np.int64),
        index=PatientIndex.of(np.arange(len(images)), np.arange(len(images))),
        settings=settings,
        device=torch.device("cpu"),
        rng=randomness.secret,
    )
    noise = calibrate_queries(epsilon, DELTA, settings.warm_start.noise_ratios)
    start = MixtureImages(shape)
    start.fill(measure_mixture(patients, settings.warm_start, noise, shape, randomness))
    drawn = []
    with torch.no_grad():
        for some in range(0, count, _AT_ONCE):
            z = torch.randn(min(_AT_ONCE, count - some), shape.latent, generator=randomness.public)
            drawn.append(start(z, torch.zeros(len(z), dtype=torch.int64)))
    return torch.cat(drawn)
