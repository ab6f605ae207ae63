"""Better images as a user makes them: learned from a bundle or public images, applied, measured, refused."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from privgan.data.cohort.cohort import open_cohort
from privgan.errors import UsageError
from privgan.files import sha256_file
from privgan_uses.restoring.model import open_restorer
from tests.audits.releasing import make_gate
from tests.cli.forking import Warm
from tests.takes import takes

Privgan = Callable[..., subprocess.CompletedProcess[str]]
PUBLIC = ("--source", "phantoms of Anytown", "--licence", "CC0 1.0", "--size", 28)
QUICK = """schema = 1
[learning]
width = 8
batch = 6
steps = 3
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "restore.toml"
    path.write_text(QUICK)
    return path


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("public") / "images.npz"
    np.savez(path, images=takes(112, seed=0, side=28)[..., 0])
    return path


@pytest.fixture(scope="module")
def model(privgan: Privgan, public: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned") / "model"
    words = ("--task", "denoise", "--public", public, *PUBLIC, "--config", config)
    said = privgan("enhance", "train", folder, *words).stdout
    assert "learned 3 steps from 100 images, none of a patient" in said
    assert "Not for diagnosis" in said
    assert "terms: CC0 1.0" in said
    assert f"next: privgan enhance apply {folder} IMAGES" in said
    assert folder.stat().st_mode & 0o077 == 0
    return folder


def test_from_a_bundle_alone(fresh: Privgan, privgan: Privgan, config: Path, tmp_path: Path) -> None:
    """In the recipient's hands: neither cohort nor ledger is looked at."""
    gate = make_gate(tmp_path, count=160, formats=("npz",))
    gate.audit()
    gate.release()
    words = (
        "enhance",
        "train",
        tmp_path / "bundle",
        tmp_path / "model",
        "--task",
        "super-resolve",
        "--config",
        config,
    )
    assert (
        "--factor" in privgan(*words, "--public-key", tmp_path / "site.pub", code=2).stderr
    )  # 14 pixels are too few
    assert not (tmp_path / "model").exists()
    words = tuple("denoise" if word == "super-resolve" else word for word in words)
    said = json.loads(fresh(*words, "--public-key", tmp_path / "site.pub", "--json").stdout)
    assert (said["steps"], said["epsilon"]) == (3, 0.0)
    (origin,) = open_restorer(tmp_path / "model").facts.origins
    assert origin.set_sha256 == sha256_file(tmp_path / "bundle" / "dataset" / "manifest.json")
    assert (
        "Expected a bundle"
        in privgan("enhance", "train", tmp_path / "synthetic", tmp_path / "no", "--task", "denoise", code=2).stderr
    )


def test_an_interruption_keeps_nothing(loaded: Warm, public: Path, tmp_path: Path) -> None:
    words = ("--task", "denoise", "--public", public, *PUBLIC, "--steps", 10**6)
    process = loaded.start("enhance", "train", tmp_path / "model", *words)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".model.*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process, signal.SIGINT)
    told = loaded.wait(process)
    assert told.returncode == 130, told.stderr
    assert "nothing of this model was kept" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_restored_images_are_kept_as_patients(privgan: Privgan, model: Path, source: Path, tmp_path: Path) -> None:
    before, out = sha256_file(source), tmp_path / "restored"
    said = privgan("enhance", "apply", model, source, out).stdout
    assert "These are patients' images, and not for diagnosis" in said
    assert out.stat().st_mode & 0o077 == 0
    assert sha256_file(source) == before
    told = json.loads((out / "restored.json").read_text())
    assert told["model_sha256"] == sha256_file(model / "restorer.json")
    assert "QZX-" not in (out / "restored.json").read_text()
    assert "a folder of restored images" in privgan("scan", out, code=2).stderr
    assert "exists" in privgan("enhance", "apply", model, source, out, code=2).stderr
    alone = Path(shutil.copy(out / "restored.npz", tmp_path / "images.npz"))
    words = ("--task", "denoise", "--public", alone, *PUBLIC)
    for verb in (("scan", alone), ("prepare", alone, tmp_path / "no"), ("enhance", "train", tmp_path / "no", *words)):
        assert "holds restored ones" in privgan(*verb, code=5).stderr


def test_a_restored_picture_is_known_wherever_it_lies(privgan: Privgan, model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    picture, source = takes(1, seed=3, side=28)[0, ..., 0], tmp_path / "in" / "a.png"
    Image.fromarray(picture).save(source)
    privgan("enhance", "apply", model, source, tmp_path / "out")
    (tmp_path / "lone").mkdir()
    shutil.copy(tmp_path / "out" / "images" / "a.png", tmp_path / "lone" / "b.png")
    said = json.loads(privgan("scan", tmp_path / "lone", "--json", code=5).stdout)
    assert said["refused"] == {"restored": 1}


def test_it_is_there_in_a_notebook(public: Path, tmp_path: Path) -> None:
    import privgan

    images = privgan.PublicImages(
        path=public, source="phantoms of Anytown", licence="CC0 1.0", form=privgan.ImageForm(side=28)
    )
    learning = replace(privgan.RestoreRequest(task="denoise").settings, width=8, batch=6, steps=1)
    request, quiet = privgan.RestoreRequest(task="denoise", learning=learning), privgan.silent
    made = privgan.enhance_train((), tmp_path / "model", request, public=images, progress=quiet)
    assert (made.steps, made.epsilon) == (1, 0.0)
    restored = privgan.enhance_apply(tmp_path / "model", public, tmp_path / "out", progress=quiet)
    assert restored.images == 112
    with pytest.raises(UsageError, match="Expected a cohort"):
        privgan.enhance_evaluate(tmp_path / "model", tmp_path / "out", tmp_path / "e", privgan.Rivals(seed=1))


def test_measured_on_held_back_patients(
    privgan: Privgan, model: Path, trained: tuple[Path, Path], tmp_path: Path
) -> None:
    cohort, report = trained[0], tmp_path / "evaluation"
    said = privgan("enhance", "evaluate", model, cohort, report).stdout
    held_back = open_cohort(cohort).facts.non_members
    assert f"On {held_back} held-back patients" in said
    assert "it shows patients" in said
    found = json.loads((report / "evaluate.json").read_text())
    assert [*found["arms"]] == ["damaged", "classical", "model", "ceiling"]
    assert found["findings"]["classes"] == ["clear", "opacity"]
    assert "hallucinated" in found["findings"]["arms"]["model"]
    assert report.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in report.iterdir()) == ["evaluate.html", "evaluate.json"]
    assert "QZX-" not in (report / "evaluate.html").read_text()  # base64 has no dash: never by chance
    assert "exists" in privgan("enhance", "evaluate", model, cohort, report, code=2).stderr


def test_what_does_not_fit_is_refused(
    privgan: Privgan, model: Path, trained: tuple[Path, Path], source: Path, public: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def refused(*words: object, code: int = 2) -> str:
        told = privgan("enhance", *words, code=code).stderr
        assert not out.exists()
        return told

    assert "--source" in refused("train", out, "--task", "denoise", "--public", public, "--licence", "x")
    assert "none is missing" in refused("train", "none", out, "--task", "denoise")
    assert "denoise, super-resolve, artefact" in refused("train", out, "--task", "sharpen")
    assert "got none" in refused("train", out, "--task", "denoise")
    assert "is a cohort" in refused("apply", trained[0], source, out)
    assert "is a cohort" in refused("apply", model, trained[0], out)
    assert "is a restorer" in refused("evaluate", model, model, out)
    large = tmp_path / "large.npz"
    np.savez(large, images=takes(2, seed=0, side=56)[..., 0])
    assert "of 28 pixels a side" in refused("apply", model, large, out, code=5)
