"""Cohort and ledger that do not belong together are foreign material to every verb: exit 6."""

from pathlib import Path

import pytest

from privgan.data.cohort.cohort import MARKER, open_cohort
from privgan.dp.budget.ledger import Ledger
from privgan.errors import IntegrityError
from privgan.gan.training.request import TrainRequest
from privgan.gan.training.runs import start_run
from privgan.gan.training.settings import TrainSettings
from privgan.interruption import StopRequest
from privgan_cli.verbs.budget import budget
from tests.audits.releasing import make_cohort


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """A cohort whose cohort.json says another day than when its ledger was opened."""
    folder = make_cohort(tmp_path / "cohort")
    facts = (folder / MARKER).read_text()
    (folder / MARKER).write_text(facts.replace("2026-01-31", "2026-01-30"))
    return folder


def train(cohort: Path, run: Path) -> None:
    request = TrainRequest(epsilon=3.0, settings=TrainSettings())
    start_run(open_cohort(cohort), run, request, StopRequest(), force=False)


def test_the_budget_of_an_edited_cohort_is_not_told(edited: Path) -> None:
    with pytest.raises(IntegrityError, match=r"cohort\.json"):
        budget(edited)


def test_an_edited_cohort_is_not_trained_on(edited: Path, tmp_path: Path) -> None:
    ledger = open_cohort(edited).ledger_path
    before = ledger.read_bytes()
    with pytest.raises(IntegrityError, match=r"cohort\.json"):
        train(edited, tmp_path / "run")
    assert ledger.read_bytes() == before
    assert not (tmp_path / "run").exists()


def test_a_ledger_of_another_number_of_members_is_refused(tmp_path: Path) -> None:
    cohort = open_cohort(make_cohort(tmp_path / "cohort"))
    cohort.ledger_path.unlink()
    Ledger.create(cohort.ledger_path, cohort_sha256=cohort.sha256, members=3, delta=1e-5, max_epsilon=10.0)
    with pytest.raises(IntegrityError, match="members"):
        train(cohort.folder, tmp_path / "run")
