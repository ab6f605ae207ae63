"""Learning from public images: interrupted or killed, the same network comes out; what does not fit is refused."""

import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from privgan.arrays import Images
from privgan.errors import InputRejectedError, IntegrityError, InterruptedRunError, UsageError
from privgan.files import sha256_file
from privgan.gan.finishing.settings import LearningSettings
from privgan.gan.networks.public_prior import IMAGES, WEIGHTS, open_prior
from privgan.gan.prior import make
from privgan.gan.prior.make import FEWEST, STATE, learn_prior
from privgan.gan.prior.request import PriorRequest
from privgan.interruption import StopRequest
from privgan.run import LONGEST_ORIGIN
from tests.takes import takes

STEPS = 4
REQUEST = PriorRequest(
    source="an archive", licence="CC0", learning=LearningSettings(width=8, steps=STEPS, batch=8), device="cpu"
)


@pytest.fixture(scope="module")
def images() -> Images:
    return takes(FEWEST, seed=0, side=28)


@pytest.fixture(scope="module")
def whole(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Learned without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    learn_prior(images, folder, REQUEST)
    return folder


def stopped_at(step: int) -> tuple[StopRequest, Callable[..., None]]:
    """A wish to stop, and a listener that makes it while that step is done."""
    stop = StopRequest()

    def listen(task: str, done: int, total: int, note: str = "") -> None:
        if note == f"step {step}":
            stop.note(signal.SIGINT, None)

    return stop, listen


def test_a_finished_learning_is_a_prior(whole: Path, images: Images) -> None:
    prior = open_prior(whole)
    assert (prior.facts.steps, prior.facts.images, prior.facts.form.side) == (STEPS, FEWEST, 28)
    assert (prior.images == images).all()
    assert prior.network().last.weight.abs().sum() > 0
    assert not (whole / STATE).exists()


def test_interrupted_twice_it_learns_the_same(whole: Path, images: Images, tmp_path: Path) -> None:
    for step in (0, 2):
        stop, listen = stopped_at(step)
        with pytest.raises(InterruptedRunError, match=f"{step + 1} steps are learned"):
            learn_prior(images, tmp_path, REQUEST, listen, stop)
        assert (tmp_path / STATE).exists()
    facts = learn_prior(images, tmp_path, REQUEST)
    assert facts.steps == STEPS
    assert sha256_file(tmp_path / WEIGHTS) == sha256_file(whole / WEIGHTS)


class Killed(BaseException):
    """Stands for kill -9: nothing below catches it."""


def test_killed_after_a_state_it_learns_the_same(
    whole: Path, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "_SAVED_EVERY", 0.0)

    def die(task: str, done: int, total: int, note: str = "") -> None:
        if note == "step 3":
            raise Killed

    with pytest.raises(Killed):
        learn_prior(images, tmp_path, REQUEST, die)
    learn_prior(images, tmp_path, REQUEST)
    assert sha256_file(tmp_path / WEIGHTS) == sha256_file(whole / WEIGHTS)


@pytest.fixture
def interrupted(images: Images, tmp_path: Path) -> Path:
    stop, listen = stopped_at(0)
    with pytest.raises(InterruptedRunError):
        learn_prior(images, tmp_path, REQUEST, listen, stop)
    return tmp_path


def test_what_was_begun_is_not_gone_on_with_in_other_words(interrupted: Path, images: Images) -> None:
    other = replace(REQUEST, learning=replace(REQUEST.learning, steps=STEPS + 1))
    for some, request in ((images, other), (takes(FEWEST, seed=1, side=28), REQUEST)):
        with pytest.raises(UsageError, match="interrupted"):
            learn_prior(some, interrupted, request)


def test_a_damaged_state_is_refused(interrupted: Path, images: Images) -> None:
    (interrupted / STATE).write_bytes((interrupted / STATE).read_bytes()[:-9])
    with pytest.raises(IntegrityError, match="cannot be read"):
        learn_prior(images, interrupted, REQUEST)


def test_few_images_and_no_words_are_refused(images: Images, tmp_path: Path) -> None:
    with pytest.raises(InputRejectedError, match=f"at least {FEWEST} public images, got {FEWEST - 1}"):
        learn_prior(images[1:], tmp_path, REQUEST)
    assert not (tmp_path / IMAGES).exists()
    for name in ("source", "licence"):
        with pytest.raises(UsageError, match=f"--{name} in words"):
            replace(REQUEST, **{name: " "})
        for words in ("a" * (LONGEST_ORIGIN + 1), "two\nlines"):  # it leaves with every set
            with pytest.raises(UsageError, match=f"the {name} as one line of at most {LONGEST_ORIGIN}"):
                replace(REQUEST, **{name: words})
