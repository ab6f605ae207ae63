"""Learning itself: the changes of images keep what an image is, and what was best is what is kept."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from privgan.images.pixels import planes, unit_range
from privgan_audits.spaces.descent import Adam
from privgan_uses.teaching import learning
from privgan_uses.teaching.learning import Pictures, changed, learn
from privgan_uses.teaching.network import softened, untrained
from privgan_uses.teaching.settings import GRAIN, TeachSettings


def pictures(count: int, seed: int) -> Pictures:
    """A square on the left or on the right, in noise."""
    rng, labels = np.random.default_rng(seed), np.arange(count) % 2
    images = rng.integers(0, 120, (count, 28, 28, 1))
    images[labels == 0, 8:18, 3:12] += 90
    images[labels == 1, 8:18, 16:25] += 90
    return Pictures(images=images.astype(np.uint8), labels=labels)


def test_changed_images_are_images_and_every_one_is_changed_by_itself() -> None:
    images = np.repeat(unit_range(pictures(1, 0).images), 6, axis=0)
    found = changed(images, np.random.default_rng(0))
    assert found.shape == planes(images).shape
    assert found.dtype == torch.float32
    assert bool((found.abs() <= 1 + 5 * GRAIN).all())
    assert len({part.numpy().tobytes() for part in found}) == 6
    near = np.corrcoef(planes(images).flatten(1).numpy(), found.flatten(1).numpy())[:6, 6:]
    assert near.mean() > 0.2


@pytest.mark.parametrize("side", [16, 28, 33, 96])
def test_it_looks_at_means_of_pixels(side: int) -> None:
    network = untrained(side=side, look=32, channels=3, classes=2, rng=torch.Generator().manual_seed(0))
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    seen = network.seen(images)
    assert seen.shape == (2, min(side, 32), min(side, 32), 3)
    assert np.allclose(seen.mean((1, 2)), images.mean((1, 2)) / 127.5 - 1, atol=1e-5)
    if side == 96:
        by_threes = images.reshape(2, 32, 3, 32, 3, 3).mean((2, 4)) / 127.5 - 1
        assert np.allclose(seen, by_threes, atol=1e-5)


def test_classes_count_alike_however_many_images_they_have() -> None:
    weights = Pictures(images=np.zeros((5, 28, 28, 1), np.uint8), labels=np.array([0, 0, 0, 0, 1])).weights(2)
    assert weights.tolist() == pytest.approx([1 / 8] * 4 + [1 / 2])


def test_it_learns() -> None:
    test = pictures(60, 2)
    network, steps = learn(pictures(120, 0), 2, TeachSettings(steps=24))
    chances = softened(network.logits(test.images), 1.0)[:, 1]
    assert steps == 24
    assert (chances[test.labels == 1, None] > chances[test.labels == 0]).mean() > 0.95


def test_a_clock_ends_it_with_the_rate_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second on that clock is a step; a tenth of the steps fit in."""
    seconds, rates = iter(range(100)), list[float]()
    monkeypatch.setattr(learning, "time", SimpleNamespace(monotonic=lambda: next(seconds)))

    def descend(self: Adam, rate: float, momentum: float) -> None:
        rates.append(rate)
        Adam_descend(self, rate, momentum)

    Adam_descend = Adam.descend
    monkeypatch.setattr(Adam, "descend", descend)
    _, steps = learn(pictures(40, 0), 2, TeachSettings(steps=100, minutes=10 / 60))
    assert steps == len(rates) == 10
    assert rates[-1] < max(rates) / 10 < rates[2]
