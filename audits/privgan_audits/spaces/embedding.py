"""The audit's own eyes: a small network that learns on the spot to know an image again in disguise.

It learns by contrast (NT-Xent: Chen et al. 2020, "A simple framework for contrastive learning of visual
representations"), as Dar et al. 2025 (Nature BME, 10.1038/s41551-025-01468-8) do to find copies of patients. Its
features, averaged over the 8 flips and right-angle turns, are then weighed by a linear discriminant (Fisher 1936):
what a disguise changes counts little, what tells images apart counts much. The network alone, trained as briefly
as an audit can wait, finds far fewer copies.

Of colour images it sees the luminance: another hue disguises nothing from it, and tells it nothing.

Members and non-members are pooled, without labels, in an order that the images themselves give: what is learned is
a function of the pool alone, so that the tests built on it stay exact.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from privgan.arrays import Images, Integers, Singles
from privgan.gan.networks.layers import unfilled
from privgan.gan.ranks.ranks import Ranks
from privgan.gan.ranks.rows import Arrays, in_shares
from privgan.images.geometry import luminance, pool
from privgan.images.pixels import planes
from privgan.images.stored import as_stored
from privgan.language import to_tr, tr
from privgan.progress import Progress, silent
from privgan_audits.spaces.augment import Move, Strength, disguised
from privgan_audits.spaces.descent import Adam, OneCycle, Rectifier
from privgan_audits.spaces.features import Sight
from privgan_audits.spaces.pixels import FINE
from privgan_audits.spaces.search.compared import MOST, image_digests

TASK = to_tr("learning an embedding")
DIMENSIONS = 64
CHANNELS = (16, 32, 64)  # each convolution halves the side
OUTPUTS = 128  # of the head that only training uses
BATCH = 256
TEMPERATURE = 0.1
RATE = 3e-3  # Adam, at its highest
EPOCHS = 14
LEAST_STEPS = 30
RIDGE = 0.01  # share of the mean variance under disguise that is added to each direction's
COMPARED = 2_000  # disguises, at least, that the discriminant is estimated from
STRENGTH = Strength()  # in training
WEIGHED = STRENGTH.times(0.7)  # for the discriminant, which what is typical serves better than what is extreme
STILL = Move()
VIEWS = (
    STILL,
    *(Move(down=y / FINE, right=x / FINE) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)),
    *(Move(degrees=degrees) for degrees in (-4.0, 4.0)),
    *(Move(scale=scale) for scale in (0.95, 1 / 0.95)),
)
_BLOCK = 512
_KEPT = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedding:
    """All 8 flips and right-angle turns of an image have one embedding, to float rounding.

    sight: the trained layers. centre: float32 (f,), of the features. weights: float32 (f, d).
    """

    sight: Sight
    centre: Tensor
    weights: Tensor

    @property
    def digest(self) -> bytes:
        """SHA-256 of what was learned last, and so of all: 32 bytes."""
        return hashlib.sha256(self.centre.numpy().tobytes() + self.weights.numpy().tobytes()).digest()

    def embed(self, images: Images) -> Singles:
        """Images uint8 (n, h, h, c) to float32 (n, d), rows of unit norm, or zeros."""
        return self._embedded(images, VIEWS[:1])[:, 0]

    def embed_moved(self, images: Images, ranks: Ranks | None = None) -> Singles:
        """The images as they are, and in all other `VIEWS`: float32 (n, views, d).

        ranks: among whom the images are shared out.

        What was learned forgives some of a shift, a rotation or a crop, but not all: features of every second pixel
        are not those of a picture that moved. With these views of an image, no small move is far from one of them.
        """
        return self._embedded(images, VIEWS, ranks)

    def describe(self, images: Images) -> Singles:
        """What the network sees, float32 (n, f): neither weighed by the discriminant nor brought to unit norm.

        The discriminant knows the images that it was learned from too well: others of the same kind lie nearer to the
        centre. And on the unit sphere noise lies among the patients.
        """
        return self.sight.turned(_fine(images)).numpy()

    def _embedded(self, images: Images, views: Sequence[Move], ranks: Ranks | None = None) -> Singles:
        """In the order of the images' digests, so that not even rounding depends on the order of the rows."""
        order = np.argsort(image_digests(images), kind="stable")

        def placed(share: range) -> Arrays:
            found = np.empty((len(share), len(views), self.weights.shape[1]), np.float32)
            for start in share[::_BLOCK]:
                rows = order[start : min(start + _BLOCK, share.stop)]
                fine, first = _fine(images, rows), start - share.start
                for number, view in enumerate(views):
                    seen = self.sight.turned(fine if view == STILL else view.of(fine))
                    here = F.normalize((seen - self.centre) @ self.weights).numpy()
                    found[first : first + len(rows), number] = here
            return [found]

        (found,) = in_shares(len(images), ranks, placed, step=_BLOCK)
        result = np.empty_like(found)
        result[order] = found
        return result


_TRAINED: OrderedDict[bytes, Embedding] = OrderedDict()


