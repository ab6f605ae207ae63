"""Learning from synthetic images: changed each time, and to the end, because they cannot say when to stop.

The rate rises and falls once, and what is there at its end is kept. Synthetic images that were held back are told
apart long before patients are: whoever kept the network that did best on those lost most of a point of AUC.

Every class is drawn as often as any other: the shares of classes in a set are the hospital's choice, not what its
images teach. So the chances that come out are those of a house where every class is as frequent as any other.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.arrays import Floats, Images, Integers, Singles
from privgan.images.augmentation import Changes
from privgan.images.pixels import planes
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.descent import Adam, OneCycle
from privgan_uses.teaching.network import Network, untrained
from privgan_uses.teaching.settings import BRIGHTNESS, CHANGES, CONTRAST, GAMMA, GRAIN, TeachSettings

BATCH = 64
RATE = 3e-3  # Adam, rising and falling once (Smith and Topin 2019)
DECAY = 0.02
_TASK = to_tr("learning from synthetic images")


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """images: uint8 (n, h, h, c). labels: int64 (n,), 0..classes-1."""

    images: Images
    labels: Integers

    def weights(self, classes: int) -> Floats:
        """Float64 (n,), their sum one, that let every class that is there count alike."""
        counts = np.bincount(self.labels, minlength=classes)
        each: Floats = 1 / counts[self.labels] / np.count_nonzero(counts)
        return each


def learn(train: Pictures, classes: int, settings: TeachSettings, progress: Progress = silent) -> tuple[Network, int]:
    """Learn labels 0..classes-1; of the same pictures, settings and threads the same weights, unless a clock ends it.

    Args:
        train: what is learned from.
        classes: how many labels there are.
        settings: see there. By the clock the rate falls with the time that is left, too.
        progress: told of every step.

    Returns:
        The network, and the steps that it took.
    """
    rng, first = np.random.default_rng(settings.seed), torch.Generator().manual_seed(settings.seed)
    side, channels = train.images.shape[1], train.images.shape[3]
    network = untrained(side=side, look=settings.look, channels=channels, classes=classes, rng=first)
    descent = Adam(parameters=list(network.parameters()), decay=DECAY)
    cycle, chances, task = OneCycle(rate=RATE, steps=max(2, settings.steps)), train.weights(classes), tr(_TASK)
    started, step, place = time.monotonic(), 0, 0
    while place < settings.steps:
        rows = rng.choice(len(chances), size=BATCH, p=chances)
        seen = changed(network.seen(train.images[rows]), rng)
        loss = F.cross_entropy(network(seen), torch.from_numpy(train.labels[rows]))
        loss.backward()  # type: ignore[no-untyped-call]
        descent.descend(*cycle.at(place))
        step, place = step + 1, place + 1
        if settings.minutes is not None:
            gone = (time.monotonic() - started) / (60 * settings.minutes)
            place = max(place, int(min(1.0, gone) * settings.steps))
        progress(task, place, settings.steps)
    return network.eval(), step


def changed(images: Singles, rng: np.random.Generator) -> Tensor:
    """Images float32 (n, h, h, c) in [-1, 1] moved, turned, and taken as by another machine: float32 (n, c, h, h).

    With grain, values may lie a little beyond [-1, 1].
    """
    count = len(images)
    each = (count, 1, 1, 1)
    moved = Changes.drawn(count, rng, CHANGES).of(images, np.arange(count))
    lit = moved * (1 + rng.uniform(-CONTRAST, CONTRAST, each)) + rng.uniform(-BRIGHTNESS, BRIGHTNESS, each)
    bent = 2 * np.clip((lit + 1) / 2, 0, 1) ** np.exp(rng.uniform(-GAMMA, GAMMA, each)) - 1
    grain = rng.uniform(0, GRAIN, each) * rng.standard_normal(images.shape)
    return planes((bent + grain).astype(np.float32))
