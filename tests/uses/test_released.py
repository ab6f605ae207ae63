"""Only what was released, and is what it was, is learned from; what its officer permitted travels along."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from privgan.errors import IntegrityError, UsageError
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_uses.released import Released, open_released
from tests.audits.releasing import TODAY, Gate, make_released


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_released(tmp_path_factory.mktemp("gate"))


def opened(site: Gate, *bundles: Path) -> Released:
    return open_released(bundles, [site.root / "site.pub"], today=TODAY)


def test_images_and_what_their_signature_says(site: Gate) -> None:
    found, held = opened(site, site.root / "bundle"), open_synthetic_set(site.root / "synthetic")
    assert (found.images[..., 0] == held.images).all()
    assert (found.labels == held.labels).all()
    assert found.form == held.manifest.form
    (origin,) = found.origins
    assert origin.set_sha256 == held.sha256
    assert (origin.run_id, origin.cohort_id) == (held.manifest.run_id, held.manifest.cohort_id)
    assert origin.spend == held.manifest.spend
    assert origin.images == len(held.images)
    assert origin.purpose
    assert origin.until >= TODAY.isoformat()


def test_several_sets_lie_one_after_the_other(site: Gate) -> None:
    one, two = opened(site, site.root / "bundle"), opened(site, site.root / "bundle", site.root / "bundle")
    assert np.array_equal(two.images, np.concatenate([one.images, one.images]))
    assert len(two.labels) == len(two.splits) == 2 * len(one.labels)
    assert two.origins == one.origins * 2


def test_a_set_that_was_not_released_is_refused(site: Gate) -> None:
    with pytest.raises(UsageError, match="Expected a bundle"):
        opened(site, site.root / "synthetic")
    with pytest.raises(UsageError, match="got none"):
        opened(site)


def test_an_edited_bundle_is_refused(site: Gate, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(site.root / "bundle", tmp_path / "bundle"))
    with (bundle / "dataset" / "images.npz").open("ab") as stream:
        stream.write(b"0")
    with pytest.raises(IntegrityError):
        opened(site, bundle)
