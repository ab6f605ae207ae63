"""One small cohort that the tests of runs start from."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from privgan.data.cohort.cohort import Cohort, CohortFacts, open_cohort
from privgan.data.cohort.options import PrepareOptions
from privgan.data.cohort.prepare import prepare
from privgan.data.sources.wishes import Wishes
from privgan.dp.budget.ledger import Ledger
from privgan.files import sha256_file


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CohortFacts]:
    """60 patients of one noisy image each; always the same members, so that a plan is calibrated once."""
    rng, home = np.random.default_rng(0), tmp_path_factory.mktemp("prepared")
    source, folder = home / "source.npz", home / "cohort"
    images = rng.integers(0, 256, (60, 28, 28), dtype=np.uint8)
    np.savez(source, images=images, labels=np.zeros(60, dtype=np.int64), patient_id=np.arange(60))
    folder.mkdir()
    return folder, prepare(source, folder, PrepareOptions(reading=Wishes(size=28)))


@pytest.fixture
def cohort(prepared: tuple[Path, CohortFacts], tmp_path: Path) -> Cohort:
    """A cohort of its own for every test, with nothing spent."""
    return opened(prepared, tmp_path)


def opened(prepared: tuple[Path, CohortFacts], place: Path) -> Cohort:
    """A copy in some folder, with nothing spent."""
    made, facts = prepared
    folder = Path(shutil.copytree(made, place / "cohort"))
    Ledger.create(
        folder / "private" / "ledger.jsonl",
        cohort_sha256=sha256_file(folder / "cohort.json"),
        members=facts.members,
        delta=1e-3,
        max_epsilon=10.0,
    )
    return open_cohort(folder)
