"""A public prior as a user learns and uses it: interrupted, gone on with, trained from, drawn from, refused."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from privgan.errors import IntegrityError
from privgan.folders import unfinished_folder
from privgan.gan.networks.public_prior import IMAGES, WEIGHTS, open_prior
from privgan.images.stored import as_stored, with_channels
from privgan.run import read_run, write_run
from privgan.synthetic.drawing import Asked, Drawing
from privgan.synthetic.synthetic_set import open_synthetic_set
from tests.cli.forking import Warm
from tests.priors import make_prior
from tests.takes import takes

Privgan = Callable[..., subprocess.CompletedProcess[str]]
ASKED = ("--epsilon", 4, "--accept-noise")
WORDS = ("--source", "phantoms of Anytown", "--licence", "CC0 1.0", "--size", 28)
KIND = ("--modality", "CR", "--body-part", "CHEST")


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("public") / "images.npz"
    np.savez(path, images=as_stored(takes(200, seed=0, side=28)))
    return path


@pytest.fixture(scope="module")
def prior(privgan: Privgan, loaded: Warm, public: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stopped by Ctrl-C while it learns, and gone on with."""
    folder = tmp_path_factory.mktemp("learned") / "prior"
    process = loaded.start("prior", public, folder, *WORDS, *KIND, "--steps", 3)
    deadline = time.monotonic() + 120
    while not (unfinished_folder(folder) / IMAGES).exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process, signal.SIGINT)
    told = loaded.wait(process)
    assert told.returncode == 130, told.stderr
    assert "1 steps are learned" in told.stderr
    assert "--resume" in told.stderr
    assert not folder.exists()
    said = privgan("prior", public, folder, *WORDS, *KIND, "--steps", 3, "--resume").stdout
    assert "learned 3 steps from 200 public images of 28 px" in said
    return folder


def test_it_says_whose_images_it_learned_from(prior: Path) -> None:
    opened = open_prior(prior)
    assert (opened.facts.source, opened.facts.licence) == ("phantoms of Anytown", "CC0 1.0")
    assert opened.facts.form.called == "CR CHEST"
    assert sorted(path.name for path in prior.iterdir()) == [
        "contact.png",
        "finish.safetensors",
        "images.npy",
        "prior.json",
    ]


@pytest.mark.parametrize("steps", [0, 3])
def test_a_set_of_a_run_with_a_prior_is_drawn_again(
    privgan: Privgan, new_cohort: Callable[[], Path], fast_config: Path, prior: Path, tmp_path: Path, steps: int
) -> None:
    cohort, run, made = new_cohort(), tmp_path / "run", tmp_path / "synthetic"
    privgan("train", cohort, run, *ASKED, "--config", fast_config, "--steps", steps, "--prior", prior)
    assert read_run(run).prior == open_prior(prior).named
    privgan("generate", run, made, "--count", 4, "--format", "npz")
    held = open_synthetic_set(made)
    assert held.manifest.prior == open_prior(prior).named
    assert held.seed is not None
    drawing = Drawing.of(run, Asked.of(held.manifest), held.seed)
    assert drawing.manifest == held.manifest
    assert drawing.again(held.images).exact
    for named in (None, replace(open_prior(prior).named, sha256="0" * 64)):
        write_run(run, replace(read_run(run), prior=named))  # the ledger knows nothing of this file
        with pytest.raises(IntegrityError, match="public prior that the generator was made with"):
            Drawing.of(run, Asked.of(held.manifest), held.seed)


def test_words_that_are_missing_and_images_that_are_few_are_refused(
    privgan: Privgan, public: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "prior"
    privgan("prior", public, folder, "--licence", "CC0", code=2)
    privgan("prior", public, folder, "--source", " ", "--licence", "CC0", "--size", 28, code=2)
    few = tmp_path / "few.npz"
    np.savez(few, images=as_stored(takes(199, seed=0, side=28)))
    said = privgan("prior", few, folder, *WORDS, code=5).stderr
    assert "at least 200 public images, got 199" in said
    assert not folder.exists()


def test_a_cohort_s_own_images_are_no_public_ones(
    privgan: Privgan, new_cohort: Callable[[], Path], tmp_path: Path
) -> None:
    """Nothing is charged, and nobody learns which they are."""
    cohort = new_cohort()
    before = (cohort / "private" / "ledger.jsonl").read_bytes()
    images = takes(20, seed=0, side=28)
    images[[3, 8]] = with_channels(np.load(cohort / "images.npy"))[[0, 40], ::-1]
    mixed = make_prior(tmp_path / "mixed", images).folder
    said = privgan("train", cohort, tmp_path / "run", *ASKED, "--prior", mixed, code=5).stderr
    assert "2 of 20 show its patients" in said
    assert not (tmp_path / "run").exists()
    assert (cohort / "private" / "ledger.jsonl").read_bytes() == before


def test_priors_that_do_not_fit_or_were_edited_are_refused(
    privgan: Privgan, new_cohort: Callable[[], Path], prior: Path, tmp_path: Path
) -> None:
    cohort, run = new_cohort(), tmp_path / "run"
    large = make_prior(tmp_path / "large", takes(5, seed=0, side=32)).folder
    privgan("train", cohort, run, *ASKED, "--prior", large, code=2)
    colour = make_prior(tmp_path / "colour", np.repeat(takes(5, seed=0, side=28), 3, axis=3)).folder
    privgan("train", cohort, run, *ASKED, "--prior", colour, code=2)
    edited = make_prior(tmp_path / "edited", takes(5, seed=0, side=28)).folder
    (edited / WEIGHTS).write_bytes(b"weights")
    assert WEIGHTS in privgan("train", cohort, run, *ASKED, "--prior", edited, code=6).stderr
    (edited / "prior.json").write_text(json.dumps({"schema_version": 1, "kind": "prior"}))
    privgan("train", cohort, run, *ASKED, "--prior", edited, code=6)
    privgan("train", cohort, run, *ASKED, "--prior", tmp_path, code=2)
    assert not run.exists()


def test_a_prior_of_another_kind_is_refused_before_anything_is_charged(
    privgan: Privgan, source: Path, tmp_path: Path
) -> None:
    """Both say what they show; what neither headers nor a person says is nobody's contradiction."""
    cohort, run = tmp_path / "cohort", tmp_path / "run"
    privgan("prepare", source, cohort, "--size", 28, "--accept-low-power", "--max-epsilon", 20, *KIND)
    before = (cohort / "private" / "ledger.jsonl").read_bytes()
    heads = make_prior(tmp_path / "heads", takes(5, seed=0, side=28), kind=("CT", "HEAD")).folder
    said = privgan("train", cohort, run, *ASKED, "--prior", heads, code=2).stderr
    assert "called CR CHEST, as this cohort's are, got one of images called CT HEAD" in said
    assert (cohort / "private" / "ledger.jsonl").read_bytes() == before
    assert not run.exists()
