"""Whole folders: what a model was learned from is known again, and permissions end on the day that is named."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from privgan.errors import UsageError
from privgan.progress import silent
from privgan_uses.restoring.applying.apply import Asked
from privgan_uses.restoring.doing import Sources, _learned_from, apply_model, evaluate_model, train_restorer
from privgan_uses.restoring.make import make_restorer
from privgan_uses.restoring.model import open_restorer
from privgan_uses.restoring.request import PublicImages, Rivals
from tests.takes import takes
from tests.uses.restoring.making import FORM, ORIGIN, SIDE, TODAY, material, request


def write_images(path: Path, seed: int) -> Path:
    np.savez(path, images=takes(112, seed=seed, side=SIDE)[..., 0])
    return path


def test_a_plain_network_learns_from_the_same_public_images_alone(tmp_path: Path) -> None:
    path = write_images(tmp_path / "public.npz", 0)
    public = PublicImages(path=path, source="phantoms of Anytown", licence="CC0 1.0", form=FORM)
    sources = Sources(bundles=(), public_keys=(), today=TODAY, public=public)
    assert train_restorer(sources, tmp_path / "model", request()).images == 100
    model = open_restorer(tmp_path / "model")
    learned = _learned_from(model, Rivals(public=path), TODAY, silent)
    assert np.array_equal(learned, takes(112, seed=0, side=SIDE)[np.arange(112) % 10 > 0])
    assert _learned_from(model, Rivals(), TODAY, silent) is None
    with pytest.raises(UsageError, match="everything that the model was learned from"):
        _learned_from(model, Rivals(public=write_images(tmp_path / "other.npz", 1)), TODAY, silent)


def test_a_permission_ends_on_its_day(tmp_path: Path) -> None:
    """Whatever the clock of the machine says."""
    (tmp_path / "model").mkdir()
    make_restorer(replace(material(), origins=(ORIGIN,)), tmp_path / "model", request(), TODAY)
    (tmp_path / "in").mkdir()
    images = write_images(tmp_path / "in" / "images.npz", 2)

    def apply(days: int) -> None:
        today = TODAY + timedelta(days=days)
        apply_model(tmp_path / "model", images, tmp_path / f"out{days}", Asked(), today=today)

    apply(0)
    with pytest.raises(UsageError, match=f"ended on {TODAY}"):
        apply(1)
    with pytest.raises(UsageError, match=f"ended on {TODAY}"):
        evaluate_model(
            tmp_path / "model", tmp_path / "cohort", tmp_path / "e", Rivals(), today=TODAY + timedelta(days=1)
        )
