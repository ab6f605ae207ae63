"""A prior is opened only as it was written; what a run names is its prior.json."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from privgan.errors import IntegrityError, UsageError
from privgan.files import sha256_file
from privgan.gan.networks.public_prior import IMAGES, MARKER, WEIGHTS, open_prior, require_fitting, uncompared
from privgan.images.form import ImageForm
from tests.priors import LICENCE, SOURCE, make_prior
from tests.takes import takes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_prior(tmp_path / "prior", takes(6, seed=0, side=28)).folder


def _edit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def _facts(folder: Path, **changes: object) -> None:
    """Change prior.json, with digests that agree again."""
    table = json.loads((folder / MARKER).read_text())
    table["digests"] = {name: sha256_file(folder / name) for name in table["digests"]}
    (folder / MARKER).write_text(json.dumps({**table, **changes}))


def _fewer_images(folder: Path) -> None:
    np.save(folder / IMAGES, np.load(folder / IMAGES)[:-1])
    _facts(folder)


def _numbers_of_another_kind(folder: Path) -> None:
    np.save(folder / IMAGES, np.load(folder / IMAGES).astype(np.float32))
    _facts(folder)


EDITED: list[Callable[[Path], object]] = [
    lambda folder: _edit(folder / WEIGHTS),
    lambda folder: _edit(folder / IMAGES),
    lambda folder: _edit(folder / "contact.png"),
    lambda folder: (folder / WEIGHTS).unlink(),
    _fewer_images,
    _numbers_of_another_kind,
    lambda folder: _facts(folder, digests={}),
    lambda folder: _facts(folder, kind="run"),
    lambda folder: _facts(folder, images="6"),
    lambda folder: _facts(folder, further=1),
    lambda folder: (folder / MARKER).write_text("{"),
]


@pytest.mark.parametrize("edit", EDITED)
def test_an_edited_prior_is_refused(folder: Path, edit: Callable[[Path], object]) -> None:
    edit(folder)
    with pytest.raises(IntegrityError):
        open_prior(folder)


def test_what_is_no_prior_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Expected a prior \(of .*that privgan did not make"):
        open_prior(tmp_path)


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    _facts(folder, width=16)
    with pytest.raises(IntegrityError, match="weights that fit"):
        open_prior(folder).network()
    weights = load_file(folder / WEIGHTS)
    weights.pop("last.bias")
    save_file(weights, folder / WEIGHTS)
    _facts(folder, width=8)
    with pytest.raises(IntegrityError, match="weights that fit"):
        open_prior(folder).network()


def test_a_copy_is_the_same_prior(folder: Path, tmp_path: Path) -> None:
    first = open_prior(folder)
    first.copy(tmp_path / "copy")
    again = open_prior(tmp_path / "copy")
    assert again.named == first.named
    assert (first.named.source, first.named.licence, first.named.images) == (SOURCE, LICENCE, 6)
    assert first.named.sha256 == sha256_file(folder / MARKER)
    assert (again.images == takes(6, seed=0, side=28)).all()


def test_images_of_another_kind_do_not_fit_where_both_say_their_own(tmp_path: Path) -> None:
    """Two words of DICOM may be one kind; who says nothing, or that it is some other, contradicts nobody."""
    prior = make_prior(tmp_path / "chests", takes(2, seed=0, side=28), kind=("DX", "CHEST"))
    assert open_prior(prior.folder).facts.form.called == "DX CHEST"
    alike = [("DX", "CHEST"), ("CR", "LUNG"), ("OT", "CHEST"), ("", "CHEST"), ("CR", ""), ("OT", "")]
    others = [("CT", "CHEST"), ("DX", "HEAD"), ("CT", ""), ("", "HEAD"), ("OT", "HEAD"), ("MG", "BREAST")]
    for modality, part in [*alike, *others]:
        form = ImageForm(side=28, classes=("a",), modality=modality, body_part=part)
        if (modality, part) in alike:
            require_fitting(prior, form)
        else:
            with pytest.raises(UsageError, match=r"Expected a prior of images called .*, got one .* DX CHEST"):
                require_fitting(prior, form)
    said = [bool(uncompared(prior, ImageForm(side=28, modality=m, body_part=part))) for m, part in alike]
    assert said == [False, False, True, True, True, True]


def test_a_prior_of_before_that_says_no_kind_fits_and_that_is_said(folder: Path) -> None:
    table = json.loads((folder / MARKER).read_text())
    for name in ("modality", "body_part"):
        del table[name]
    (folder / MARKER).write_text(json.dumps(table))
    prior, form = open_prior(folder), ImageForm(side=28, classes=("a",), modality="CT", body_part="HEAD")
    require_fitting(prior, form)
    assert uncompared(prior, form).startswith("the prior does not say")


def test_only_images_of_its_size_and_colour_fit(folder: Path) -> None:
    prior = open_prior(folder)
    require_fitting(prior, ImageForm(side=28, classes=("a", "b")))
    for form in (ImageForm(side=32, classes=("a",)), ImageForm(side=28, classes=("a",), channels=3)):
        with pytest.raises(UsageError, match="Learn another one"):
            require_fitting(prior, form)
