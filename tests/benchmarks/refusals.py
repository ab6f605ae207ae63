"""CPU seconds until a wrong value is refused, for every line of the table, each in a new interpreter.

    python -m tests.benchmarks.refusals

Prints the slowest lines first. Needs a minute or two, most of it to start interpreters.
"""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from tests.cli.conftest import FAST_TRAINING, command, environment
from tests.cli.wrong_values import WRONG, furnish

_SHOWN = 15


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as place:
        root, home = Path(place), Path(place) / "home"
        home.mkdir()
        furnish(home, *_made(root))
        took = sorted(((_cpu_seconds(home, line), line) for line, _ in WRONG), reverse=True)
    print(f"{len(took)} lines; CPU seconds: median {took[len(took) // 2][0]:.2f}, slowest {took[0][0]:.2f}")
    for seconds, line in took[:_SHOWN]:
        print(f"{seconds:6.2f}  privgan {line}")


def _made(root: Path) -> tuple[Path, Path, Path, Path]:
    """A cohort, a run, a set, and the source of the first."""
    source, cohort, run, synthetic = (root / name for name in ("images.npz", "cohort", "run", "synthetic"))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (150, 28, 28), dtype=np.uint8)
    classes = np.array(["clear", "opacity"])
    np.savez(source, images=images, labels=np.arange(150) % 2, patient_id=np.arange(150), classes=classes)
    (root / "train.toml").write_text(FAST_TRAINING)
    _privgan("prepare", source, cohort, "--size", 28, "--accept-low-power")
    _privgan("train", cohort, run, "--epsilon", 4, "--config", root / "train.toml", "--accept-noise")
    _privgan("generate", run, synthetic, "--count", 4)
    return cohort, run, synthetic, source


def _privgan(*words: object) -> None:
    subprocess.run(command(*words), env=environment(), check=True, capture_output=True)


def _cpu_seconds(home: Path, line: str) -> float:
    with subprocess.Popen(
        command(*shlex.split(line)),
        cwd=home,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
