"""Audits from files alone, of sets that leak, as processes: exit 3."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.cli.samples import images_in, save

Privgan = Callable[..., subprocess.CompletedProcess[str]]


def test_three_per_cent_copies_of_distinct_members_exit_3(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """By an audit that learned briefly, which sees less than a user's. Each copy is flipped and carries 1 % noise, so
    that no hash can find it.

    As many patients were held back: that 12 copied ones all come first has probability 2^-12; 1.5e-3 is asked.
    """
    synthetic, members, others = files
    images, copied = images_in(synthetic).copy(), images_in(members)[:12].astype(float)[:, :, ::-1]
    noise = np.random.default_rng(0).standard_normal(copied.shape) * 2.55
    images[:12] = np.clip(copied + noise, 0, 255).astype(np.uint8)
    fewer = [save(tmp_path / f"{file.stem}.npz", images_in(file)[:120], file.stem) for file in (members, others)]
    words = ("audit", save(tmp_path / "s.npz", images, "s"), "--members", fewer[0], "--non-members", fewer[1])
    privgan(*words, "--report", tmp_path / "r", code=3)


def test_one_exact_image_of_a_member_exits_3(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Once is enough, however few patients there are."""
    synthetic, members, others = (images_in(file)[:100] for file in files)
    images = synthetic.copy()
    images[70] = members[9]
    few = [save(tmp_path / f"{name}.npz", part, name) for name, part in (("m", members), ("n", others))]
    words = ("audit", save(tmp_path / "s.npz", images, "s"), "--members", few[0], "--non-members", few[1])
    privgan(*words, "--report", tmp_path / "r", code=3)


def test_one_members_number_in_the_set_exits_3_and_is_not_repeated(
    privgan: Privgan, files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    """Without a cohort the members' own file says which numbers to look for; in a label, as anywhere else."""
    synthetic, members, others = (images_in(file)[:60] for file in files)
    few = [save(tmp_path / f"{name}.npz", part, f"case-{name}") for name, part in (("m", members), ("n", others))]
    labels = np.array(["healthy"] * 59 + ["CASE M 000042"])
    np.savez(tmp_path / "s.npz", images=synthetic, labels=labels)
    words = ("audit", tmp_path / "s.npz", "--members", few[0], "--non-members", few[1], "--report", tmp_path / "r")
    said = privgan(*words, code=3)
    record = json.loads((tmp_path / "r" / "audit.json").read_text())
    scan = next(test for test in record["tests"] if test["id"] == "T10")
    assert (scan["by_category"], scan["known_identifiers"]) == ({"identifier": 1}, 120)
    assert "000042" not in said.stdout + said.stderr + json.dumps(scan)
