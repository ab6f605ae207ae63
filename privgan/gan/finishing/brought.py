"""Public images brought to what patients are like: their places, proportions, light and strength of detail.

A network that learned from adults finishes a child as an adult. What the noisy sums said of the patients says how a
public image would have to change: its coordinates go through the linear map that leads public images' Gaussian to
that of a class with the least change (Monge's map between Gaussians; Olkin and Pukelsheim 1982; as Sun, Feng and
Saenko 2016 align domains), what the coordinates do not say of it moves along with its parts, and its detail becomes
as strong as theirs. From such images the network learns once more. Nothing here is asked of anybody.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from privgan.gan.effects.odds import Odds
from privgan.gan.finishing.drawings import Described
from privgan.gan.finishing.gaussians import covariance_of, described_alike, means_of, power
from privgan.gan.finishing.learning import Material
from privgan.gan.networks.strengths import Strengths
from privgan.gan.warm_start import MixtureImages
from privgan.gan.warm_start.strength import DetailBands
from privgan.images.blocks import at_once
from privgan.images.pixels import from_uint8
from privgan.progress import Progress, silent

_AT_ONCE = 250
_RIDGE = 0.01  # of the mean variance, added to all of them: no direction is blown up that public images hardly have


@dataclass(frozen=True, kw_only=True, eq=False)
class Released:
    """What is known of the patients. start: what their warm start draws. counts: (classes,), patients as released.

    powers: (classes, numbers), logarithms of the power of their detail in `bands`, as released. odds: of their
    records, if they have any.
    """

    start: MixtureImages
    counts: Tensor
    bands: DetailBands
    powers: Tensor
    odds: Odds | None = None


def brought(
    images: NDArray[np.uint8], patients: Released, torch_rng: torch.Generator, progress: Progress = silent
) -> Material:
    """Public images, uint8 (n, h, h, c), each brought to one of the patients' classes, in these classes' shares."""
    start, shape = patients.start, patients.start.shape
    labels = torch.multinomial(patients.counts, len(images), replacement=True, generator=torch_rng)
    means = means_of(start)
    public = described_alike(images, start, patients.counts, progress)
    spread, found = torch.cov(public.own.double().T), torch.empty_like(public.own)
    for label, mean in enumerate(means):
        own = covariance_of(start, label) + _of_records(patients, label)
        led = _monge(spread, own).float()
        found[labels == label] = mean + (public.own[labels == label] - public.own.mean(0)) @ led
    described = Described(coordinates=shape.coordinates, own=found, fine=start.fine, bend=shape.bend)
    made = torch.empty(len(images), images.shape[3], *images.shape[1:3])
    for rows in _parts(made):
        before, after = public.own[rows], found[rows]
        left = from_uint8(images[rows]) - public.drawn(before)
        made[rows] = described.drawn(after) + shape.coordinates.carried(left, before, after)
    _make_as_strong(made, labels, patients)
    return Material(shown=lambda rows: made[rows], described=described)


def _of_records(patients: Released, label: int) -> Tensor | float:
    """What records add to a class's covariance, float64 (m, m); nothing without them."""
    if patients.odds is None:
        return 0.0
    effects = patients.start.effects.double()
    return effects.T @ patients.odds.covariance(label).to(effects) @ effects


def _monge(first: Tensor, then: Tensor) -> Tensor:
    """The symmetric map (m, m) from N(0, first) to N(0, then) that moves least."""
    ridged = first + _RIDGE * first.diagonal().mean() * torch.eye(len(first), dtype=first.dtype)
    root, back = power(ridged, 0.5), power(ridged, -0.5)
    return back @ power(root @ then @ root, 0.5) @ back


def _make_as_strong(images: Tensor, labels: Tensor, patients: Released) -> None:
    """Make the detail of each class as strong as its patients' is; changes `images`."""
    classes = len(patients.counts)
    drawn = torch.cat([patients.bands.powers(images[rows]) for rows in _parts(images)])
    mean = torch.stack([drawn[labels == label].mean(0) for label in range(classes)])
    strengths = Strengths(patients.bands, classes)
    strengths.fill(patients.powers, torch.where(mean.isfinite(), mean, patients.powers))  # a class may have got none
    for rows in _parts(images):
        images[rows] = strengths(images[rows], labels[rows]).clamp(-1.0, 1.0)


def _parts(images: Tensor) -> Iterator[slice]:
    size = at_once(_AT_ONCE, images.shape[-1])
    return (slice(start, start + size) for start in range(0, len(images), size))
