"""The quality benchmark as a process, on pictures that everybody can tell apart, and how it splits real ones."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

pytestmark = pytest.mark.study  # four verbs as processes; the benchmark itself is no part of the product
SCRIPT = Path(__file__).parent / "benchmarks/quality.py"
COUNT, LIMIT = 40, 64
BRIEF = "schema = 1\n[privacy]\nsteps = 2\nbatch = 64\n"
SHARES = ("accuracy", "auc", "ceiling_accuracy", "ceiling_auc", "precision", "recall", "coverage")
NUMBERS = ("density", "kernel_distance", "spectrum_distance", "minutes", "prepare_minutes", "train_minutes")
FURTHER = ("generate_minutes", "evaluation_minutes", "peak_mib")


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The benchmark's own modules, which are no package of the product."""

    datasets: ModuleType
    examiner: ModuleType


@pytest.fixture(scope="module")
def steps() -> Iterator[Steps]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(SCRIPT.parent), *sys.path])
        modules = (importlib.import_module(f"quality_steps.{name}") for name in ("datasets", "examiner"))
        yield Steps(**dict(zip(("datasets", "examiner"), modules, strict=True)))


def spots(rng: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A bright spot on the left or on the right, and a little noise."""
    down, right = np.mgrid[:28, :28]
    labels = (np.arange(count) % 2).astype(np.uint8)
    centres = np.where(labels, 20, 7)[:, None, None] + rng.normal(0, 1, (count, 1, 1))
    spot = np.exp(-((down - 14) ** 2 + (right - centres) ** 2) / 20)
    grey = 60 + 150 * spot + rng.normal(0, 5, (count, 28, 28))
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8), labels[:, None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with something in the place and the form of PneumoniaMNIST."""
    place = tmp_path_factory.mktemp("public")
    rng = np.random.default_rng(0)
    sides = {"train": spots(rng, 200), "test": spots(rng, 200)}
    arrays = {
        f"{side}_{key}": value
        for side, pair in sides.items()
        for key, value in zip(("images", "labels"), pair, strict=True)
    }
    np.savez(place / "pneumoniamnist_28.npz", **arrays)
    return place


def benchmark(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(SCRIPT), *(str(word) for word in words)]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def row(folder: Path) -> dict[str, Any]:
    """The only row of a run with as little of everything as there may be."""
    (folder / "train.toml").write_text(BRIEF)
    words = ["--dataset", "pneumonia", "--epsilon", 8, "--config", folder / "train.toml", "--data", folder, "--json"]
    tiny = ["--count", COUNT, "--epochs", 4, "--limit", LIMIT, "--threads", 1]
    done = benchmark(*words, *tiny, "--grid", folder / "grid.png", "--keep", folder / "kept")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema_version"] == 1
    (only,) = found["rows"]
    return dict(only)


def test_a_row_says_what_was_asked_and_that_it_was_limited(row: dict[str, Any]) -> None:
    assert (row["dataset"], row["epsilon"], row["seed"], row["count"]) == ("pneumonia", 8, 0, COUNT)
    assert row["unit"] == "record"
    assert row["limited"] is True
    assert row["delta"] == 1e-5
    assert row["members"] == LIMIT
    assert 0 < row["spent"] <= 8
    assert row["method"]


def test_a_row_has_every_number(row: dict[str, Any]) -> None:
    for name in SHARES:
        assert 0 <= row[name] <= 1, name
    for name in (*NUMBERS, *FURTHER):
        assert np.isfinite(row[name]), name
    assert row["minutes"] == pytest.approx(
        sum(row[f"{verb}_minutes"] for verb in ("prepare", "train", "generate")), abs=0.01
    )
    assert row["peak_mib"] > 100
    assert row["reference"]["spectrum_distance"] < row["spectrum_distance"]
    assert row["reference"]["coverage"] > 0.5
    assert -1 <= row["marks_gap"] <= 1


def test_the_ceiling_is_what_anybody_can_see(row: dict[str, Any]) -> None:
    assert row["ceiling_auc"] > 0.95


def test_what_was_asked_to_be_kept_is_kept(row: dict[str, Any], folder: Path) -> None:
    (kept,) = (folder / "kept").iterdir()
    assert {"cohort", "run", "synthetic"} <= {path.name for path in kept.iterdir()}
    assert (folder / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_without_the_data_it_says_where_they_should_be(steps: Steps, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"mnist_28\.npz"):
        steps.datasets.load("mnist", tmp_path)


def test_no_patient_and_no_picture_is_on_both_sides_of_the_x_rays(steps: Steps, shared_data: Path) -> None:
    found = steps.datasets.load("xray", shared_data / "images")
    assert not np.intersect1d(found.train.patients, found.test.patients).size
    assert not {image.tobytes() for image in found.train.images} & {image.tobytes() for image in found.test.images}
    with np.load(shared_data / "images/kermany_cxr_64.npz", allow_pickle=False) as archive:
        every, kinds = len(archive["images"]), archive["classes"][archive["labels"]]
    assert len(found.train.images) + len(found.test.images) + found.dropped == every
    assert found.dropped < 20
    share = found.test.patient_count / (found.test.patient_count + found.train.patient_count)
    assert share == pytest.approx(0.2, abs=0.02)
    labels = np.concatenate([found.train.labels, found.test.labels])
    assert (kinds == "normal").sum() == pytest.approx((labels == 0).sum(), abs=found.dropped)


def test_the_source_of_the_verbs_is_the_training_part_alone(steps: Steps, folder: Path, tmp_path: Path) -> None:
    found = steps.datasets.load("pneumonia", folder)
    steps.datasets.write_source(found, tmp_path / "source.npz")
    with np.load(tmp_path / "source.npz", allow_pickle=False) as source:
        assert np.array_equal(source["images"], found.train.images[..., 0])
        assert source["labels"].tolist() == ["normal", "pneumonia"] * 100
        assert len(np.unique(source["patient_id"])) == len(source["images"]) == 200


def test_the_network_is_that_of_the_protocol(steps: Steps) -> None:
    """1.2 million parameters at 28 px, and the order of maximum and rectifier changes no number."""
    network = steps.examiner.build(28, 10).eval()
    assert sum(p.numel() for p in network.parameters()) == 320 + 18_496 + 9_216 * 128 + 128 + 1_290
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    first, second, one, two = (layer for layer in network if hasattr(layer, "weight"))
    x = F.relu(second(F.relu(first(torch.from_numpy(images)[:, None] / 255))))
    slow = two(F.relu(one(F.max_pool2d(x, 2).flatten(1)))).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(steps.examiner.probabilities(network, images), slow, atol=1e-6)


def test_an_examination_depends_on_its_seed_alone_and_on_what_was_learned(steps: Steps) -> None:
    rng = np.random.default_rng(1)
    learned, test = (
        steps.examiner.Pictures(images=i, labels=n.ravel().astype(int)) for i, n in (spots(rng, 120),) * 2
    )
    wrong = steps.examiner.Pictures(images=learned.images, labels=1 - learned.labels)

    def graded(lesson: Any) -> tuple[float, float, int]:
        grade = steps.examiner.examine(lesson, test, 2, seed=3, epochs=4, task="test")
        return grade.accuracy, grade.auc, grade.epoch

    assert graded(learned) == graded(learned)
    assert graded(learned)[1] > 0.95
    assert graded(wrong)[1] < 0.05


def test_an_auc_of_several_classes_is_the_mean_over_those_that_are_there(steps: Steps) -> None:
    chances = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1], [0.6, 0.3, 0.1]])
    assert steps.examiner.mean_auc(chances, np.array([0, 1, 0, 1])) == pytest.approx(0.75)
    assert np.isnan(steps.examiner.mean_auc(chances, np.zeros(4, int)))
