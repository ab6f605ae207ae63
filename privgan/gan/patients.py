"""What may be asked of patients: two kinds of questions, answered with sums that no patient moves far.

Whoever holds real images answers; whoever trains adds noise to the answers and sees nothing else. Another holder is
another class with the same two methods: several processes, say. What parts of the patients answer adds up to what all
of them would, when one part alone is given the fakes. Holders who trust nobody with exact sums add the noise
themselves: several hospitals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from privgan.dp.noise import released
from privgan.dp.query import symmetric

if TYPE_CHECKING:
    from privgan.dp.clipping.patient_gradients import PatientGradients

# (images (n, channels, h, w) in [-1, 1] or what was made of them, labels int64 (n,)) -> (vectors (n, d), cells (n,));
# of a query of records (n, 1 + columns) int64 in the labels' place: the class, then the code of each declared column.
Describe = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
ImageLosses = Callable[[Tensor, Tensor], Tensor]  # (scores (n,), targets (n,), +1 real and -1 fake) -> losses (n,)


@dataclass(frozen=True, kw_only=True, eq=False)
class DescribedQuery:
    """Everybody's images as vectors, added up by cell; every one is scaled down to norm 1 where it is longer.

    describe: turns images into vectors of so many dimensions and says in which of the cells each is added. products:
    ask for sums of v v^T instead of sums of v. records: hand records to `describe`, not labels alone.
    """

    describe: Describe
    cells: int
    dimensions: int
    products: bool = False
    records: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """Of the sums."""
        d = self.dimensions
        return self.cells, d * (d + 1) // 2 if self.products else d


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientQuery:
    """The clipped gradients of one Poisson draw, added up, with those of images of nobody beside them.

    critic: its output for (images, told) is a score (n,). losses: per image; none may influence another's.
    fakes: (n, channels, h, w) in [-1, 1], always as many, each clipped like a patient. told: what the critic hears of
    each, labels int64 (n,) or records (n, 1 + columns); of patients' images it hears the same.
    rate: at which every member is drawn. clipping_norm: C, the most that one patient adds.
    """

    critic: "PatientGradients"
    losses: ImageLosses
    fakes: Tensor
    told: Tensor
    rate: float
    clipping_norm: float


def classes_of(told: Tensor) -> Tensor:
    """Labels (n,), of labels or of records (n, 1 + columns)."""
    return told if told.dim() == 1 else told[:, 0]


class Patients(Protocol):
    """Whoever holds the members' images. Draws, augmentation, bounds and clipping are theirs; noise is not."""

    def described_sums(self, query: DescribedQuery) -> Tensor:
        """Exact sums, float64, that one patient moves by at most 1 in the Euclidean norm.

        (cells, dimensions); of products (cells, dimensions x (dimensions + 1) / 2), for `dp.query.symmetric`.
        """

    def clipped_gradients(self, query: GradientQuery) -> list[Tensor]:
        """Exact sums, float64, one for each of the critic's trainable parameters, of a fresh draw.

        Together one patient moves them by at most the clipping norm.
        """


@runtime_checkable
class NoisyPatients(Protocol):
    """Whoever answers with noise in the answer, and hands out no exact sum: several hospitals together."""

    def noisy_sums(self, query: DescribedQuery, noise: float) -> Tensor:
        """As `Patients.described_sums`, plus N(0, noise^2) on every number.

        noise: what whoever asks takes the answer to bear, to be checked; what is added was agreed on before.
        """


Everybody = Patients | NoisyPatients


def ask(patients: Everybody, query: DescribedQuery, *, noise: float, rng: np.random.Generator) -> Tensor:
    """The released answer to a query of every member: what they say plus N(0, noise^2).

    Returns:
        float64 (cells, dimensions), or (cells, dimensions, dimensions) of products.
    """
    if isinstance(patients, NoisyPatients):
        answer = patients.noisy_sums(query, noise)
    else:
        (answer,) = released([patients.described_sums(query)], bound=1.0, noise=noise, rng=rng)
    return symmetric(answer, query.dimensions) if query.products else answer
