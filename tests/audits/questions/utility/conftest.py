"""A population whose label can be seen: half of the patients have a bright spot, on the left or on the right."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from privgan.images.stored import with_channels
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.spaces import embedding

Labelled = Callable[..., Sample]
Gather = Callable[..., Evidence]


@pytest.fixture(scope="module", autouse=True)
def learned_well_enough(briefly_trained: None) -> Iterator[None]:
    """Variety is measured in what the network sees, so that it has to see something."""
    before, embedding.LEAST_STEPS = embedding.LEAST_STEPS, 30
    yield
    embedding.LEAST_STEPS = before


@pytest.fixture(scope="session")
def labelled(draw: Callable[..., Sample]) -> Labelled:
    """Call with rng, patients, first=0: as `draw`, with labels 0 and 1 that a spot in the image shows."""
    down, right = np.mgrid[:32, :32]
    spots = np.stack([40 * np.exp(-((down - 16) ** 2 + (right - x) ** 2) / 18) for x in (8, 24)])

    def make(rng: np.random.Generator, patients: int, first: int = 0) -> Sample:
        sample = draw(rng, patients, first)
        labels = rng.integers(0, 2, patients)[sample.patients - first]
        images = np.clip(np.rint(sample.images + with_channels(spots[labels])), 0, 255).astype(np.uint8)
        return dataclasses.replace(sample, images=images, labels=labels)

    return make


@pytest.fixture(scope="session")
def gather(weigh: Callable[..., Evidence]) -> Gather:
    """Call with members, non_members, synthetic, classes=(...): evidence whose synthetic set has labels."""

    def make(
        members: Sample, others: Sample | None, synthetic: Sample, classes: tuple[str, ...] = ("left", "right")
    ) -> Evidence:
        evidence = weigh(members, others, synthetic.images)
        numbered = dataclasses.replace(synthetic, patients=np.arange(len(synthetic.images)), columns={})
        return dataclasses.replace(evidence, synthetic=numbered, classes=classes)

    return make
