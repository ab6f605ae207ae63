"""The invented cohort is readable, labelled, varied, and repeatable."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pydicom

from privgan.data.phantoms.phantom_images import Anatomy, draw_images
from privgan.data.phantoms.phantoms import write_phantoms
from privgan.data.sources.opening import read_images
from privgan.data.sources.wishes import Wishes


def test_the_folder_reads_back_as_labelled_patients(tmp_path: Path) -> None:
    written = write_phantoms(tmp_path, patients=80)
    loaded = read_images(tmp_path, Wishes(size=64))
    assert (len(loaded.images), loaded.refused, len(loaded.patient_keys)) == (written, {}, 80)
    assert loaded.classes == ("clear", "opacity")
    assert max(Counter(loaded.patients.tolist()).values()) <= 4
    with (tmp_path / "labels.csv").open() as stream:
        labels = {row["patient"]: row["label"] for row in csv.DictReader(stream)}
    told = {loaded.patient_keys[p]: loaded.classes[k] for p, k in zip(loaded.patients, loaded.labels, strict=True)}
    assert told == labels
    syntaxes = {str(pydicom.dcmread(file).file_meta.TransferSyntaxUID) for file in tmp_path.rglob("*.dcm")}
    assert syntaxes == {"1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"}
    # Inverted or compressed, every picture shows dark air around and between a bright body.
    assert loaded.images[:, :4, :4].mean() < 40
    assert (loaded.images[:, 55:, 28:36].mean(axis=(1, 2)) > 120).all()


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_phantoms(tmp_path / name, patients=12)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        contents.append([(path.relative_to(tmp_path / name), path.read_bytes()) for path in files])
    assert contents[0] == contents[1]


def test_opacities_are_bright_spots_in_a_lung() -> None:
    rng = np.random.default_rng(3)
    clear = Anatomy.draw(np.zeros(200, bool), rng)
    sick = Anatomy.draw(np.ones(200, bool), rng)
    lungs = np.s_[:, 14:40, 12:52]
    spread = [draw_images(anatomy, rng)[lungs].mean() for anatomy in (clear, sick)]
    assert spread[1] > spread[0] + 0.01


def test_two_takes_of_one_patient_are_nearer_than_two_patients() -> None:
    rng = np.random.default_rng(4)
    anatomy = Anatomy.draw(np.zeros(60, bool), rng)
    one, two = draw_images(anatomy, rng).reshape(60, -1), draw_images(anatomy, rng).reshape(60, -1)
    distances = np.linalg.norm(one[:, None] - two[None], axis=-1)
    nearest = distances.argmin(axis=1)
    assert (nearest == np.arange(60)).mean() > 0.5  # chance: 1/60
    assert np.diag(distances).min() > 0.3  # never identical
