"""Colour on the command line: asked for at `prepare`, and at audits of files alone."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.data.phantom_photos import Skin, draw_photos

Privgan = Callable[..., subprocess.CompletedProcess[str]]


def photographs(path: Path, count: int = 12) -> Path:
    rng = np.random.default_rng(0)
    images = draw_photos(Skin.draw(rng.random(count) < 0.5, rng), rng, 28)
    np.savez(path, images=images, patient_id=[f"p{row}" for row in range(count)])
    return path


def test_a_colour_cohort_is_made_only_when_that_is_said(privgan: Privgan, tmp_path: Path) -> None:
    source, cohort = photographs(tmp_path / "photos.npz"), tmp_path / "cohort"
    words = ("prepare", source, cohort, "--size", "28", "--accept-low-power")
    refused = privgan(*words, code=5)
    assert "--colour" in refused.stderr
    assert not cohort.exists()
    said = privgan(*words, "--colour", "--json")
    assert json.loads(said.stdout)["channels"] == 3
    assert json.loads((cohort / "cohort.json").read_text())["channels"] == 3
    scanned = json.loads(privgan("scan", source, "--preset", "photo", "--json").stdout)
    assert (scanned["readable"], scanned["preset"]) == (12, "photo")


def test_grey_presets_and_cohorts_take_no_colour(privgan: Privgan, tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos.npz")
    report = ("--report", tmp_path / "report")
    for words, message in (
        (("scan", source, "--colour", "--preset", "mr"), "photo or custom"),
        (("audit", source, "--cohort", tmp_path, "--colour", *report), "--members alone"),
    ):
        assert message in privgan(*words, code=2).stderr


def test_files_in_colour_need_the_word_at_an_audit(privgan: Privgan, tmp_path: Path) -> None:
    source = photographs(tmp_path / "photos.npz")
    words = ("audit", source, "--members", source, "--report", tmp_path / "report")
    refused = privgan(*words, code=5)
    assert "--colour" in refused.stderr
    privgan(*words, "--colour", code=3)  # the members themselves
    notes = json.loads((tmp_path / "report" / "audit.json").read_text())["notes"]
    assert any("red, green and blue" in note for note in notes)
