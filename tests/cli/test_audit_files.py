"""Audits from files alone, as processes: the exit code is the verdict."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.cli.samples import images_in, save

Privgan = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def few(files: tuple[Path, Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred of the synthetic images: enough beside sixty patients."""
    return save(tmp_path_factory.mktemp("few") / "synthetic.npz", images_in(files[0])[:100], "s")


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
        assert {test["id"] for test in value["tests"]} == {f"T{number}" for number in (*range(5), *range(6, 13))}
        assert all("outcome" in test for test in value["tests"])
        assert isinstance(value["reasons"], list)
        assert value["schema_version"] == 1
    limits = next(test for test in record["tests"] if test["id"] == "T0")["limit_of_detection"]
    assert all(10 <= limits[kind] <= 20 for kind in ("exact", "flip"))
    assert any("No DP claim" in note for note in record["notes"])


def test_files_that_name_nobody_need_a_flag_that_stands_in_red(
    privgan: Privgan, files: tuple[Path, Path, Path], few: Path, tmp_path: Path
) -> None:
    _, members, others = files
    bare = [tmp_path / name for name in ("m.npz", "n.npz")]
    for path, file, count in zip(bare, (members, others), (40, 20), strict=True):
        np.savez(path, images=images_in(file)[:count])
    words = ("audit", few, "--members", bare[0], "--non-members", bare[1], "--report", tmp_path / "r")
    assert "--each-image-is-a-patient" in privgan(*words, code=2).stderr
    said = privgan(*words, "--each-image-is-a-patient", code=4)
    assert "override each-image-is-a-patient" in said.stdout
    for name in ("audit.html", "audit-public.html"):
        page = (tmp_path / "r" / name).read_text()
        assert '<p class="red">Override: --each-image-is-a-patient was given.' in page


def test_sixty_patients_and_no_non_members_exit_4(
    privgan: Privgan, files: tuple[Path, Path, Path], few: Path, tmp_path: Path
) -> None:
    """Too little evidence is never a PASS."""
    _, members, others = files
    forty = save(tmp_path / "m.npz", images_in(members)[:40], "m")
    twenty = save(tmp_path / "n.npz", images_in(others)[:20], "n")
    words = ("audit", few, "--members", forty)
    privgan(*words, "--non-members", twenty, "--report", tmp_path / "r", code=4)
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
