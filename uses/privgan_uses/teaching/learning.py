"""Learning from synthetic images: changed a little each time; what is kept is what images that it never saw say.

The rate rises and falls once over all steps. To end it early, while the rate is high, was worse than to go through
and keep the best of what was looked at on the way.

Every class is drawn as often as any other: the shares of classes in a set are the hospital's choice, not what its
images teach. So the chances that come out are those of a house where every class is as frequent as any other.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from privgan.arrays import Floats, Images, Integers, Singles
from privgan.images.augmentation import Changes
from privgan.images.pixels import planes
from privgan.language import tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.descent import Adam, OneCycle
from privgan_uses.teaching.network import Network, untrained
from privgan_uses.teaching.settings import BRIGHTNESS, CHANGES, CONTRAST, GAMMA, GRAIN, TeachSettings

BATCH = 64
RATE = 3e-3  # Adam, rising and falling once (Smith and Topin 2019)
DECAY = 0.02
LOOKS = 24  # at the validation images, over all steps


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """The network as it was at its best. steps: until then. loss: of the validation images there, in nats."""

    network: Network
    steps: int
    loss: float


def learn(
    train: Pictures, validation: Pictures, classes: int, settings: TeachSettings, progress: Progress = silent
) -> Learned:
    """Learn labels 0..classes-1; the same weights for the same pictures, settings and threads.

    Args:
        train: what is learned from.
        validation: what is only looked at, to keep the best network and to stop.
        classes: how many labels there are.
        settings: see there.
        progress: told of every step.
    """
    rng, first = np.random.default_rng(settings.seed), torch.Generator().manual_seed(settings.seed)
    side, channels = train.images.shape[1], train.images.shape[3]
    network = untrained(side=side, look=settings.look, channels=channels, classes=classes, rng=first)
    best, task = Learned(network=network, steps=0, loss=float("inf")), tr("learning from synthetic images")
    weights: dict[str, Tensor] = {}
    started = time.monotonic()
    for step, _ in enumerate(_steps(network, train, classes, settings.steps, rng), start=1):
        progress(task, step, settings.steps)
        late = settings.minutes is not None and time.monotonic() - started > 60 * settings.minutes
        if step % max(1, settings.steps // LOOKS) and step < settings.steps and not late:
            continue
        loss = validation_loss(network, validation, classes)
        if loss < best.loss:
            best = Learned(network=network, steps=step, loss=loss)
            weights = {name: value.clone() for name, value in network.state_dict().items()}
        if late:
            break
    network.load_state_dict(weights)
    network.eval()
    return best


def validation_loss(network: Network, pictures: Pictures, classes: int) -> float:
    """Cross-entropy in nats, every class counting alike."""
    each = F.cross_entropy(network.logits(pictures.images), torch.from_numpy(pictures.labels), reduction="none")
    return float(each.numpy() @ pictures.weights(classes))


def _steps(network: Network, train: Pictures, classes: int, steps: int, rng: np.random.Generator) -> Iterator[None]:
    """Take one step after another."""
    descent = Adam(parameters=list(network.parameters()), decay=DECAY)
    cycle, chances = OneCycle(rate=RATE, steps=max(2, steps)), train.weights(classes)
    for step in range(steps):
        rows = rng.choice(len(chances), size=BATCH, p=chances)
        loss = F.cross_entropy(
            network(changed(network.seen(train.images[rows]), rng)), torch.from_numpy(train.labels[rows])
        )
        loss.backward()  # type: ignore[no-untyped-call]
        descent.descend(*cycle.at(step))
        yield


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
