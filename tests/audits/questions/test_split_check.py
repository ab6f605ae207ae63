"""The check of the split: members and non-members of one population are not told apart, those of two are."""

from collections.abc import Callable

import numpy as np
import pytest

from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.controls.measure import features, split_check

Draw = Callable[..., Sample]


def test_split_check_keeps_its_size(draw: Draw) -> None:
    sample = draw(np.random.default_rng(6), 300)
    p, seen = [], features(sample.images)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        side = rng.permutation(300) < 100
        p.append(split_check(seen, sample.patients, side, rng)["split_p"])
    assert np.count_nonzero(np.array(p) < 0.05) <= 10
    assert np.mean(p) == pytest.approx(0.5, abs=0.15)


def test_matched_sides_are_not_told_apart(draw: Draw) -> None:
    """Everybody has a twin on the other side: half of them, learned, points the wrong way for the other half."""
    images = draw(np.random.default_rng(9), 200, most=1).images
    seen = features(np.concatenate([images, images]))
    found = split_check(seen, np.arange(400), np.arange(400) >= 200, np.random.default_rng(0))
    assert found["split_auc"] < 0.5
    assert found["split_p"] > 0.5


@pytest.mark.parametrize("scanner", ["gamma", "noise", "blur"])
def test_split_check_sees_another_scanner(draw: Draw, scanner: str) -> None:
    rng = np.random.default_rng(7)
    sample = draw(rng, 600)
    side = rng.permutation(600) < 200
    other = side[sample.patients]
    images = sample.images.astype(float)
    changed = {
        "gamma": 255 * (images / 255) ** 0.9,
        "noise": images + rng.normal(0, 3, images.shape),
        "blur": (images + np.roll(images, 1, axis=1)) / 2,
    }[scanner]
    images = np.where(other[:, None, None, None], changed, images)
    found = split_check(features(np.clip(images, 0, 255).astype(np.uint8)), sample.patients, side, rng)
    assert found["split_p"] < 1e-6
