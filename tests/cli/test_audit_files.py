"""Audits from files alone, as processes: the exit code is the verdict."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

Privgan = Callable[..., subprocess.CompletedProcess[str]]
Array = np.ndarray[Any, np.dtype[np.uint8]]


def _blobs(count: int, seed: int) -> Array:
    noise = np.random.default_rng(seed).standard_normal((count, 28, 28))
    return np.clip(128 + 400 * gaussian_filter(noise, (0, 3, 3)), 0, 255).astype(np.uint8)


def _save(path: Path, images: Array, name: str) -> Path:
    people = np.array([f"{name}-{row:06d}" for row in range(len(images))])
    np.savez(path, images=images, labels=np.zeros(len(images), dtype=np.int64), patient_id=people)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """1,333 members, 667 non-members, 800 synthetic images: all from one population."""
    folder = tmp_path_factory.mktemp("files")
    drawn = _blobs(2800, 11)
    return (
        _save(folder / "synthetic.npz", drawn[:800], "s"),
        _save(folder / "members.npz", drawn[800:2133], "m"),
        _save(folder / "non-members.npz", drawn[2133:], "n"),
    )


def _images(path: Path) -> Array:
    with np.load(path) as held:
        images: Array = held["images"]
    return images


def test_an_independent_sample_passes_without_a_claim(
    fresh: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Exit 0; the scope says that this is evidence and not a guarantee; the JSON has the promised fields."""
    synthetic, members, others = files
    words = ("audit", synthetic, "--members", members, "--non-members", others, "--report", tmp_path / "r")
    said = json.loads(fresh(*words, "--json").stdout)
    record = json.loads((tmp_path / "r" / "audit.json").read_text())
    for value in (said, record):
        assert value["verdict"] == "PASS"
        assert value["scope"] == "empirical"
        assert value["privacy"]["epsilon"] is None
        assert len(value["policy"]["sha256"]) == 64
        assert {test["id"] for test in value["tests"]} == {f"T{number}" for number in (*range(5), *range(6, 12))}
        assert all("outcome" in test for test in value["tests"])
        assert isinstance(value["reasons"], list)
        assert value["schema_version"] == 1
    limits = next(test for test in record["tests"] if test["id"] == "T0")["limit_of_detection"]
    assert all(10 <= limits[kind] <= 20 for kind in ("exact", "flip"))
    assert any("No DP claim" in note for note in record["notes"])


def test_three_per_cent_copies_of_distinct_members_exit_3(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Flipped; each copy carries 1 % noise, so that no hash can find it.

    As many patients were held back: that 24 copied ones all come first has probability 2^-24; 1.5e-3 is asked.
    """
    synthetic, members, others = files
    images, copied = _images(synthetic).copy(), _images(members)[:24].astype(float)[:, :, ::-1]
    noise = np.random.default_rng(0).standard_normal(copied.shape) * 2.55
    images[:24] = np.clip(copied + noise, 0, 255).astype(np.uint8)
    fewer = [_save(tmp_path / f"{file.stem}.npz", _images(file)[:400], file.stem) for file in (members, others)]
    words = ("audit", _save(tmp_path / "s.npz", images, "s"), "--members", fewer[0], "--non-members", fewer[1])
    privgan(*words, "--report", tmp_path / "r", code=3)


def test_one_exact_image_of_a_member_exits_3(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Once is enough, however few patients there are."""
    synthetic, members, others = (_images(file)[:100] for file in files)
    images = synthetic.copy()
    images[70] = members[9]
    few = [_save(tmp_path / f"{name}.npz", part, name) for name, part in (("m", members), ("n", others))]
    words = ("audit", _save(tmp_path / "s.npz", images, "s"), "--members", few[0], "--non-members", few[1])
    privgan(*words, "--report", tmp_path / "r", code=3)


def test_one_members_number_in_the_set_exits_3_and_is_not_repeated(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Without a cohort the members' own file says which numbers to look for; in a label, as anywhere else."""
    synthetic, members, others = (_images(file)[:60] for file in files)
    few = [_save(tmp_path / f"{name}.npz", part, f"case-{name}") for name, part in (("m", members), ("n", others))]
    labels = np.array(["healthy"] * 59 + ["CASE M 000042"])
    np.savez(tmp_path / "s.npz", images=synthetic, labels=labels)
    words = ("audit", tmp_path / "s.npz", "--members", few[0], "--non-members", few[1], "--report", tmp_path / "r")
    said = privgan(*words, code=3)
    record = json.loads((tmp_path / "r" / "audit.json").read_text())
    scan = next(test for test in record["tests"] if test["id"] == "T10")
    assert (scan["by_category"], scan["known_identifiers"]) == ({"identifier": 1}, 120)
    assert "000042" not in said.stdout + said.stderr + json.dumps(scan)


def test_files_that_name_nobody_need_a_flag_that_stands_in_red(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    synthetic, members, others = files
    bare = [tmp_path / name for name in ("m.npz", "n.npz")]
    for path, file, count in zip(bare, (members, others), (40, 20), strict=True):
        np.savez(path, images=_images(file)[:count])
    words = ("audit", synthetic, "--members", bare[0], "--non-members", bare[1], "--report", tmp_path / "r")
    assert "--each-image-is-a-patient" in privgan(*words, code=2).stderr
    said = privgan(*words, "--each-image-is-a-patient", code=4)
    assert "override each-image-is-a-patient" in said.stdout
    for name in ("audit.html", "audit-public.html"):
        page = (tmp_path / "r" / name).read_text()
        assert '<p class="red">Override: --each-image-is-a-patient was given.' in page


def test_sixty_patients_and_no_non_members_exit_4(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Too little evidence is never a PASS."""
    synthetic, members, others = files
    few = _save(tmp_path / "m.npz", _images(members)[:40], "m")
    fewer = _save(tmp_path / "n.npz", _images(others)[:20], "n")
    words = ("audit", synthetic, "--members", few)
    privgan(*words, "--non-members", fewer, "--report", tmp_path / "r", code=4)
    privgan(*words, "--report", tmp_path / "r2", code=4)


def test_mixed_or_missing_evidence_is_a_usage_error(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Neither, files with a run, or a path that is not there."""
    synthetic, members, _ = files
    report = ("--report", tmp_path / "r")
    privgan("audit", synthetic, *report, code=2)
    privgan("audit", synthetic, "--run", tmp_path, "--members", members, *report, code=2)
    privgan("audit", synthetic, "--cohort", tmp_path / "none", "--members", members, *report, code=2)
    privgan("audit", tmp_path / "none.npz", "--members", members, *report, code=2)
    privgan("audit", synthetic, "--members", members, "--policy", tmp_path / "none.toml", *report, code=2)
    assert not (tmp_path / "r").exists()
