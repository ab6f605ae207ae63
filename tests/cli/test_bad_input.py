"""Whatever is given, the answer is one clear sentence, the right exit code, and nothing lost."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Privgan = Callable[..., subprocess.CompletedProcess[str]]


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def test_sources_without_anything_readable_exit_5(privgan: Privgan, fresh: Privgan, tmp_path: Path) -> None:
    """Empty; zero bytes; garbage; a FIFO; a link loop; each counted under its code, none waited for."""
    empty = _folder(tmp_path, "empty")
    privgan("prepare", empty, tmp_path / "c", code=5)
    hostile = _folder(tmp_path, "hostile")
    (hostile / "zero.dcm").touch()
    (hostile / "garbage.dcm").write_bytes(b"\x00" * 128 + b"DICM" + os.urandom(64))
    (hostile / "text.txt").write_text("no image")
    os.mkfifo(hostile / "fifo.dcm")
    (hostile / "loop").symlink_to(hostile)
    found = json.loads(fresh("scan", hostile, "--json", code=5).stdout)
    assert found["readable"] == 0
    assert sum(found["refused"].values()) == found["files"]
    assert "called" not in privgan("scan", hostile, code=5).stdout  # nothing is, where there is no image
    privgan("prepare", hostile, tmp_path / "c", code=5)
    assert not (tmp_path / "c").exists()
    assert not list(tmp_path.glob(".*partial"))


def test_one_patient_is_refused_and_one_class_is_not(privgan: Privgan, fresh: Privgan, tmp_path: Path) -> None:
    """A cohort of one person cannot be split; a cohort of one class can be learned from."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 28, 28), dtype=np.uint8)
    one = tmp_path / "one.npz"
    np.savez(one, images=images, labels=np.zeros(40, dtype=np.int64), patient_id=np.array(["only"] * 40))
    privgan("prepare", one, tmp_path / "c1", "--size", 28, "--accept-low-power", code=5)
    many = tmp_path / "many.npz"
    np.savez(many, images=images, labels=np.zeros(40, dtype=np.int64), patient_id=np.arange(40))
    made = fresh("prepare", many, tmp_path / "c2", "--size", 28, "--accept-low-power", "--json")
    assert len(json.loads(made.stdout)["classes"]) == 1


