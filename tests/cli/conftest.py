"""The command line as a process, and one small cohort that many tests start from."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.forking import Warm, warm
from tests.places import ROOT

Privgan = Callable[..., subprocess.CompletedProcess[str]]

FAST_TRAINING = """schema = 1
[privacy]
batch = 20
steps = 6
[model]
latent = 16
generator_width = 8
discriminator_width = 8
adaptation_steps = 2
[refinement]
fakes = 8
[speed]
threads = 1
"""


def environment() -> dict[str, str]:
    """The variables of a user who has privgan installed and no terminal."""
    path = os.pathsep.join(str(ROOT / part) for part in (".", "audits", "uses", "cli"))
    return {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "OMP_NUM_THREADS": "1"}


def command(*words: object) -> list[str]:
    """The argument list that runs `privgan ...` in this interpreter."""
    return [sys.executable, "-c", "from privgan_cli.main import main; main()", *map(str, words)]


def as_expected(done: subprocess.CompletedProcess[str], code: int) -> subprocess.CompletedProcess[str]:
    """The same, once its exit code is the expected one and it traced nothing."""
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """The process that all others are forked from."""
    with warm(tmp_path_factory.mktemp("warm"), environment()) as process:
        yield process


@pytest.fixture(scope="session")
def privgan(loaded: Warm) -> Privgan:
    """Run `privgan ...` as a process; `code` is the expected exit code."""
    return lambda *words, code=0: as_expected(loaded.run(*words), code)


@pytest.fixture(scope="session")
def fresh() -> Privgan:
    """The same in a new interpreter, as a user does: once a verb, to see that it finds what it imports."""

    def run(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        line = command(*words)
        done = subprocess.run(line, capture_output=True, text=True, env=environment(), timeout=300, check=False)
        return as_expected(done, code)

    return run


def blobs(count: int, seed: int, size: int = 28) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Smooth random images, all different: uint8 (count, size, size)."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).standard_normal((count, size, size))
    smooth = gaussian_filter(noise, (0, 3, 3))
    return np.clip(128 + 400 * smooth, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An .npz of 150 invented patients with one or two images each and two classes."""
    path = tmp_path_factory.mktemp("source") / "images.npz"
    owners = np.repeat(np.arange(150), 1 + np.arange(150) % 2)
    np.savez(
        path,
        images=blobs(len(owners), 0),
        labels=(owners % 2).astype(np.int64),
        patient_id=np.array([f"QZX-{owner:05d}-PAT" for owner in owners]),
        classes=np.array(["clear", "opacity"]),
    )
    return path


@pytest.fixture(scope="session")
def fast_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A train.toml that takes seconds."""
    path = tmp_path_factory.mktemp("config") / "train.toml"
    path.write_text(FAST_TRAINING)
    return path


@pytest.fixture(scope="session")
def new_cohort(privgan: Privgan, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A function that prepares a fresh cohort, with nothing spent."""

    def make() -> Path:
        cohort = tmp_path_factory.mktemp("prepared") / "cohort"
        privgan("prepare", source, cohort, "--size", 28, "--accept-low-power", "--max-epsilon", 20)
        return cohort

    return make


@pytest.fixture(scope="session")
def trained(
    privgan: Privgan, new_cohort: Callable[[], Path], fast_config: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A cohort and a finished run on it; tests must not change either, but may charge the cohort."""
    cohort, run = new_cohort(), tmp_path_factory.mktemp("trained") / "run"
    privgan("train", cohort, run, "--epsilon", 4, "--config", fast_config, "--accept-noise")
    return cohort, run


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """400 synthetic images, 667 members, 333 non-members; tests must not change them."""
    from tests.cli.samples import three_files

    return three_files(tmp_path_factory.mktemp("files"))
