"""A set is drawn again from its run and its seed, any part without the rest, and no other images pass for it."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from scipy.stats import poisson

import privgan.synthetic.drawing as drawing_module
from privgan.arrays import Floats, Images, Integers
from privgan.errors import UsageError
from privgan.gan.networks import load_generator
from privgan.images.pixels import to_levels
from privgan.images.stored import as_stored
from privgan.synthetic.dicom.form import DicomForm
from privgan.synthetic.drawing import FARTHEST, SEEN, Asked, Drawing, rounded_otherwise
from privgan.synthetic.seed import Seed
from privgan.synthetic.synthetic_set import open_synthetic_set
from tests.places import ROOT
from tests.synthetic.making import SEED, lively_run, make_run, make_set

ASKED = Asked(count=12, classes="uniform", dicom=DicomForm(), created="2026-01-31")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("drawing") / "run")


@pytest.fixture(scope="module")
def drawing(run: Path) -> Drawing:
    return Drawing.of(run, ASKED, SEED)


@pytest.fixture(scope="module")
def images(drawing: Drawing) -> Images:
    return drawing.images()


def test_a_set_on_disk_is_drawn_again_from_what_it_says(tmp_path: Path) -> None:
    held = open_synthetic_set(make_set(tmp_path / "set", count=9, form={"classes": "effusion:2,normal:1.0"}))
    assert held.seed is not None
    again = Drawing.of(tmp_path / "set-run", Asked.of(held.manifest), held.seed)
    assert again.manifest == held.manifest
    assert again.manifest.class_policy == "normal:1,effusion:2"
    np.testing.assert_array_equal(again.labels, held.labels)
    np.testing.assert_array_equal(again.images(), held.images)
    assert again.again(held.images).exact


def test_any_image_is_drawn_without_the_others(drawing: Drawing, run: Path, images: Images) -> None:
    """In another order and by another process' generator: to the last bit of what is stored."""
    other = Drawing.of(run, ASKED, SEED)
    for position in (11, 4, 0):
        np.testing.assert_array_equal(np.rint(other.levels(position)), images[position])
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


def test_several_at_once_are_each_as_it_is_alone(drawing: Drawing, images: Images) -> None:
    """Also a level that lies between two, where adding in another order decides; and one that is no number."""
    alone = np.stack([np.rint(drawing.levels(position)) for position in range(12)])
    np.testing.assert_array_equal(images, alone)

    shape, undecided = drawing.manifest.form.shape, MagicMock(latent=drawing.generator.latent)
    together = np.full((12, *shape), 3.0)
    together[1, 0, 1], together[2, 1, 1] = 7.5 + SEEN, np.nan
    undecided.levels_together.return_value = together
    undecided.levels.return_value = np.full(shape, 7.5 - SEEN)
    drawn = replace(drawing, generator=undecided).images()
    assert [np.unique(image).tolist() for image in drawn] == [[3], [7], [7], *[[3]] * 9]


def test_it_is_the_plain_network_of_all_images_at_once(drawing: Drawing, run: Path, images: Images) -> None:
    """The obvious twin, in single precision: no stored level is farther from it than rounding explains."""
    network = load_generator(run).network
    z = np.stack([SEED.normal("image", position, drawing.generator.latent) for position in range(12)])
    with torch.no_grad():
        plain = as_stored(to_levels(network(torch.from_numpy(z).float(), torch.from_numpy(drawing.labels))))
    assert np.abs(plain - images).max() < 0.52


def test_progress_is_told_to_its_end(drawing: Drawing, images: Images) -> None:
    heard: list[tuple[str, int, int]] = []
    drawing.again(images, lambda task, done, total, *_: heard.append((task, done, total)))
    assert heard[-1] == ("drawing images again", 12, 12)


def moved(images: Images, position: int, by: int, pixels: slice = slice(None)) -> Images:
    other = images.copy()
    part = other[position, 3, pixels].astype(int)
    other[position, 3, pixels] = np.where(part < 128, part + by, part - by)
    return other