def test_ten_patients_are_warned_of_and_not_trained_on(privgan: Privgan, tmp_path: Path) -> None:
    """Prepare says with numbers what is missing; train refuses."""
    source = _folder(tmp_path, "pictures")
    rng = np.random.default_rng(0)
    for number in range(10):
        Image.fromarray(rng.integers(0, 256, (40, 30), dtype=np.uint8)).save(source / f"{number}.png")
    prepare = ("prepare", source, tmp_path / "c", "--size", 28)
    assert "--each-image-is-a-patient" in privgan(*prepare, code=2).stderr
    refused = privgan(*prepare, "--each-image-is-a-patient", code=5)
    assert "members" in refused.stderr
    warned = privgan(*prepare, "--each-image-is-a-patient", "--accept-low-power")
    assert "Warning" in warned.stderr
    assert "RED  Each image counts as one patient" in warned.stderr
    privgan("train", tmp_path / "c", tmp_path / "r", "--epsilon", 3, code=5)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("prepare", "{src}", "{out}", "--size", "27"),
        ("prepare", "{src}", "{out}", "--size", "257"),
        ("prepare", "{src}", "{out}", "--non-members", "1"),
        ("prepare", "{src}", "{out}", "--non-members", "nan"),
        ("prepare", "{src}", "{out}", "--preset", "cxrr"),
        ("prepare", "{src}", "{out}", "--window", "1"),
        ("prepare", "{src}", "{out}", "--max-epsilon", "0"),
        ("prepare", "{src}", "{out}/deep/er"),
        ("prepare", "{src}.none", "{out}"),
        ("scan", "{src}.none"),
        ("plan", "--patients", "1000", "--batch", "10", "--steps", "5"),
        ("plan", "--patients", "1000", "--batch", "10", "--steps", "0", "--epsilon", "1"),
        ("plan", "--patients", "1000", "--batch", "10", "--steps", "5", "--epsilon", "nan"),
        ("plan", "--patients", "1000", "--batch", "10", "--steps", "5", "--epsilon", "1", "--delta", "0.5"),
        ("plan", "--patients", "99", "--batch", "9", "--steps", "5", "--epsilon", "1", "--columns", "sex,age:number"),
        ("verify", "{src}", "--public-key", "{src}.pub"),
        ("budget", "{src}.none"),
        ("nonsense",),
        ("train", "--frobnicate"),
    ],
)
def test_wrong_arguments_exit_2(privgan: Privgan, source: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Each with a sentence and without an output."""
    filled = [word.format(src=source, out=tmp_path / "out") for word in words]
    said = privgan(*filled, code=2)
    assert said.stderr.strip()
    assert not (tmp_path / "out").exists()


def test_errors_are_objects_under_json(privgan: Privgan, tmp_path: Path) -> None:
    """One object on stdout, also for a refusal."""
    said = privgan("scan", tmp_path / "none", "--json", code=2)
    assert json.loads(said.stdout)["error"]["exit_code"] == 2


def test_foreign_folders_are_not_taken_for_ours(privgan: Privgan, source: Path, tmp_path: Path) -> None:
    """A folder without our marker is neither opened nor replaced, whatever --force says."""
    home = _folder(tmp_path, "home")
    (home / "thesis.txt").write_text("years of work")
    privgan("prepare", source, home, "--force", "--accept-low-power", code=2)
    assert "did not make" in privgan("budget", home, code=2).stderr
    privgan("verify", home, "--public-key", home / "thesis.txt", code=2)
    assert (home / "thesis.txt").read_text() == "years of work"


def test_a_full_disk_leaves_nothing_half_written(privgan: Privgan, source: Path, tmp_path: Path) -> None:
    """On a file system of 300 kB: a sentence, exit 2, no folder."""
    small = tmp_path / "small"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", _made(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        said = privgan("prepare", source, small / "cohort", "--size", 64, "--accept-low-power", code=2)
        assert "disk" in said.stderr
        assert not list(small.iterdir())
    finally:
        subprocess.run(["umount", str(small)], check=True)


def _made(folder: Path) -> str:
    folder.mkdir()
    return str(folder)


def test_plan_prints_what_the_accountants_say(privgan: Privgan, fresh: Privgan) -> None:
    """The documented object; noise from epsilon spends at most it; patients are members."""
    words = ("plan", "--patients", 2000, "--batch", 100, "--steps", 50, "--json")
    by_noise = json.loads(privgan(*words, "--noise-multiplier", 1.5).stdout)
    columns = ("--columns", "sex:category(F|M),age:number(0..99):patient")
    by_epsilon = json.loads(fresh(*words, "--epsilon", 2, *columns).stdout)
    assert {"schema_version", "epsilon", "delta", "noise_multiplier", "steps", "batch", "preset"} <= set(by_noise)
    assert by_noise["delta"] == by_epsilon["delta"] == 1e-5
    assert 1.98 < by_epsilon["epsilon"] <= 2
    assert "records" not in by_noise
    assert [(each["name"], each["values"]) for each in by_epsilon["records"]["columns"]] == [("sex", 2), ("age", 10)]
    weak = ("plan", "--patients", 60, "--batch", 10, "--steps", 50, "--noise-multiplier", 1.5)
    assert json.loads(privgan(*weak, "--json", code=5).stdout)["epsilon"] > 0
    assert "the preset small-cohort: 60 patients in 2 classes" in privgan(*weak, "--accept-low-power").stdout


def test_help_and_version_are_quick_and_complete(fresh: Privgan) -> None:
    """--help imports none of the heavy libraries."""
    line = "import sys; from privgan_cli.main import run; run(['--help']); print([m for m in sys.modules])"
    import sys

    from_here = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(str(from_here / part) for part in (".", "audits", "uses", "cli"))
    done = subprocess.run(
        [sys.executable, "-c", line],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )
    for heavy in ("torch", "opacus", "sklearn"):
        assert f"'{heavy}'" not in done.stdout
    assert fresh("--version").stdout.startswith("privgan ")
    json.loads(fresh("doctor", "--json").stdout)
