"""A restorer is learned alike from the same seed, says where it comes from, and is refused once it was edited."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from privgan.errors import InputRejectedError, IntegrityError, InterruptedRunError, UsageError
from privgan.files import sha256_bytes
from privgan.gan.networks.finish import Finish
from privgan.images.form import ImageForm
from privgan.interruption import StopRequest
from privgan_uses.released import Released
from privgan_uses.restoring.damage import Coarse, Noise, damaged
from privgan_uses.restoring.lesson import learn
from privgan_uses.restoring.make import Material, damage_of, make_restorer
from privgan_uses.restoring.measures import psnr
from privgan_uses.restoring.model import CONTACT, MARKER, PUBLIC, WEIGHTS, Restorer, open_restorer, restored, shape_of
from privgan_uses.restoring.request import USUAL, RestoreRequest, read_config
from tests.takes import takes
from tests.uses.restoring.making import FORM, ORIGIN, QUICK, SIDE, TODAY, make_model, material, request


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Restorer:
    return make_model(tmp_path_factory.mktemp("learned") / "model")


@pytest.mark.parametrize("form", [FORM, ImageForm(side=33, channels=3)])
def test_before_it_learned_it_changes_nothing(form: ImageForm) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, form.side, form.side, form.channels), dtype=np.uint8)
    network = Finish(shape_of(form, QUICK), torch.Generator().manual_seed(0))
    assert network.shape.latent == 0
    assert np.array_equal(restored(network, images, Noise()), images)
    assert restored(network, images[:0], Noise()).shape == (0, *images.shape[1:])


def test_the_same_seed_learns_the_same(model: Restorer, tmp_path: Path) -> None:
    again = make_model(tmp_path / "again")
    other = make_model(tmp_path / "other", learning=replace(QUICK, seed=1))
    weights = [(each.folder / WEIGHTS).read_bytes() for each in (model, again, other)]
    assert weights[0] == weights[1] != weights[2]
    assert again.facts == model.facts


def test_it_learns() -> None:
    """Half of the squared error, 3 decibels, is gone from images that it has not seen."""
    images, noise = takes(200, seed=0, side=SIDE), Noise(photons=0.0, spread=40.0)
    learning = replace(USUAL, width=8, batch=8, steps=40, rate=2e-3)
    network, steps = learn(images, noise, FORM, request(learning=learning), "learning")
    good = takes(40, seed=9, side=SIDE)
    bad = damaged(good, noise, FORM, torch.Generator().manual_seed(0))
    assert steps == 40
    assert psnr(good, restored(network, bad, noise)).mean() > psnr(good, bad).mean() + 3


def test_it_says_where_it_comes_from_and_what_it_is_for(model: Restorer) -> None:
    facts = model.facts
    (public,) = facts.public
    assert (public.source, public.licence, public.images) == ("phantoms of Anytown", "CC0 1.0", 112)
    assert facts.terms == ("CC0 1.0",)
    assert (facts.epsilon, facts.steps, facts.damage, facts.form) == (0.0, 3, Noise(), FORM)
    assert "Not for diagnosis" in facts.intended_use
    assert facts.images + facts.tried == 112
    assert sorted(path.name for path in model.folder.iterdir()) == [CONTACT, PUBLIC, MARKER, WEIGHTS]
    assert model.public == {sha256_bytes(image.tobytes()) for image in material().images}


def test_a_released_set_gives_its_terms_on(tmp_path: Path) -> None:
    sets = Released(
        images=takes(160, seed=4, side=SIDE),
        labels=np.zeros(160, np.int64),
        splits=np.array((["train"] * 4 + ["test"]) * 32),
        form=replace(FORM, classes=("normal", "effusion")),
        origins=(ORIGIN,),
    )
    part = Material.of_sets(sets)
    assert (~part.spared).tolist() == [True, True, True, True, False] * 32
    (tmp_path / "model").mkdir()
    facts = make_restorer(part.beside(material(sets.form)), tmp_path / "model", request("super-resolve"), TODAY)
    assert facts.terms == ("CC BY 4.0", f"for teaching, by Anytown University, until {TODAY}", "CC0 1.0")
    assert (facts.form, facts.damage, facts.origins) == (sets.form, Coarse(factor=2), (ORIGIN,))
    assert open_restorer(tmp_path / "model").facts == facts


@pytest.mark.parametrize("name", [MARKER, WEIGHTS, CONTACT, PUBLIC])
def test_an_edited_restorer_is_refused(model: Restorer, tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(model.folder, tmp_path / "model"))
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content.replace(b'"steps": 3', b'"steps": "3"') if name == MARKER else content[:-1])
    with pytest.raises(IntegrityError):
        open_restorer(folder)


def test_a_restorer_of_an_older_version_is_learned_again(model: Restorer, tmp_path: Path) -> None:
    """It was not edited: it has fewer fields and files."""
    folder = Path(shutil.copytree(model.folder, tmp_path / "model"))
    (folder / PUBLIC).unlink()
    (folder / MARKER).write_text(
        (model.folder / MARKER).read_text().replace('"schema_version": 2', '"schema_version": 1')
    )
    with pytest.raises(IntegrityError, match="Learn it again, which costs no privacy"):
        open_restorer(folder)


def test_too_few_images_and_wishes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputRejectedError, match="at least 100 images"):
        material(count=100)
    with pytest.raises(UsageError, match="multiple of 4"):
        damage_of(request("super-resolve", factor=4), ImageForm(side=30))
    with pytest.raises(UsageError, match="Unknown key 'photon'"):
        damage_of(request(damage={"photon": 3.0}), FORM)
    assert damage_of(request(damage={"photons": 3.0}), FORM) == Noise(photons=3.0)


def test_a_file_says_more(tmp_path: Path) -> None:
    path = tmp_path / "restore.toml"
    path.write_text("schema = 1\n[damage]\nphotons = 40.0\n[learning]\nsteps = 7\n")
    assert read_config(path, "denoise") == ({"photons": 40.0}, replace(USUAL, steps=7))
    path.write_text("schema = 1\n[lerning]\nsteps = 7\n")
    with pytest.raises(UsageError, match="Known: damage, learning"):
        read_config(path, "denoise")
    path.write_text("schema = 1\nlearning = 3\n")
    with pytest.raises(UsageError, match="as tables"):
        read_config(path, "denoise")


def test_to_enlarge_is_learned_briefly_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert RestoreRequest(task="super-resolve").settings == read_config(None, "super-resolve")[1]
    assert RestoreRequest(task="super-resolve").settings.steps < RestoreRequest(task="denoise").settings.steps
    path = tmp_path / "restore.toml"
    path.write_text("schema = 1\n[learning]\nsteps = 1234\n")
    assert read_config(path, "super-resolve")[1].steps == 1234


def test_an_end_by_the_clock_and_an_interruption(tmp_path: Path) -> None:
    soon = RestoreRequest(task="denoise", learning=replace(QUICK, steps=10_000), minutes=1e-4)
    _, steps = learn(material().images, Noise(), FORM, soon, "learning")
    assert steps < 10_000
    stop = StopRequest()
    stop.note(2, None)
    with pytest.raises(InterruptedRunError):
        learn(material().images, Noise(), FORM, request(), "learning", lambda *_: stop.heed())
