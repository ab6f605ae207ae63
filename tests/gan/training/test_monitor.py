"""The monitor: each alarm rings on a generator made to deserve it, and none on a healthy one."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from unittest.mock import create_autospec

import numpy as np
import pytest
import torch
from torch import Tensor

from privgan.dp.budget.ledger import Ledger
from privgan.dp.clipping.patient_gradients import PatientGradients
from privgan.errors import UsageError
from privgan.gan.networks import Generator, GeneratorConfig
from privgan.gan.randomness import Randomness
from privgan.gan.training.beginning import fresh_state
from privgan.gan.training.monitor import EVERY, Alarm, Look, Monitor, require_finite
from privgan.gan.training.state import restore_state, save_state
from privgan.gan.training.step import step
from privgan.gan.warm_start import Mixture
from tests.gan.small import FORM, LATENT, ORDER, SIZE, small_mixture, small_training

CLASSES = ("clear", "opacity")
Change = Callable[[Generator], None]


def _generator() -> Generator:
    config = GeneratorConfig(form=FORM, latent=LATENT, width=8, order=ORDER, align=False, bend=0.0)
    generator = Generator(config, torch.Generator().manual_seed(0))
    generator.warm_start(small_mixture())
    return generator


def one_class_stands_still(generator: Generator) -> None:
    generator.start.loadings[1].mul_(0.1)


def two_pictures(generator: Generator) -> None:
    """As far apart as images were, but every image of a class is one or the other."""
    gaussian = generator.start.gaussian

    def few(z: Tensor, labels: Tensor) -> Tensor:
        return gaussian(torch.where(torch.arange(z.shape[1]) == 0, z.sign(), 0.0) * LATENT**0.5, labels)

    generator.start.gaussian = few  # type: ignore[method-assign]


def black_and_white(generator: Generator) -> None:
    generator.start.loadings.mul_(1e4)


def all_brighter(generator: Generator) -> None:
    generator.start.means[..., 0].add_(0.5 * SIZE)


def not_a_number(generator: Generator) -> None:
    generator.start.means[0, 0] = torch.nan


def _noticed(generator: Generator, change: Change | None = None, *, distance: float = 1e-4) -> set[str]:
    monitor = Monitor.of(generator, torch.Generator())
    if change is not None:
        with torch.no_grad():
            change(generator)
    new = monitor.observe(generator, step=7, told_apart=0.7, distance=distance)
    assert all(alarm.step == 7 and alarm.text.endswith(".") for alarm in new)
    return {alarm.kind for alarm in new}


def test_a_healthy_warm_start_is_passed_in_silence() -> None:
    assert _noticed(_generator()) == set()


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (one_class_stands_still, {"collapse"}),
        (two_pictures, {"copies"}),
        (black_and_white, {"saturated"}),
        (not_a_number, {"collapse"}),
    ],
)
def test_a_bad_generator_is_noticed(change: Change, kinds: set[str]) -> None:
    """What is not a number fails every comparison; training refuses it before the monitor sees it."""
    assert _noticed(_generator(), change) == kinds


def test_drift_is_noticed_where_it_is_large() -> None:
    """Half the range off is far, a twentieth is not."""
    assert _noticed(_generator(), all_brighter, distance=0.25) == {"drift"}
    assert _noticed(_generator(), distance=0.0025) == set()
    assert _noticed(_generator(), distance=float("nan")) == {"drift"}


def test_a_class_is_named_and_the_other_is_not() -> None:
    generator, monitor = _generator(), Monitor.of(_generator(), torch.Generator())
    with torch.no_grad():
        one_class_stands_still(generator)
    (alarm,) = monitor.observe(generator, step=1, told_apart=0.7, distance=0.0)
    assert "'opacity'" in str(alarm)
    assert "'clear'" not in str(alarm)


def test_a_warm_start_without_variation_is_not_blamed_on_the_generator() -> None:
    """Nothing above the noise was released: the advice is more patients, and nothing collapsed."""
    generator = _generator()
    with torch.no_grad():
        generator.start.loadings.zero_()
    assert _noticed(generator) == {"no-variation"}


@pytest.mark.parametrize(("share", "kind"), [(1.0, "discriminator-sure"), (0.0, "discriminator-fooled"), (0.8, None)])
def test_a_discriminator_that_is_stuck_is_noticed_once(
    share: float, kind: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """One word in between starts the count anew; what was said is not said again."""
    monitor, generator = Monitor.of(_generator(), torch.Generator()), _generator()
    with caplog.at_level(logging.WARNING, "privgan"):
        for number in range(700):
            monitor.steps = 1  # the images are looked at elsewhere
            monitor.observe(generator, step=number, told_apart=0.5 if number == 40 else share, distance=0.0)
    assert [alarm.kind for alarm in monitor.alarms] == ([kind] if kind else [])
    assert len(caplog.records) == len(monitor.alarms)
    assert all(alarm.step > 80 for alarm in monitor.alarms)


def test_look_counts_what_it_says() -> None:
    """Spread, pairs and ends of the range of images that can be counted by hand."""
    images = torch.zeros(5, 3, 4, 4)
    images[1], images[2], images[4, :, :2] = 0.01, 0.5, -1.0
    look = Look.at(images, torch.tensor([0, 0, 0, 1, 1]), 3)
    assert look.alike == pytest.approx(1 / 4)  # three pairs of the first class, one of the second
    assert look.saturated == pytest.approx(0.5 / 5)
    values = np.array([0, 0.01, 0.5])
    assert look.spread.tolist() == pytest.approx([values.std(), 0.125**0.5, 0.0], abs=1e-6)


def test_a_healthy_short_training_is_passed_in_silence(tmp_path: Path) -> None:
    """Longer than one look; and with a rate that breaks any generator, it is noticed, saved and public."""
    for rate, quiet in ((2e-4, True), (0.5, False)):
        training = small_training(tmp_path / str(rate), generator_rate=rate)
        randomness = Randomness.of(0)
        state = fresh_state(training, small_mixture(), randomness.public)
        state.monitor = Monitor.of(state.generator, randomness.public)
        critic = PatientGradients(state.discriminator)
        for _ in range(2 * EVERY + 2):
            step(training, state, critic, randomness)
        lines = (training.run / "private" / "metrics.jsonl").read_text().splitlines()
        told = [entry for entry in map(json.loads, lines) if "kind" in entry]
        assert state.monitor is not None
        assert told == [vars(alarm) for alarm in state.monitor.alarms]
        assert state.warnings == tuple(map(str, state.monitor.alarms))
        assert (not told) is quiet


def test_what_is_not_finite_stops_before_it_is_learned(tmp_path: Path) -> None:
    """The error advises, and the weights are those of before."""
    training = small_training(tmp_path / "run")
    randomness = Randomness.of(0)
    state = fresh_state(training, small_mixture(), randomness.public)
    with torch.no_grad():
        state.discriminator.score.bias.fill_(torch.nan)
    before = [weights.detach().clone() for weights in state.generator.parameters()]
    critic = PatientGradients(state.discriminator)
    with pytest.raises(UsageError, match="generator_rate"):
        step(training, state, critic, randomness)
    assert all(map(torch.equal, before, state.generator.parameters()))
    require_finite([torch.ones(3)], 1)
    for bad in (torch.nan, torch.inf):
        with pytest.raises(UsageError, match="diverged"):
            require_finite([torch.ones(3), torch.tensor([1.0, bad])], 1)


def test_a_resumed_training_is_compared_with_its_own_warm_start(tmp_path: Path) -> None:
    """Not with the grey images of a generator that nothing was restored into yet; what was told is not told again."""
    training = small_training(tmp_path / "run")
    randomness = Randomness.of(0)
    state = fresh_state(training, small_mixture(), randomness.public)
    state.monitor = Monitor.of(state.generator, randomness.public, [Alarm(kind="copies", step=3, text="told.")])
    save_state(state, training.run, create_autospec(Ledger), training.run_id)
    resumed = fresh_state(training, Mixture.grey(state.generator.config.mixture), randomness.public)
    restore_state(resumed, training.run, randomness.public)
    assert resumed.monitor is not None
    assert [alarm.kind for alarm in resumed.monitor.alarms] == ["copies"]
    assert resumed.monitor.observe(resumed.generator, step=7, told_apart=0.7, distance=1e-4) == []
    assert float(resumed.monitor.start.spread.min()) > 0.1
