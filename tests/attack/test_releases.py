"""The statistics of the attack: each accepts the truth over many seeds and rejects lies of more than one kind."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from privgan.arrays import Floats, Integers
from privgan.attack.releases import (
    Finding,
    by_p_value,
    draw_size,
    empty_draws,
    noise_is_fresh,
    noise_shape,
    noise_size,
    noise_without_patients,
    participation,
)
from privgan.attack.sums import clipped_norm, no_mixing, once_a_step, patient_level, public_normaliser
from privgan.dp.noise import NORM_SLACK

STEPS, PARAMETERS, MEMBERS, RATE = 80, 150, 10, 0.1

Noise = Callable[[np.random.Generator], Floats]
Draws = Callable[[np.random.Generator], Integers]


def _noise(rng: np.random.Generator) -> Floats:
    return rng.standard_normal((STEPS, PARAMETERS)) * NORM_SLACK


def _draws(rng: np.random.Generator) -> Integers:
    return (rng.random((STEPS, MEMBERS)) < RATE).astype(np.int64)


def _about_noise(rng: np.random.Generator) -> list[Finding]:
    noise = _noise(rng)
    return [noise_size(noise), noise_shape(noise), noise_is_fresh(noise), noise_without_patients(noise, _draws(rng))]


def _about_draws(rng: np.random.Generator) -> list[Finding]:
    drawn = _draws(rng)
    return [participation(drawn, RATE), draw_size(drawn, RATE), empty_draws(drawn, RATE)]


@pytest.mark.parametrize("findings", [_about_noise, _about_draws])
def test_the_truth_gives_p_values_of_their_size(findings: Callable[[np.random.Generator], list[Finding]]) -> None:
    by_seed = [[f.p_value for f in findings(np.random.default_rng(seed))] for seed in range(150)]
    for values in zip(*by_seed, strict=True):
        for level in (0.02, 0.1, 0.5):
            found = sum(p <= level for p in values if p is not None)
            assert found <= stats.binom.ppf(0.9999, 150, level)


def _one_quiet_parameter(rng: np.random.Generator) -> Floats:
    noise = _noise(rng)
    noise[:, 3] *= 0.5
    return noise


def _one_quiet_step(rng: np.random.Generator) -> Floats:
    noise = _noise(rng)
    noise[5] *= 0.6
    return noise


def _one_repeated_step(rng: np.random.Generator) -> Floats:
    noise = _noise(rng)
    noise[70] = noise[2]
    return noise


def _following(rng: np.random.Generator) -> Floats:
    noise = _noise(rng)
    noise[1:] = 0.98 * noise[1:] + 0.2 * noise[:-1]
    return noise


@pytest.mark.parametrize(
    ("judge", "lie"),
    [
        (noise_size, lambda rng: 0.95 * _noise(rng)),
        (noise_size, _one_quiet_parameter),
        (noise_size, _one_quiet_step),
        (noise_shape, lambda rng: rng.laplace(size=(STEPS, PARAMETERS)) / 2**0.5),
        (noise_shape, lambda rng: rng.uniform(-(3**0.5), 3**0.5, (STEPS, PARAMETERS))),
        (noise_is_fresh, _one_repeated_step),
        (noise_is_fresh, _following),
    ],
)
def test_noise_that_is_not_as_promised_is_found(judge: Callable[[Floats], Finding], lie: Noise) -> None:
    assert not judge(lie(np.random.default_rng(0))).passed


def test_quiet_empty_draws_are_found() -> None:
    """Also when no draw was empty: what was not seen has not passed."""
    rng = np.random.default_rng(0)
    noise, drawn = _noise(rng), _draws(rng)
    noise[drawn.sum(1) == 0] *= 0.9
    assert not noise_without_patients(noise, drawn).passed
    assert not noise_without_patients(_noise(rng), np.ones_like(drawn)).passed


def _shuffled(rng: np.random.Generator) -> Integers:
    order = np.concatenate([rng.permutation(MEMBERS) for _ in range(STEPS // MEMBERS)])
    return np.eye(MEMBERS, dtype=np.int64)[order]


def _one_favourite(rng: np.random.Generator) -> Integers:
    drawn = _draws(rng)
    drawn[:, 0] = rng.random(STEPS) < 4 * RATE
    return drawn


def _all_together(rng: np.random.Generator) -> Integers:
    return np.repeat((rng.random((STEPS, 1)) < RATE).astype(np.int64), MEMBERS, axis=1)


@pytest.mark.parametrize(
    ("judge", "lie"),
    [
        (participation, _shuffled),
        (participation, _one_favourite),
        (draw_size, _shuffled),
        (draw_size, _all_together),
        (empty_draws, _shuffled),
        (empty_draws, _all_together),
    ],
)
def test_draws_that_are_not_poisson_are_found(judge: Callable[[Integers, float], Finding], lie: Draws) -> None:
    assert not judge(lie(np.random.default_rng(0)), RATE).passed


def test_a_patient_twice_in_a_step_is_found() -> None:
    drawn = _draws(np.random.default_rng(0))
    assert once_a_step(drawn).passed
    drawn[7, 3] = 2
    assert not once_a_step(drawn).passed


def test_what_is_no_number_fails() -> None:
    nothing = np.full(4, np.nan)
    assert not by_p_value(float("nan"), name="", tried="", measured="", expected="").passed
    assert not clipped_norm({"fine": np.zeros(4), "odd": nothing}, 1.0).passed
    assert not public_normaliser(nothing, nothing, nothing, nothing, 1.0).passed
    assert not no_mixing({"some": np.zeros(4), "others": nothing}, 1.0).passed


@pytest.mark.parametrize("judge", [clipped_norm, patient_level])
def test_a_move_longer_than_the_bound_is_found(judge: Callable[[dict[str, Floats], float], Finding]) -> None:
    """The slack that the noise covers is allowed, no more."""
    direction = np.array([0.6, 0.8])
    assert judge({"short": direction * 0.1, "long": direction * 2 * NORM_SLACK * 0.9999}, 2.0).passed
    assert not judge({"short": direction * 0.1, "long": direction * 2 * NORM_SLACK * 1.0001}, 2.0).passed


def test_sums_that_do_not_add_up_are_found() -> None:
    total, last = np.array([3.0, 1.0]), np.array([1.0, 0.0])
    assert public_normaliser(total, 2 * total, total - last, last, 1.0).passed
    assert not public_normaliser(total, total, total - last, last, 1.0).passed
    assert not public_normaliser(total, 2 * total, total, last, 1.0).passed
