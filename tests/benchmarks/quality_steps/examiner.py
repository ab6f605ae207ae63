"""The small network that the field examines synthetic pictures with: it learns from them and is tested on real ones.

The protocol and the network are those of "Private GANs, Revisited" (Bie, Kamath and Zhang 2023): two 3 x 3
convolutions of 32 and 64 channels, maximum over 2 x 2, dropout 1/4, 128 units, dropout 1/2; Adam at 1e-3, 64
pictures a step, 10 epochs. The epoch is chosen on a tenth of the *learned-from* pictures that is held out; real test
pictures are looked at once, at the end. Pictures larger than 32 pixels have one more maximum after the first
convolution. There is no augmentation.
"""

import sys
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from privgan.arrays import Images, Integers

RATE = 1e-3
BATCH = 64
HELD_OUT = 0.1
LARGE = 32  # pixels a side, above which a second maximum is taken
_EXAMINED_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Grade:
    """On real test pictures. auc: one class against the rest, averaged over the classes; nan without two classes.

    epoch: the chosen one, from 1. marks_gap: by how much the accuracy on held-out pictures of what was learned from
    exceeds that on test pictures, each class counting alike. minutes: of learning and examination.
    """

    accuracy: float
    marks_gap: float
    auc: float
    epoch: int
    minutes: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """images: uint8 (n, h, h); labels: int64 (n,), 0..classes-1."""

    images: Images
    labels: Integers

    def part(self, rows: Integers) -> "Pictures":
        """Some of them."""
        return Pictures(images=self.images[rows], labels=self.labels[rows])


def examine(learned: Pictures, test: Pictures, classes: int, *, seed: int, epochs: int, task: str) -> Grade:
    """Learn from one set, choose the epoch on a part of it, and be tested once on the other.

    Args:
        learned: what is learned from.
        test: real pictures.
        classes: how many there are.
        seed: of first weights, order, dropout and the part that is held out.
        epochs: how often every picture is seen.
        task: what to call it in the progress on stderr.
    """
    started = time.perf_counter()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        rows = np.random.default_rng(seed).permutation(len(learned.images))
        cut = max(1, round(HELD_OUT * len(rows)))
        network = build(learned.images.shape[1], classes)
        epoch = _learn(network, learned.part(rows[cut:]), learned.part(rows[:cut]), epochs, task)
    chances, own = probabilities(network, test.images), learned.part(rows[:cut])
    return Grade(
        accuracy=float((chances.argmax(axis=1) == test.labels).mean()),
        marks_gap=balanced(probabilities(network, own.images), own.labels) - balanced(chances, test.labels),
        auc=mean_auc(chances, test.labels),
        epoch=epoch,
        minutes=(time.perf_counter() - started) / 60,
    )


def build(size: int, classes: int) -> nn.Sequential:
    """Maximum before rectifier: the same numbers as after it, at a quarter of the cost."""
    large = size > LARGE
    inner = (size - 2) // 2 if large else size - 2
    side = (inner - 2) // 2
    network = nn.Sequential(
        nn.Conv2d(1, 32, 3),
        *([nn.MaxPool2d(2)] if large else []),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64 * side**2, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, classes),
    )
    return network.to(memory_format=torch.channels_last)


def probabilities(network: nn.Module, images: Images) -> np.ndarray:
    """The chance of each class, float64 (n, classes)."""
    network.eval()
    with torch.inference_mode():
        blocks = [network(_prepared(part)) for part in torch.from_numpy(images).split(_EXAMINED_AT_ONCE)]
        return F.softmax(torch.cat(blocks).double(), dim=1).numpy()


def balanced(chances: np.ndarray, labels: Integers) -> float:
    """The accuracy of each class that is there, averaged."""
    right = chances.argmax(axis=1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


def mean_auc(chances: np.ndarray, labels: Integers) -> float:
    """Over the classes that the test pictures show."""
    there = np.unique(labels)
    if len(there) < 2:
        return float("nan")
    return float(np.mean([roc_auc_score(labels == label, chances[:, label]) for label in there]))


def _learn(network: nn.Module, learned: Pictures, held_out: Pictures, epochs: int, task: str) -> int:
    """Leave the network as it was after the epoch that did best on held-out pictures; returns that epoch."""
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    images, labels = torch.from_numpy(learned.images), torch.from_numpy(learned.labels)
    best, chosen, weights = -1.0, 0, network.state_dict()
    for epoch in range(1, epochs + 1):
        network.train()
        for rows in torch.randperm(len(images)).split(BATCH):
            loss = F.cross_entropy(network(_prepared(images[rows])), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        right = float((probabilities(network, held_out.images).argmax(axis=1) == held_out.labels).mean())
        print(f"{task}: epoch {epoch} of {epochs}, held out {right:.3f}", file=sys.stderr, flush=True)
        if right > best:
            best, chosen = right, epoch
            weights = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(weights)
    return chosen


def _prepared(images: Tensor) -> Tensor:
    """uint8 (n, h, h) to float32 (n, 1, h, h) in [0, 1]."""
    return (images[:, None].float() / 255).contiguous(memory_format=torch.channels_last)
