"""Class shares as a user meets them: measured for a part of epsilon, used by generate, refused without."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privgan.dp.budget.ledger import Ledger
from tests.cli.conftest import FAST_TRAINING, blobs

Privgan = Callable[..., subprocess.CompletedProcess[str]]
EFFUSION = 1


@pytest.fixture
def skewed(privgan: Privgan, tmp_path: Path) -> Path:
    """A cohort in which one patient in five has the second class; those have twice the images."""
    owners = np.repeat(np.arange(150), np.where(np.arange(150) % 5 == 0, 2, 1))
    source, cohort = tmp_path / "skewed.npz", tmp_path / "cohort"
    np.savez(
        source,
        images=blobs(len(owners), 1),
        labels=(owners % 5 == 0).astype(np.int64),
        patient_id=owners,
        classes=np.array(["clear", "effusion"]),
    )
    privgan("prepare", source, cohort, "--size", 28, "--accept-low-power")
    return cohort


def test_measured_shares_come_near_the_members(
    privgan: Privgan, fresh: Privgan, skewed: Path, tmp_path: Path
) -> None:
    """One more query within the same epsilon; the set's shares follow it; manifest and card say how closely."""
    run, made, config = tmp_path / "run", tmp_path / "set", tmp_path / "train.toml"
    config.write_text(FAST_TRAINING + "[warm_start]\nshare = 0.3\n[class_balance]\nshare = 0.5\n")
    trained = privgan(
        "train", skewed, run, "--epsilon", 4, "--config", config, "--measure-classes", "--accept-noise", "--json"
    )
    assert json.loads(trained.stdout)["epsilon"] <= 4
    assert len(Ledger.read(skewed / "private" / "ledger.jsonl").queries()) == 6
    fresh("generate", run, made, "--count", 1000, "--format", "npz", "--classes", "measured")
    manifest = json.loads((made / "manifest.json").read_text())
    margin = manifest["class_margin"]
    with np.load(skewed / "patients.npz") as columns:
        members = columns["split"] == 0
        _, first = np.unique(columns["patient"][members], return_index=True)
        truth = (columns["label"][members][first] == EFFUSION).mean()
    with np.load(made / "images.npz") as arrays:
        share = (arrays["labels"] == EFFUSION).mean()
    assert 0.005 < margin < 0.06
    assert abs(share - truth) <= 2.5 * margin + 0.001  # five standard errors and the rounding to whole images
    assert "percentage points" in (made / "README.md").read_text()


def test_without_a_measurement_measured_is_refused(
    privgan: Privgan, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    """Exit 2, with what to do; nothing is written."""
    said = privgan("generate", trained[1], tmp_path / "set", "--count", 5, "--classes", "measured", code=2).stderr
    assert "--measure-classes" in said
    assert not (tmp_path / "set").exists()
