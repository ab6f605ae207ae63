"""What `--gains` of the quality benchmark measures: a set beside the one that the same latents give without gains."""

import importlib
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from privgan.arrays import Images, Integers
from privgan.gan.networks import load_generator
from privgan.images.pixels import to_levels
from privgan.images.stored import with_channels
from privgan.synthetic.generate import GenerateOptions, generate
from privgan.synthetic.synthetic_set import SEED as SEED_FILE
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.evidence.interface import Sample
from tests.places import ROOT
from tests.synthetic.making import CLASSES, SEED, lively_run

COUNT, FIRST = 9, 7
PAGE = ROOT / "docs/results/quality.md"
LINE = re.compile(r"make quality MINUTES= DATASETS=(\S+) EPSILON=(\S+) QUALITY=\"(.*)\"")
SIDES = ("with_gains", "without_gains")


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark, which is no package of the product."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "tests/benchmarks"), *sys.path])
    return importlib.import_module("quality")


def test_every_line_that_makes_a_row_again_is_one_that_the_benchmark_takes(
    benchmarks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With settings that are there; a loop's variable is each file that it goes through."""
    steps, page = "tests/benchmarks/quality_steps", PAGE.read_text(encoding="utf-8")
    lines = LINE.findall(page[page.index("## Again") :])
    assert len(lines) == page.count("make quality MINUTES=") >= 13
    for dataset, epsilon, words in lines:
        for one in sorted((ROOT / steps / "ablation").glob("*.toml")) if "$one" in words else [Path()]:
            told = words.replace("$settings", str(ROOT / steps)).replace("$one", str(one))
            line = ["quality.py", "--dataset", dataset, "--epsilon", epsilon, *shlex.split(told)]
            monkeypatch.setattr(sys, "argv", line)
            asked = benchmarks.words()
            assert asked.config is None or asked.config.is_file()
            assert min(asked.epsilons) > 0


class Beholder:
    """Stands in for `likeness`, which takes a minute: keeps what it is shown and numbers it."""

    def __init__(self) -> None:
        self.shown: list[Sample] = []

    def __call__(self, _dataset: object, sample: Sample, _folder: Path) -> dict[str, dict[str, float]]:
        """Only a precision: of other numbers there were too few pictures."""
        self.shown.append(sample)
        return {"synthetic": {"precision": float(len(self.shown))}}


@pytest.fixture
def beholder(benchmarks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Beholder:
    found = Beholder()
    monkeypatch.setattr(sys.modules["quality_steps.gains"], "likeness", found)
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`run`, with a prior, and its `synthetic` set, as the benchmark keeps them; `plain` is a run without."""
    folder = tmp_path_factory.mktemp("gains")
    lively_run(folder / "plain")
    (folder / "synthetic").mkdir()
    options = GenerateOptions(count=COUNT, formats=("npz",))
    generate(lively_run(folder / "run", finish=8), folder / "synthetic", options, SEED)
    return folder


def plainly_drawn(run: Path, labels: Integers, *, gains: bool) -> Images:
    """Step by step in double precision, the finished image strengthened or left alone."""
    network = load_generator(run).network.double()
    assert network.finish is not None
    assert network.strengths is not None
    of_label = torch.from_numpy(labels)
    latents = [SEED.normal("image", position, network.config.latents) for position in range(len(labels))]
    z, first = torch.from_numpy(np.stack(latents)), network.config.mixture.latent
    with torch.no_grad():
        image = network.finish(network.start(z[:, :first], of_label), z[:, first:]).clamp(-1, 1)
        if gains:
            image = network.strengths(image, of_label).clamp(-1, 1)
        whole = F.hardtanh(image + network.detail(z, image))
    return np.rint(to_levels(whole)).astype(np.uint8)


def measured(benchmarks: ModuleType, place: Path, run: str = "run") -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = benchmarks.with_and_without_gains(
        SimpleNamespace(), place / run, place / "synthetic"
    )
    return found


def test_both_sets_are_of_the_same_latents_and_one_has_no_gains(
    benchmarks: ModuleType, beholder: Beholder, place: Path
) -> None:
    measured(benchmarks, place)
    held, labels = open_synthetic_set(place / "synthetic").images, open_synthetic_set(place / "synthetic").labels
    strong, plain = beholder.shown
    for sample, gains in ((strong, True), (plain, False)):
        np.testing.assert_array_equal(sample.images, plainly_drawn(place / "run", labels, gains=gains))
        np.testing.assert_array_equal(sample.labels, labels)
        assert (sample.patients < 0).all()
    np.testing.assert_array_equal(strong.images, with_channels(held))
    assert (strong.images != plain.images).mean() > 0.2


def test_only_the_first_pictures_are_looked_at(
    benchmarks: ModuleType, beholder: Beholder, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(benchmarks, place)
    monkeypatch.setattr(sys.modules["quality_steps.gains"], "FEW", FIRST)
    measured(benchmarks, place)
    for whole, few in zip(beholder.shown[:2], beholder.shown[2:], strict=True):
        np.testing.assert_array_equal(few.images, whole.images[:FIRST])
        np.testing.assert_array_equal(few.labels, whole.labels[:FIRST])


@pytest.mark.usefixtures("beholder")
def test_each_number_is_its_own_sets(benchmarks: ModuleType, place: Path) -> None:
    found = measured(benchmarks, place)
    nothing = dict.fromkeys(benchmarks.NUMBERS)
    assert found == {side: {**nothing, "precision": number} for side, number in zip(SIDES, (1.0, 2.0), strict=True)}


@pytest.mark.usefixtures("beholder")
def test_a_run_without_a_prior_and_a_set_without_its_seed_are_refused(
    benchmarks: ModuleType, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "synthetic").mkdir()
    generate(place / "plain", tmp_path / "synthetic", GenerateOptions(count=COUNT, formats=("npz",)), SEED)
    with pytest.raises(SystemExit, match="a run with a prior"):
        benchmarks.with_and_without_gains(SimpleNamespace(), place / "plain", tmp_path / "synthetic")
    (tmp_path / "synthetic" / SEED_FILE).unlink()
    with pytest.raises(SystemExit, match="it was taken away"):
        benchmarks.with_and_without_gains(SimpleNamespace(), place / "plain", tmp_path / "synthetic")


@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.usefixtures("beholder")
def test_a_row_has_both_where_it_was_asked_for(
    benchmarks: ModuleType, place: Path, monkeypatch: pytest.MonkeyPatch, *, asked: bool
) -> None:
    """Everything else that a row has is measured elsewhere."""
    words = ["--dataset", "xray", "--epsilon", "3", "--prior", str(place), "--count", str(COUNT)]
    monkeypatch.setattr(sys, "argv", ["quality.py", *words, *["--gains"] * asked])
    whole: dict[str, Any] = {"epsilon": 3.0, "delta": 1e-5, "members": 9, "steps": 0, "peak_mib": 1, "named": {}}
    made = SimpleNamespace(synthetic=place / "synthetic", minutes={"train": 1.0}, **whole)
    grade = SimpleNamespace(accuracy=0.5, auc=0.5, marks_gap=0.0, epoch=1)
    for name, answer in {"make_synthetic": made, "graded": grade, "likeness": {}, "realism": {}}.items():
        monkeypatch.setattr(benchmarks, name, lambda *_, answer=answer: answer)
    dataset = SimpleNamespace(name="xray", classes=CLASSES, unit="patient")
    row = benchmarks.measured(dataset, benchmarks.words(), 3.0, 0, place)
    assert {side: row[side]["precision"] for side in SIDES if side in row} == (
        dict(zip(SIDES, (1.0, 2.0), strict=True)) if asked else {}
    )


def test_without_a_prior_there_is_nothing_to_measure(
    benchmarks: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["quality.py", "--dataset", "xray", "--epsilon", "3", "--gains"])
    with pytest.raises(SystemExit):
        benchmarks.words()
    assert "--gains needs a --prior" in capsys.readouterr().err
