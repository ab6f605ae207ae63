"""Copies of public images are found in a set whose run started from them; missing or edited evidence refuses."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from privgan.arrays import Images
from privgan.data.cohort.cohort import open_cohort
from privgan.dp.spend import PrivacySpend
from privgan.errors import InputRejectedError, UsageError
from privgan.gan.networks.public_prior import IN_RUN, Prior
from privgan.run import PriorNamed, read_run, write_run
from privgan_audits.evidence.interface import Claim, Evidence, Measured, NotApplicable, NotRun, Outcome, Sample
from privgan_audits.evidence.reading import Form, load
from privgan_audits.questions import public_copies
from privgan_audits.questions.public_copies import measure as module
from privgan_audits.strangers import require_strangers
from tests.audits.releasing import make_cohort
from tests.priors import make_prior
from tests.synthetic.making import make_run, make_set
from tests.takes import takes

Draw = Callable[..., Sample]
SIDE = 28


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Prior:
    return make_prior(tmp_path_factory.mktemp("public") / "prior", takes(40, seed=0, side=SIDE))


@pytest.fixture
def run(public: Prior, tmp_path: Path) -> Path:
    """A run that started from it."""
    folder = make_run(tmp_path / "run")
    write_run(folder, replace(read_run(folder), prior=public.named))
    public.copy(folder / IN_RUN)
    return folder


def evidence(images: Images, run: Path | None, prior: PriorNamed | None) -> Evidence:
    """A set of these images whose manifest names a prior, or none."""
    numbers = np.arange(len(images))
    claim = Claim(
        run_id="",
        cohort_id="",
        spend=PrivacySpend(epsilon=3.0, delta=1e-5),
        generator_sha256="",
        config_sha256="",
        not_private=False,
        prior=prior,
    )
    real = takes(2, seed=9, side=SIDE)
    return Evidence(
        members=Sample(images=real, labels=np.zeros(2, np.int64), patients=np.arange(2)),
        non_members=None,
        synthetic=Sample(images=images, labels=np.zeros_like(numbers), patients=numbers),
        synthetic_folder=Path(),
        synthetic_sha256="0" * 64,
        classes=("image",),
        claim=claim,
        run=run,
    )


def asked(images: Images, run: Path | None, prior: PriorNamed | None) -> Outcome:
    return public_copies.QUESTION.measure(evidence(images, run, prior), np.random.default_rng(0))


def test_copies_of_public_images_are_counted(public: Prior, run: Path) -> None:
    images = takes(12, seed=1, side=SIDE)
    images[3] = public.images[5, :, ::-1]
    images[7] = 255 - public.images[6]
    images[8] = np.clip(public.images[8] + np.random.default_rng(0).normal(0, 3, (SIDE, SIDE, 1)), 0, 255)
    outcome = asked(images, run, public.named)
    assert isinstance(outcome, Measured)
    assert outcome.findings == {"exact_copies": 2, "near_copies": 1, "compared_public_images": 40}
    assert outcome.internal == {"synthetic_rows": [3, 7, 8]}
    assert public_copies.WORDS.answer(outcome.findings).answer == "3 in the set"


def test_other_images_are_none(public: Prior, run: Path) -> None:
    outcome = asked(takes(40, seed=1, side=SIDE), run, public.named)
    assert isinstance(outcome, Measured)
    assert outcome.findings == {"exact_copies": 0, "near_copies": 0, "compared_public_images": 40}


def test_images_that_a_run_left_out_are_compared_as_well(public: Prior, run: Path) -> None:
    """That they shaped nothing is a claim; and what the run found out of them is no other name."""
    left = replace(public.named, used=False, distance=1.02)
    write_run(run, replace(read_run(run), prior=left))
    outcome = asked(takes(40, seed=1, side=SIDE), run, left)
    assert isinstance(outcome, Measured)
    assert outcome.findings == {"exact_copies": 0, "near_copies": 0, "compared_public_images": 40}
    assert asked(takes(3, seed=1, side=SIDE), run, public.named) == NotRun(reason=module.OTHER)  # the set says more


def test_without_public_images_the_question_does_not_arise(tmp_path: Path) -> None:
    images = takes(3, seed=1, side=SIDE)
    for run in (None, make_run(tmp_path / "run")):
        assert asked(images, run, None) == NotApplicable(reason=module.NO_PRIOR)


def _no_copy(run: Path) -> None:
    shutil.rmtree(run / IN_RUN)


def _edited_images(run: Path) -> None:
    path = run / IN_RUN / "images.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")


def _another(run: Path) -> None:
    shutil.rmtree(run / IN_RUN)
    make_prior(run / IN_RUN, takes(40, seed=3, side=SIDE))


def _forgotten(run: Path) -> None:
    write_run(run, replace(read_run(run), prior=None))


def _renamed(run: Path) -> None:
    facts = read_run(run)
    assert facts.prior is not None
    write_run(run, replace(facts, prior=replace(facts.prior, source="somewhere else")))


@pytest.mark.parametrize("change", [_no_copy, _edited_images, _another, _forgotten, _renamed])
def test_other_public_images_than_those_named_are_no_evidence(
    public: Prior, run: Path, change: Callable[[Path], None]
) -> None:
    change(run)
    assert asked(takes(3, seed=1, side=SIDE), run, public.named) == NotRun(reason=module.OTHER)


def test_what_was_not_looked_at_is_not_run(public: Prior, run: Path) -> None:
    images = takes(3, seed=1, side=SIDE)
    assert asked(images, None, public.named) == NotRun(reason=module.NO_RUN)
    assert asked(images, run, None) == NotRun(reason=module.OTHER)  # the set hides what its run started from
    (run / "run.json").write_text("{}")
    assert asked(images, run, public.named) == NotRun(reason=module.UNREADABLE)


def test_a_set_says_which_public_images_shaped_it(public: Prior, tmp_path: Path) -> None:
    named = {"source": "s", "licence": "l", "images": 40, "sha256": "a" * 64}
    loaded = load(make_set(tmp_path / "synthetic", prior=named), "it", Form(colour=False), lambda *_: None)
    assert loaded.claim is not None
    assert loaded.claim.prior == PriorNamed(**named)


def test_public_images_of_patients_are_refused_by_number_alone(tmp_path: Path) -> None:
    cohort = open_cohort(make_cohort(tmp_path / "cohort"))
    strangers = takes(30, seed=0, side=SIDE)
    patients = takes(4, seed=1, side=SIDE)
    cohort = replace(cohort, images=patients)
    require_strangers(make_prior(tmp_path / "fine", strangers), cohort)
    mixed = strangers.copy()
    mixed[[4, 9]] = patients[1], patients[3, ::-1]  # of a member and of a held-back patient
    with pytest.raises(InputRejectedError, match="2 of 30 show"):
        require_strangers(make_prior(tmp_path / "mixed", mixed), cohort)
    with pytest.raises(UsageError, match="Expected a prior of images"):
        require_strangers(make_prior(tmp_path / "large", takes(5, seed=0, side=32)), cohort)
