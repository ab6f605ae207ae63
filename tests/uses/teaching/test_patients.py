"""Whom a classifier may be examined on: nobody whom the generator may have seen, and nothing of another kind."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from privgan.data.cohort.cohort import MEMBER, NON_MEMBER, Cohort
from privgan.errors import InputRejectedError, UsageError
from privgan.images.form import ImageForm
from privgan_uses import acquainted
from privgan_uses.teaching.classifier import ClassifierFacts, KnownRange
from privgan_uses.teaching.examining.patients import ALL, HELD_BACK, Examined, examined
from tests.uses.teaching.test_measures import ORIGIN

NAMES = ("clear", "opaque")
FORM = ImageForm(side=28, classes=NAMES, modality="CR", body_part="CHEST")
FACTS = ClassifierFacts(
    form=FORM,
    classes=NAMES,
    origins=(replace(ORIGIN, cohort_id="made-of", run_id="run-of"),),
    created="2026-01-31",
    privgan_version="0",
    steps=1,
    seed=0,
    look=16,
    temperature=1.0,
    thresholds=(0.5, 0.5),
    known=KnownRange(level=(0.0, 255.0), contrast=(0.0, 255.0)),
    images={"train": 1, "validation": 1, "test": 1},
    on_synthetic={},
)
Asked = Callable[..., Examined]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Ask about a cohort of 40 patients, every other one held back. books: what its ledger knows."""

    def asked(
        facts: ClassifierFacts = FACTS,
        whom: str | None = None,
        *,
        form: ImageForm = FORM,
        cohort_id: str = "here",
        runs: tuple[str, ...] = (),
        connected: tuple[str, ...] = (),
        there: tuple[str, ...] = (),
        **changes: Any,
    ) -> Examined:
        anchor = SimpleNamespace(
            connected=lambda cohort: [cohort, *connected],
            charges=lambda cohorts: [{"run_id": run} for run in there] if cohorts else [],
        )
        ledger = SimpleNamespace(anchor=anchor, of_kind=lambda _: [{"run_id": run} for run in runs])
        monkeypatch.setattr(acquainted, "Ledger", SimpleNamespace(of_cohort=lambda *_, **__: ledger))
        patients = np.arange(80) // 2
        values = {
            "images": np.zeros((80, *form.shape, 1), np.uint8),
            "patients": patients,
            "labels": patients // 2 % len(form.classes),
            "split": np.where(patients % 2, NON_MEMBER, MEMBER),
            "columns": {"stage": np.array(["", "I", "II", "I"])[patients % 4], "age": patients.astype(float)},
        }
        told = {"stage": "ordinal(I<II)", "age": "number"}
        named = SimpleNamespace(cohort_id=cohort_id, form=form, columns=told)
        cohort: Any = SimpleNamespace(facts=named, ledger_path=None, sha256="", **{**values, **changes})
        cohort.rows = lambda side: Cohort.rows(cohort, side)
        return examined(cohort, facts, whom)

    return asked


@pytest.mark.parametrize("known_by", [{"cohort_id": "made-of"}, {"runs": ("other", "run-of")}])
def test_of_the_cohort_that_was_learned_from_only_those_held_back(ask: Asked, known_by: dict[str, Any]) -> None:
    found = ask(**known_by)
    assert (found.own, found.whom) == (True, HELD_BACK)
    assert set(found.patients) == {*range(1, 40, 2)}
    assert ask(whom=HELD_BACK, **known_by).whom == HELD_BACK
    with pytest.raises(UsageError, match="came from members of this cohort"):
        ask(whom=ALL, **known_by)


def test_of_another_hospital_everybody_and_the_page_says_what_cannot_be_known(ask: Asked) -> None:
    found = ask()
    assert (found.own, found.whom) == (False, ALL)
    assert set(found.patients) == {*range(40)}
    assert "cannot be known from here" in found.notes[0]
    assert "Whatever is smaller, it cannot see" in found.notes[1]
    assert len(found.notes) == 2
    assert set(ask(whom=HELD_BACK).patients) == {*range(1, 40, 2)}


def test_a_cohort_that_shares_members_is_refused_where_the_anchor_knows_it(ask: Asked) -> None:
    assert ask(connected=("another",))
    with pytest.raises(UsageError, match="as the site anchor says"):
        ask(connected=("another", "made-of"))
    run = FACTS.origins[0].run_id
    with pytest.raises(UsageError, match="as the site anchor says"):
        ask(connected=("prepared-before",), there=(run,))  # a run of several hospitals names none of their cohorts
    with pytest.raises(UsageError, match="as the site anchor says"):
        ask(cohort_id="made-of", connected=("second",), there=(run,))  # also where this cohort shaped a part of it


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"side": 32}, "32 x 32 pixels"),
        ({"channels": 3}, "in colour"),
        ({"modality": "MR"}, "'MR CHEST'"),
        ({"body_part": "HEAD"}, "'CR HEAD'"),
        ({"window": (0.0, 80.0)}, "window"),
        ({"classes": ("clear", "nodule")}, "it has nodule, too"),
    ],
)
def test_what_the_model_does_not_know_is_refused(ask: Asked, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ask(form=replace(FORM, **change))


def test_classes_are_known_by_their_names_in_any_order(ask: Asked) -> None:
    turned = ask(form=replace(FORM, classes=NAMES[::-1]))
    assert (turned.labels == 1 - ask().labels).all()


def test_too_few_patients_or_one_class_are_refused(ask: Asked) -> None:
    few = np.where(np.arange(80) < 18, NON_MEMBER, MEMBER)
    with pytest.raises(InputRejectedError, match="at least 10 patients to examine on, there are 9"):
        ask(whom=HELD_BACK, split=few)
    with pytest.raises(InputRejectedError, match="two classes"):
        ask(labels=np.zeros(80, dtype=np.int64))


def test_a_column_is_learned_as_it_was_declared_and_unknown_cells_are_left_out(ask: Asked) -> None:
    facts = replace(FACTS, classes=("I", "II"), column="stage", declaration="ordinal(I<II)")
    found = ask(facts)
    assert found.unknown == 20
    assert found.labels.tolist() == [{1: 0, 2: 1, 3: 0}[patient % 4] for patient in found.patients.tolist()]
    assert set(found.columns) == {"age"}
    assert set(found.columns["age"]) == {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"}
    with pytest.raises(UsageError, match="declares the column 'stage'"):
        ask(replace(facts, classes=("I", "II", "III"), thresholds=(0.5,) * 3, declaration="ordinal(I<II<III)"))
    with pytest.raises(UsageError, match="declares the column 'grade'"):
        ask(replace(facts, column="grade"))


def test_images_of_nobody_known_are_said_to_be(ask: Asked) -> None:
    assert "too narrow" in ask(form=replace(FORM, each_image_is_a_patient=True)).notes[-1]


def test_what_nobody_said_of_the_images_is_not_passed_over(ask: Asked) -> None:
    for silent in ({"body_part": ""}, {"modality": "OT"}):
        assert "has not been checked" in ask(form=replace(FORM, **silent)).notes[-1]
