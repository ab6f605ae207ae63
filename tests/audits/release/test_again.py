"""Whoever can write a record and the ledger's line about it still releases nothing that the run does not draw."""

import shutil
from collections.abc import Callable

import numpy as np
import pytest

from privgan.arrays import Images
from privgan.data.cohort.cohort import open_cohort
from privgan.errors import AuditFailedError, IntegrityError, NotReleasableError, PrivganError, UsageError
from privgan.gan.networks import load_generator, save_generator
from privgan.synthetic.drawing import Drawing, Redrawn
from privgan.synthetic.synthetic_set import SEED, open_synthetic_set
from tests.audits.releasing import Gate
from tests.synthetic.making import fill, finish_again


def with_images(gate: Gate, change: Callable[[Images], Images]) -> None:
    """Another set in the audited one's place, sealed as privgan would."""
    held = open_synthetic_set(gate.root / "synthetic")
    fill(gate.root / "synthetic", change(held.images), held.labels)


def pictures_of_the_cohort(gate: Gate) -> None:
    real = open_cohort(gate.root / "cohort").images
    with_images(gate, lambda images: np.resize(real, images.shape))


def one_last_bit(gate: Gate) -> None:
    def change(images: Images) -> Images:
        other = images.copy()
        other[3, 5, 5] ^= 1
        return other

    with_images(gate, change)


def no_seed(gate: Gate) -> None:
    (gate.root / "synthetic" / SEED).unlink()


def no_run(gate: Gate) -> None:
    shutil.rmtree(gate.root / "synthetic-run")


def another_generator(gate: Gate) -> None:
    run = gate.root / "synthetic-run"
    network = load_generator(run).network
    network.last.weight.data *= 1.01
    save_generator(run, network)
    finish_again(run)


FORGED: dict[str, tuple[Callable[[Gate], None], type[PrivganError], str]] = {
    "real pictures": (pictures_of_the_cohort, AuditFailedError, "images are the generators is not so"),
    "one last bit": (one_last_bit, AuditFailedError, "images are the generators is not so"),
    "another generator": (another_generator, AuditFailedError, "generator is the runs is not so"),
    "no seed": (no_seed, NotReleasableError, "not all drawn again"),
    "no run": (no_run, UsageError, "Expected a run "),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_audit_releases_nothing(gate: Gate, name: str) -> None:
    """The record passes and the ledger remembers it: both were written by whoever wanted it so."""
    forge, error, reason = FORGED[name]
    forge(gate)
    gate.audit()
    with pytest.raises(error, match=reason):
        gate.release()
    assert not (gate.root / "bundle").exists()


def test_a_machine_that_rounds_otherwise_does_not_release(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit forgives a pixel between two levels; what leaves is to the last bit what is drawn where it leaves."""
    gate.audit()
    drawn = open_synthetic_set(gate.root / "synthetic").images
    other = Redrawn(images=drawn, others=0, between=1, open=1)
    monkeypatch.setattr(Redrawn, "explained", property(lambda _: True))
    monkeypatch.setattr(Drawing, "again", lambda *_: other)
    with pytest.raises(IntegrityError, match="rounds a level of it otherwise"):
        gate.release()


def test_what_is_written_is_what_was_drawn(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what lies in the folder, although both are the same: a drawing that differs would be noticed."""
    gate.audit()
    drawn = open_synthetic_set(gate.root / "synthetic").images[::-1].copy()
    monkeypatch.setattr(Drawing, "again", lambda *_: Redrawn(images=drawn, others=0, between=0, open=0))
    with pytest.raises(IntegrityError, match="are others"):
        gate.release()