def exchanged(images: Images, one: int, other: int) -> Images:
    order = np.arange(len(images))
    order[[one, other]] = other, one
    return images[order]


def doubled(images: Images) -> Images:
    other = images.copy()
    other[5] = other[8]
    return other


FOREIGN: dict[str, tuple[int, Callable[[Images], Images]]] = {
    "nothing": (0, lambda images: images),
    "a row of an image by 2 levels": (1, lambda images: moved(images, 7, 2)),
    "one pixel by 1 level": (1, lambda images: moved(images, 7, 1, slice(4, 5))),
    "two images by 2 levels": (2, lambda images: moved(moved(images, 2, 2), 9, 2)),
    "two exchanged": (2, lambda images: exchanged(images, 1, 10)),
    "one twice": (1, doubled),
    "turned around": (12, lambda images: images[:, ::-1]),
    "all shifted by one": (12, lambda images: np.roll(images, 1, axis=0)),
}


@pytest.mark.parametrize(
    "model", [{}, {"pose": True, "brightness": True}, {"network": "mlp", "align": False}, {"finish": 8}]
)
def test_several_at_once_are_the_same_images(tmp_path: Path, model: dict[str, Any]) -> None:
    """A tenth of what a machine is thought to err, although the libraries add in another order."""
    generator = load_generator(lively_run(tmp_path / "run", **model))
    z, labels = np.random.default_rng(0).standard_normal((7, generator.latent)), np.arange(7) % 2
    alone = np.stack([generator.levels(*each) for each in zip(z, labels.tolist(), strict=True)])
    assert np.abs(generator.levels_together(z, labels) - alone).max() < SEEN / 10


@pytest.mark.parametrize("at_once", [1, 5, 12])
@pytest.mark.parametrize("name", FOREIGN)
def test_every_image_that_is_not_the_seeds_is_counted(
    drawing: Drawing, images: Images, name: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing_module, "_TOGETHER", at_once)
    count, change = FOREIGN[name]
    found = drawing.again(change(images))
    assert (found.others, found.between) == (count, 0)
    np.testing.assert_array_equal(found.images, images)


class Stub:
    """A generator whose levels are given: (n, 4, 4) of the images in turn."""

    latent = 1

    def __init__(self, levels: Floats) -> None:
        self._levels = levels

    def levels_together(self, *_: Floats | Integers) -> Floats:
        """All of them."""
        return self._levels

    def levels(self, *_: Floats | int) -> Floats:
        """The first one's."""
        return self._levels[0]


def stubbed(drawing: Drawing, levels: Floats) -> Drawing:
    manifest = replace(drawing.manifest, count=len(levels))
    return replace(drawing, manifest=manifest, generator=Stub(levels))  # type: ignore[arg-type]  # draws alone are asked of it


def test_a_level_that_lies_between_two_may_be_either(drawing: Drawing) -> None:
    """One that lies between them as other machines round; what is farther away than that is another image."""
    for between, expected in ((0.0, (0, 1, 1)), (0.5e-8, (0, 1, 1)), (2e-8, (1, 0, 0)), (0.001, (1, 0, 0))):
        levels = np.full((1, 4, 4), 7.0)
        levels[0, 2, 1] = 9.5 + between
        images = np.floor(levels).astype(np.uint8)
        found = stubbed(drawing, levels).again(images)
        assert (found.others, found.between, found.open) == expected
        assert found.images[0, 2, 1] == 10


def test_no_more_pixels_than_chance_rounds_otherwise(drawing: Drawing) -> None:
    """What a channel needs, many pixels at once, no machine explains."""
    levels = np.full((1, 4, 4), 9.5)
    images = np.full((1, 4, 4), 10, np.uint8)
    assert stubbed(drawing, levels).again(images).explained
    images[0, 0, :2] = 9
    found = stubbed(drawing, levels).again(images)
    assert (found.others, found.between, found.open, found.explained) == (0, 2, 16, False)


