"""Populations for the audit's tests, smooth random pictures that share an anatomy, as X-rays do; released bundles."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from markupsafe import Markup
from numpy.typing import NDArray
from scipy import ndimage
from threadpoolctl import threadpool_limits

from privgan.images.stored import with_channels
from privgan.language import language
from privgan_audits.evidence.interface import Evidence, Sample
from privgan_audits.telling import plots
from tests.audits.releasing import Gate, copied, make_gate, make_released
from tests.brief import EMBEDDING, PLANTING, USE

SIZE = 32
Draw = Callable[..., Sample]
Weigh = Callable[..., Evidence]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Many small matrices: on a busy machine two threads wait for each other ten times as long as one works."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", autouse=True)
def briefly_trained(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever is not about the embedding itself, or a study, learns it in a fifth of the time.

    Likewise the judges of use, where tests are not about those.
    """
    name = request.module.__name__
    brief = EMBEDDING if ".utility." in name else {**EMBEDDING, **USE}
    with pytest.MonkeyPatch.context() as patch:
        if not name.endswith(("test_embedding", "test_false_alarms", "curves", "studies")):
            for (module, number), value in brief.items():
                patch.setattr(module, number, value)
        yield


@pytest.fixture(scope="module")
def planted_where_it_gates() -> Iterator[None]:
    """Audits plant copies in the disguises that decide the verdict; the fifteen others only inform its reader."""
    with pytest.MonkeyPatch.context() as patch:
        for (module, number), value in PLANTING.items():
            patch.setattr(module, number, value)
        yield


@pytest.fixture(scope="session")
def _charts() -> dict[object, Markup]:
    """Every chart that was drawn in this process."""
    return {}


@pytest.fixture(scope="module", autouse=True)
def drawn_once(request: pytest.FixtureRequest, _charts: dict[object, Markup]) -> Iterator[None]:
    """A chart of the same numbers in the same language is not drawn again, which is most of the work of a page.

    Where a test asks whether it would be the same again, it is.
    """
    usual = plots._drawn

    def drawn(paint: plots.Paint, **named: Any) -> Markup:
        with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
            shown = repr([cell.cell_contents for cell in paint.__closure__ or ()])  # type: ignore[attr-defined]
        key = paint.__qualname__, shown, tuple(named.items()), language()
        if key not in _charts:
            _charts[key] = usual(paint, **named)
        return _charts[key]

    with pytest.MonkeyPatch.context() as patch:
        if not request.module.__name__.endswith("test_again"):
            patch.setattr(plots, "_drawn", drawn)
        yield


@pytest.fixture(scope="session")
def draw() -> Draw:
    """Call with rng, patients, first=0, most=3: patients numbered from `first`, 1 to `most` alike images each."""
    anatomy = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(SIZE, SIZE)), 5)

    def fields(rng: np.random.Generator, count: int, width: float) -> NDArray[np.float64]:
        rough = rng.normal(size=(count, SIZE, SIZE))
        smooth = ndimage.gaussian_filter(rough, (0, width, width), mode="wrap")
        return np.asarray(smooth / smooth.std())

    def make(rng: np.random.Generator, patients: int, first: int = 0, most: int = 3) -> Sample:
        owner = np.repeat(np.arange(patients), rng.integers(1, most + 1, patients))
        own = fields(rng, patients, 3.0)[owner] + 0.3 * fields(rng, len(owner), 2.0)
        grey = 120 + 25 * anatomy / anatomy.std() + 18 * own + rng.normal(0, 2, own.shape)
        images = with_channels(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
        return Sample(images=images, labels=np.zeros(len(owner), np.int64), patients=owner + first)

    return make


@pytest.fixture(scope="session")
def weigh(tmp_path_factory: pytest.TempPathFactory) -> Weigh:
    """Call with members, non_members, images: files-only evidence about synthetic images."""
    folder: Path = tmp_path_factory.mktemp("synthetic")

    def make(members: Sample, non_members: Sample | None, images: NDArray[np.uint8]) -> Evidence:
        numbers = np.arange(len(images))
        return Evidence(
            members=members,
            non_members=non_members,
            synthetic=Sample(images=images, labels=np.zeros_like(numbers), patients=numbers),
            synthetic_folder=folder,
            synthetic_sha256="0" * 64,
            classes=("image",),
        )

    return make


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """What `gate` is a copy of; a module that begins with another one has its own fixture of this name."""
    return make_gate(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def gate(untouched: Gate, tmp_path: Path) -> Gate:
    """A cohort, a set of its run and a key, to be changed."""
    return copied(untouched, tmp_path)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Approved and released; a module that needs another release has its own fixture of this name."""
    return make_released(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def bundle(released: Gate, tmp_path: Path) -> Path:
    """A copy of its bundle, to be harmed."""
    return Path(shutil.copytree(released.root / "bundle", tmp_path / "bundle"))
