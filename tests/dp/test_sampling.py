"""Poisson draws of patients."""

import numpy as np
import pytest
from scipy import stats

from privgan.dp.noise import secure_generator
from privgan.dp.sampling import Draw, PatientIndex, poisson_draw
from privgan.errors import UsageError


def _index() -> PatientIndex:
    patients = np.array([5, 5, 9, 2, 2, 2, 2, 7], dtype=np.int64)
    return PatientIndex.of(patients, np.arange(8))


def test_every_patient_is_drawn_independently_at_the_rate() -> None:
    """Counts are Binomial(members, rate): neither a fixed batch nor another rate fits."""
    index = PatientIndex.of(np.arange(200), np.arange(200))
    counts = [poisson_draw(index, rate=0.1, images=1, rng=secure_generator()).patients for _ in range(2000)]
    assert abs(np.mean(counts) - 20) < 4 * np.sqrt(18 / 2000)
    assert stats.chi2.cdf(np.var(counts) / 18 * 2000, 2000) == pytest.approx(
        0.5, abs=0.4999
    )  # a fixed batch has none
    assert min(counts) < 15
    assert max(counts) > 25


def test_a_patient_owns_all_and_only_their_rows() -> None:
    """No patient twice in one step, none of another's images, at most so many as asked."""
    index, rng = _index(), np.random.default_rng(0)
    owner_of = {0: 5, 1: 5, 2: 9, 3: 2, 4: 2, 5: 2, 6: 2, 7: 7}
    for _ in range(200):
        draw = poisson_draw(index, rate=0.6, images=2, rng=rng)
        assert len(set(draw.rows.tolist())) == len(draw.rows)
        assert (np.diff(draw.owners) >= 0).all()
        people = [{owner_of[r] for r in draw.rows[draw.owners == o].tolist()} for o in range(draw.patients)]
        assert all(len(p) == 1 for p in people)
        assert len(set.union(set(), *people)) == draw.patients
        assert np.bincount(draw.owners, minlength=1).max() <= 2


def test_nobody_is_drawn_sometimes() -> None:
    """An empty draw is legal and empty."""
    draws = [poisson_draw(_index(), rate=0.01, images=1, rng=np.random.default_rng(s)) for s in range(20)]
    empty = [d for d in draws if d.patients == 0]
    assert empty
    assert all(len(d.rows) == len(d.owners) == 0 for d in empty)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.01, float("nan")])
def test_impossible_rates_are_refused(rate: float) -> None:
    """A rate outside (0, 1] has no meaning."""
    with pytest.raises(UsageError):
        poisson_draw(_index(), rate=rate, images=1, rng=np.random.default_rng(0))


def test_a_piece_is_a_matter_of_its_patient_alone() -> None:
    """Who else is there, and what others have, moves nobody elsewhere; pieces are whole patients of equal size."""
    counts = np.random.default_rng(0).integers(1, 4, 300)
    owners = np.repeat(np.arange(300), counts)
    index = PatientIndex.of(owners, np.arange(len(owners)))
    draw = poisson_draw(index, rate=0.5, images=2, rng=np.random.default_rng(1))
    pieces, rows = draw.pieces(150.0, 16), np.bincount(draw.owners)
    assert set(pieces.tolist()) == set(range(pieces.max() + 1))
    for number in range(pieces.max() + 1):
        assert len(set(rows[pieces == number].tolist())) == 1
    sizes = np.bincount(pieces, weights=rows)
    assert 4 < sizes.mean() <= 16 + 4
    for gone in range(draw.patients):
        kept = draw.owners != gone
        left = Draw(
            rows=draw.rows[kept],
            owners=np.unique(draw.owners[kept], return_inverse=True)[1],
            patients=draw.patients - 1,
            places=np.delete(draw.places, gone),
        )
        before, after = np.delete(pieces, gone), left.pieces(150.0, 16)
        assert len(set(zip(before.tolist(), after.tolist(), strict=True))) == len(set(before.tolist()))


def test_nobody_is_in_no_piece() -> None:
    draw = poisson_draw(_index(), rate=1e-12, images=1, rng=np.random.default_rng(0))
    assert draw.pieces(2.0, 16).shape == (0,)


def test_places_are_as_good_as_any_chance() -> None:
    """Uniform, and not another's neighbour: who is drawn says nothing about where."""
    index = PatientIndex.of(np.arange(4000), np.arange(4000))
    places = poisson_draw(index, rate=0.5, images=1, rng=np.random.default_rng(3)).places
    assert stats.kstest(places, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(places[1:], places[:-1])[0, 1]) < 5 / len(places) ** 0.5