@pytest.mark.parametrize("pixels", [1, 10**7, 10**9, 10**11])
def test_as_many_as_chance_allows_is_a_tail_of_poissons(pixels: int) -> None:
    """The twin by scipy: at most one set in a million has more, and one fewer would be passed more often."""
    most, mean = rounded_otherwise(pixels), 2 * SEEN * pixels
    assert poisson.sf(most, mean) <= 1e-6
    assert most == 0 or mean**most / math.factorial(most) > 1e-6


def test_what_may_be_stored_either_way_is_less_than_a_bit_of_a_large_set() -> None:
    """Of 3,000 images of 64 pixels a quarter of a pixel lies between two levels."""
    assert 3000 * 64**2 * 2 * (FARTHEST - 0.5) < 0.3


def test_another_seed_or_generator_draws_other_images(run: Path, images: Images) -> None:
    assert Drawing.of(run, ASKED, Seed(value=bytes(32))).again(images).others == 12
    other = Drawing.of(run, ASKED, SEED)
    other.generator.network.last.weight.data += 0.01
    assert other.again(images).others == 12


def test_what_is_no_number_is_no_image(run: Path, images: Images) -> None:
    broken = Drawing.of(run, ASKED, SEED)
    broken.generator.network.last.weight.data *= torch.nan
    assert broken.again(images).others == 12


CHILD = """
import sys
from pathlib import Path
import numpy as np
import torch
from privgan.synthetic.dicom.form import DicomForm
import privgan.synthetic.drawing as drawing_module
from privgan.synthetic.drawing import Asked, Drawing
from tests.places import ROOT
from tests.synthetic.making import SEED
torch.set_num_threads(int(sys.argv[2]))
asked = Asked(count=6, classes="uniform", dicom=DicomForm(), created="2026-01-31")
for run in sys.argv[3:]:
    drawing = Drawing.of(Path(run), asked, SEED)
    np.save(f"{run}-{sys.argv[1]}.npy", np.stack([drawing.levels(position) for position in range(6)]))
"""
# Other instructions for torch, MKL, oneDNN and NumPy: the libraries' own switches for other processors.
OTHER_MACHINE = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
}


MODELS: dict[str, dict[str, Any]] = {
    "plain": {},
    "moving": {"pose": True, "brightness": True},
    "mlp": {"network": "mlp", "align": False},
    "finished": {"finish": 8},
}


@pytest.fixture(scope="module")
def drawn_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the levels that each of two machines, here and there, drew from each model's run."""
    folder = tmp_path_factory.mktemp("machines")
    runs = [str(lively_run(folder / name, **model)) for name, model in MODELS.items()]
    for machine, threads, change in (("here", 1, {}), ("there", 2, OTHER_MACHINE)):
        line = [sys.executable, "-W", "ignore", "-c", CHILD, machine, str(threads), *runs]
        subprocess.run(line, env={**os.environ, **change}, check=True, cwd=ROOT)
    return folder


@pytest.mark.parametrize("model", MODELS)
def test_another_machine_draws_the_same(drawn_twice: Path, model: str) -> None:
    """A tenth of what a machine is thought to err, although other instructions add in another order."""
    here, there = (np.load(drawn_twice / f"{model}-{machine}.npy") for machine in ("here", "there"))
    assert here.std() > 5
    assert np.abs(here - there).max() < SEEN / 10


@pytest.mark.parametrize("day", ["", "yesterday", "20260131T10", "2026-13-01"])
def test_a_set_is_of_a_day(run: Path, day: str) -> None:
    with pytest.raises(UsageError, match="YYYY-MM-DD"):
        Drawing.of(run, Asked(count=1, classes="uniform", dicom=DicomForm(), created=day), SEED)
