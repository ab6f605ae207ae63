"""The small network that learns the hospital's own label from one set of images or another, or real from synthetic.

Small and brief on purpose: what is wanted is not the best classifier but the same one three times. Every training
takes the same number of steps from the same first weights, so that a larger set is not also studied for longer.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.arrays import Floats, Images, Integers
from privgan.images.geometry import pool
from privgan.images.pixels import planes
from privgan.progress import Progress, silent
from privgan_audits.questions.utility.drawing import Gathered
from privgan_audits.spaces.descent import Adam, OneCycle, rectified
from privgan_audits.spaces.pixels import FINE

STEPS = 500
BATCH = 64
CHANNELS = (16, 32, 64)  # each convolution halves the side
GROUPS = 4  # of the channels; batch norm would carry the training images' grey values into the test
RATE = 2e-3  # Adam, rising and falling once (Smith and Topin 2019)
DECAY = 0.02
SHIFT = 2  # pixels by which a batch is moved at most, so that fewer images are learned by heart
_BLOCK = 512


Look = Callable[[Images], Tensor]
"""Images uint8 (n, h, h, c) as planes float32 (n, p, s, s)."""


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """Images to learn from. images: uint8 (n, h, h, c); labels: int64 (n,), 0..classes-1; weights: float64 (n,).

    An image is drawn with its weight as chance; the weights sum to one.
    """

    images: Images | Gathered
    labels: Integers
    weights: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier:
    """Trained weights: a kernel and a bias of each layer, the last one linear. look: how images reach the first."""

    layers: tuple[tuple[Tensor, Tensor], ...]
    look: Look

    def probabilities(self, images: Images | Gathered) -> Floats:
        """Images uint8 (n, h, h, c) to the chance of each class, float64 (n, classes)."""
        return self.chances(self.seen(images))

    def seen(self, images: Images | Gathered) -> list[Tensor]:
        """Images uint8 (n, h, h, c) as they reach the first layer, some at a time."""
        return [self.look(images[start : start + _BLOCK]) for start in range(0, len(images), _BLOCK)]

    def chances(self, seen: Iterable[Tensor]) -> Floats:
        """`probabilities` of what was seen."""
        with torch.no_grad():
            logits = torch.cat([self.logits(block) for block in seen])
        return np.asarray(F.softmax(logits.double(), dim=1).numpy())

    def as_it_is(self) -> "Classifier":
        """A copy that learns no further."""
        layers = tuple((kernel.detach().clone(), bias.detach().clone()) for kernel, bias in self.layers)
        return replace(self, layers=layers)

    def logits(self, images: Tensor) -> Tensor:
        """Images float32 (n, c, s, s) to (n, classes)."""
        x = images
        for kernel, bias in self.layers[:-1]:
            x = F.conv2d(x, kernel, bias, stride=2, padding=kernel.shape[-1] // 2)
            x = rectified(F.group_norm(x, GROUPS))
        return F.linear(x.flatten(1), *self.layers[-1])


def averaged(images: Images) -> Tensor:
    """Images uint8 (n, h, h, c) as float32 (n, c, s, s) in [-1, 1], averaged down to at most `FINE` pixels."""
    return planes(pool(images, min(FINE, images.shape[1]))) / 127.5 - 1


def train_classifier(
    lessons: Lessons, classes: int, rng: np.random.Generator, task: str, progress: Progress = silent
) -> Classifier:
    """Learn labels 0..classes-1 by `STEPS` steps of `BATCH` images; deterministic given `rng` and threads."""
    for step, network in enumerate(learning(lessons, classes, rng, averaged, steps=STEPS), start=1):
        progress(task, step, STEPS)
        learned = network
    return learned


def learning(
    lessons: Lessons, classes: int, rng: np.random.Generator, look: Look, *, steps: int, first: int = 0
) -> Iterator[Classifier]:
    """One network after each of `steps` steps, for whoever wants to stop before the last.

    Args:
        lessons: what is learned.
        classes: how many labels there are.
        rng: of the draws and of where images are moved.
        look: how images reach the network.
        steps: how long; at least 11, for a rate that rises and falls.
        first: which random weights the network begins with.
    """
    draws = rng.choice(len(lessons.images), size=(steps, BATCH), p=lessons.weights)
    used, place = np.unique(draws, return_inverse=True)  # so that the cost does not grow with the cohort
    images, labels = _looked_at(lessons.images, used, look), torch.from_numpy(lessons.labels[used])
    network = Classifier(layers=_untrained(images.shape[-1], classes, images.shape[1], first), look=look)
    descent = Adam(parameters=[parameter for layer in network.layers for parameter in layer], decay=DECAY)
    cycle = OneCycle(rate=RATE, steps=steps)
    for step, rows in enumerate(torch.from_numpy(place.reshape(steps, BATCH))):
        down, right = rng.integers(-SHIFT, SHIFT + 1, 2).tolist()
        moved = torch.roll(images[rows], (down, right), (2, 3))
        loss = F.cross_entropy(network.logits(moved), labels[rows])
        loss.backward()  # type: ignore[no-untyped-call]
        descent.descend(*cycle.at(step))
        yield network


def _looked_at(images: Images | Gathered, rows: Integers, look: Look) -> Tensor:
    """What a look makes of some images, a few at a time: of large ones it is much less than they are."""
    first = look(images[rows[:_BLOCK]])
    every = first.new_empty((len(rows), *first.shape[1:]))
    every[: len(first)] = first
    for start in range(_BLOCK, len(rows), _BLOCK):
        every[start : start + _BLOCK] = look(images[rows[start : start + _BLOCK]])
    return every


def _untrained(side: int, classes: int, channels: int, first: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """Random weights (He et al. 2015), of one seed the same ones every time."""
    generator = torch.Generator().manual_seed(first)
    shapes: list[tuple[int, ...]] = []
    for before, after in zip((channels, *CHANNELS), CHANNELS, strict=False):
        size = 5 if before == channels else 3
        shapes.append((after, before, size, size))
        side = -(-side // 2)
    shapes.append((classes, CHANNELS[-1] * side**2))
    return tuple(_layer(shape, generator) for shape in shapes)


def _layer(shape: tuple[int, ...], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    kernel, bias = torch.empty(shape), torch.zeros(shape[0])
    torch.nn.init.kaiming_normal_(kernel, nonlinearity="relu", generator=generator)
    if kernel.dim() == 4:
        kernel = kernel.contiguous(memory_format=torch.channels_last)
    return kernel.requires_grad_(), bias.requires_grad_()