def train_embedding(images: Images, progress: Progress = silent) -> Embedding:
    """Learn an embedding of images uint8 (n, h, h, c), n >= 1, members' and non-members' pooled.

    One machine and one number of threads give the same bits for the same set of images, whatever their order and
    however often each occurs. Of more than MOST different images those with the smallest digests are learned from, so
    that neither steps nor memory grow further. The last two are kept, so that audits of one cohort learn once.
    """
    different, rows = np.unique(image_digests(images), return_index=True)
    digests, first = different[:MOST], rows[:MOST]
    key = hashlib.sha256(repr(as_stored(images).shape[1:]).encode() + digests.tobytes()).digest()
    if key not in _TRAINED:
        _TRAINED[key] = _learned(_fine(images, first), int.from_bytes(key[:7], "big"), progress)
    _TRAINED.move_to_end(key)
    while len(_TRAINED) > _KEPT:
        _TRAINED.popitem(last=False)
    return _TRAINED[key]


def nt_xent(views: Tensor, temperature: float) -> Tensor:
    """Equation 1 of Chen et al. 2020, averaged: rows i and i + n of views (2n, d), of unit norm, show one image."""
    count = len(views) // 2
    alike = (views @ views.T / temperature).fill_diagonal_(-torch.inf)
    return F.cross_entropy(alike, torch.arange(2 * count).roll(count))


def _fine(images: Images, rows: Integers | None = None) -> Tensor:
    """Images uint8 (n, h, h, c), or some rows of them, as float32 (n, 1, s, s) in [0, 1]."""
    chosen = np.arange(len(images)) if rows is None else rows
    fine = torch.empty(len(chosen), 1, FINE, FINE)
    for start in range(0, len(chosen), _BLOCK):
        some = images[chosen[start : start + _BLOCK]]
        fine[start : start + _BLOCK] = planes(luminance(pool(some, FINE))) / 255
    return fine


def _learned(images: Tensor, seed: int, progress: Progress) -> Embedding:
    generator = torch.Generator().manual_seed(seed)
    sight = Sight.of(_trained(images, generator, progress))
    centre, weights = _discriminant(sight, images, generator)
    return Embedding(sight=sight, centre=centre, weights=weights)


def _trained(images: Tensor, generator: torch.Generator, progress: Progress) -> nn.Sequential:
    width = CHANNELS[-1] * (FINE >> len(CHANNELS)) ** 2
    features = _features(generator)
    head = nn.Sequential(nn.BatchNorm1d(width), _filled(unfilled(nn.Linear, width, OUTPUTS), generator))
    steps = LEAST_STEPS + EPOCHS * len(images) // BATCH
    descent = Adam(parameters=[*features.parameters(), *head.parameters()])
    cycle = OneCycle(rate=RATE, steps=steps)
    for step in range(steps):
        chosen = images[torch.randperm(len(images), generator=generator)[:BATCH]]
        pairs = disguised(torch.cat([chosen, chosen]), STRENGTH, generator)
        loss = nt_xent(F.normalize(head(features(pairs))), TEMPERATURE)
        loss.backward()  # type: ignore[no-untyped-call]
        descent.descend(*cycle.at(step))
        progress(tr(TASK), step + 1, steps)
    return features.eval().requires_grad_(False)


def _features(generator: torch.Generator) -> nn.Sequential:
    """Float32 (n, 1, s, s) to (n, f); once trained, batch norm is a fixed scale, so that nothing mixes images."""
    layers: list[nn.Module] = [nn.LayerNorm([1, FINE, FINE], elementwise_affine=False)]
    for before, after in zip((1, *CHANNELS), CHANNELS, strict=False):
        size = 5 if before == 1 else 3
        layer = unfilled(nn.Conv2d, before, after, size, stride=2, padding=size // 2)
        layers += [_filled(layer, generator), nn.BatchNorm2d(after), Rectifier()]
    return nn.Sequential(*layers, nn.Flatten())


def _filled(layer: nn.Conv2d | nn.Linear, generator: torch.Generator) -> nn.Module:
    """Give a layer that has no weights yet random ones (He et al. 2015), from this generator."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    if layer.weight.dim() == 4:
        layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last)
    return layer


def _discriminant(sight: Sight, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Centre (f,) and directions (f, d): variance between images is largest beside that under disguise, made one."""
    clean = sight.turned(images)
    centre = clean.mean(0)
    within = torch.zeros(clean.shape[1], clean.shape[1])
    rounds = -(-COMPARED // len(images))
    for _ in range(rounds):
        change = sight.turned(disguised(images, WEIGHED, generator)) - clean
        within += change.T @ change / (len(images) * rounds)
    between = (clean - centre).T @ (clean - centre) / len(images)
    within += (RIDGE * within.diagonal().mean() + 1e-12) * torch.eye(len(within))
    count = max(1, min(DIMENSIONS, len(images) - 1))
    last = (len(within) - count, len(within) - 1)
    directions = scipy.linalg.eigh(between.double().numpy(), within.double().numpy(), subset_by_index=last)[1]
    return centre, torch.from_numpy(directions.astype(np.float32))
