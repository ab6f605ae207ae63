"""How close the generator can come to an image when an attacker steers it: its latents are searched for.

A generator that learned a patient by heart can draw them, if asked for the right z (Chen et al. 2020, "GAN-Leaks",
the white-box attack). The search starts at the closest of many random images and descends from there.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from privgan.arrays import Floats, Images, Integers
from privgan.gan.networks import Generator, LoadedGenerator, fakes_at_once
from privgan.gan.patients import classes_of
from privgan.images.pixels import from_uint8
from privgan.language import to_tr, tr
from privgan.memory import hand_back_freed_memory
from privgan.progress import Progress, silent
from privgan_audits.spaces.descent import Adam
from privgan_audits.spaces.pixels import FINE

TASK = to_tr("inverting the generator")
DRAWS = 2048  # random images, shared by all classes
STEPS = 20
RATE, MOMENTUM = 0.3, 0.6  # Adam; 30 steps of 0.2 with its usual 0.9 came no closer: they overshoot
AT_64_PIXELS = 400  # images that are inverted, in 10 s of one core; with four times the pixels a quarter
FEWEST = 64
_SMALLEST_NORM = 1e-6


@dataclass(frozen=True, kw_only=True)
class Inverted:
    """Distance (n,) of each image to the closest random image of its class, and to the closest that was found."""

    start: Floats
    end: Floats


def affordable(size: int) -> int:
    """How many images of `size` pixels a side are inverted."""
    return max(FEWEST, AT_64_PIXELS * 64**2 // size**2)


def rows_in_turn(owner: Integers, digests: NDArray[np.bytes_], turn: Integers) -> Integers:
    """All rows, one of each patient first, then a second of each who has one, and so on.

    Args:
        owner: patient of each row (n,).
        digests: of the images (n,), which order those of one patient.
        turn: when each patient's turn comes (P,).
    """
    by_patient = np.lexsort((digests, turn[owner]))
    turns = turn[owner][by_patient]
    place = np.arange(len(turns)) - np.searchsorted(turns, turns)
    return by_patient[np.lexsort((turns, place))]


def invert(
    generator: LoadedGenerator,
    images: Images,
    told: Integers,
    rng: np.random.Generator,
    progress: Progress = silent,
) -> Inverted:
    """How near G(z, y) comes to each image x with label or record y, over all z: as far as Adam gets in STEPS.

    The distance is that of `spaces.pixels` without turns and shifts: Euclidean, brightness and contrast removed.
    What comes out does not depend on the number of threads.

    Args:
        generator: whose weights are read and left alone.
        images: uint8 (n, h, h, c), of the generator's shape.
        told: labels int64 (n,), or the patients' own records (n, 1 + columns), if it draws what those say.
        rng: draws the starting points.
        progress: listener.
    """
    network, few = generator.network.requires_grad_(False), fakes_at_once(images.shape[1])
    parts: list[Inverted] = []
    with _side_by_side() as workers:
        search = _Search.of(network, told.reshape(len(told), -1)[:, 0], rng, workers)
        pieces = [(images[at : at + few], told[at : at + few]) for at in range(0, len(images), few)]
        for done, part in enumerate(workers.map(search.descend, *zip(*pieces, strict=True)), start=1):
            parts.append(part)
            progress(tr(TASK), done, len(pieces))
    hand_back_freed_memory()  # of the workers, which nobody else would use
    return Inverted(
        start=np.concatenate([part.start for part in parts]), end=np.concatenate([part.end for part in parts])
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Search:
    """Where searches start: latents (m, latent) with labels (m,), and what the network draws from them (m, d).

    Of a network that draws what records say, the average record of a class; the way down is of the patient's own.
    """

    network: Generator
    z: Tensor
    y: Tensor
    drawn: Tensor

    @classmethod
    def of(cls, network: Generator, labels: Integers, rng: np.random.Generator, workers: Executor) -> "_Search":
        """As many random images of each class that is among the labels."""
        z = torch.from_numpy(rng.standard_normal((DRAWS, network.config.latents), dtype=np.float32))
        y = torch.from_numpy(np.resize(np.unique(labels), DRAWS))

        few = fakes_at_once(network.config.form.side)

        def draw(z: Tensor, y: Tensor) -> Tensor:
            with torch.no_grad():
                return _compared(network(z, y))

        drawn = workers.map(draw, torch.split(z, few), torch.split(y, few))
        return cls(network=network, z=z, y=y, drawn=torch.cat(list(drawn)))

    def descend(self, images: Images, told: Integers) -> Inverted:
        """The first and the smallest distance on each image's way down, which no other image of them changes."""
        wanted, y = _compared(from_uint8(images)), torch.from_numpy(told)
        alike = torch.where(self.y == classes_of(y)[:, None], wanted @ self.drawn.T, -torch.inf)
        z = self.z[alike.argmax(dim=1)].requires_grad_()
        descent, found = Adam(parameters=[z]), []
        for _ in range(STEPS):
            squares = (_compared(self.network(z, y)) - wanted).square().sum(1)
            found.append(_roots(squares))
            torch.autograd.backward(squares.sum())
            descent.descend(RATE, MOMENTUM)
        with torch.no_grad():  # from where the last step led, none follows
            found.append(_roots((_compared(self.network(z, y)) - wanted).square().sum(1)))
        return Inverted(start=found[0], end=np.min(found, axis=0))


def _roots(squares: Tensor) -> Floats:
    return np.asarray(squares.detach().double().sqrt().numpy())


@contextmanager
def _side_by_side() -> Iterator[Executor]:
    """As many workers as torch has threads, each on one: threads that share a small step wait more than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as workers:
            yield workers
    finally:
        torch.set_num_threads(threads)


def _compared(images: Tensor) -> Tensor:
    """Images (n, 1 or 3, h, h) as vectors of norm one, each channel around zero; constant ones are zeros.

    At most FINE pixels a side.
    """
    fine = F.adaptive_avg_pool2d(images, min(FINE, images.shape[-1])).flatten(2)
    return F.normalize((fine - fine.mean(2, keepdim=True)).flatten(1), eps=_SMALLEST_NORM)
