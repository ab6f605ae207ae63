"""How the colours of synthetic photographs differ from real ones, by class, through the product's own verbs.

    python tests/benchmarks/chroma.py [--json] [--patients 1500] [--epsilon 3] [--keep FOLDER]

Procedural photographs of skin (`tests/data/phantom_photos.py`), one a patient, two classes; all members, the warm
start alone. Compared are the differences of colour, red less green and blue less green, of as many photographs of
other patients. Rainbow speckle is their power in fine frequencies, a multiple of the real: 1 is right, and before
colours were asked about coarsely it was 10 to 40.

--json: {"schema_version": 1, "classes": {NAME: {"synthetic": {...}, "reference": {...}}}}, each with `tint` (by how
many grey levels the average colour is off, root mean square over both differences), `spread` (standard deviation over
images of their average colour) and power in cosines u + v of `coarse` 1 to 5, `middle` 6 to 9 and `fine` 10 and more,
as multiples of the real. The reference is the photographs that were learned from.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / part) for part in (".", "audits", "uses", "cli")]

import numpy as np  # noqa: E402
from scipy import fft  # noqa: E402

from privgan.arrays import Floats, Images  # noqa: E402
from tests.data.phantom_photos import CLASSES, Skin, draw_photos  # noqa: E402

SIDE = 64
BANDS = {"coarse": (1, 6), "middle": (6, 10), "fine": (10, 2 * SIDE)}


def photographs(patients: int, seed: int) -> tuple[Images, np.ndarray]:
    """Images and labels, classes in turn."""
    rng = np.random.default_rng(seed)
    labels = np.arange(patients) % 2
    return draw_photos(Skin.draw(labels == 1, rng), rng, SIDE), labels


def colours(images: Images) -> Floats:
    """Red less green and blue less green, (n, 2, h, h)."""
    values = images.astype(np.float64)
    return np.stack([values[..., 0] - values[..., 1], values[..., 2] - values[..., 1]], axis=1)


def powers(seen: Floats) -> dict[str, float]:
    """Mean power of colours in each of BANDS."""
    order = np.add.outer(np.arange(SIDE), np.arange(SIDE))
    power = np.square(fft.dctn(seen, axes=(2, 3), norm="ortho")).mean(axis=(0, 1))
    return {name: float(power[(order >= first) & (order < end)].mean()) for name, (first, end) in BANDS.items()}


def beside(images: Images, real: Images) -> dict[str, float]:
    """Images of a class beside real ones of it."""
    ours, theirs = colours(images), colours(real)
    averages = [side.mean(axis=(2, 3)) for side in (ours, theirs)]
    tint = float(np.sqrt(np.square(averages[0].mean(axis=0) - averages[1].mean(axis=0)).mean()))
    spread = float(averages[0].std(axis=0).mean() / averages[1].std(axis=0).mean())
    found, expected = powers(ours), powers(theirs)
    return {"tint": tint, "spread": spread, **{name: found[name] / expected[name] for name in BANDS}}


def made(place: Path, images: Images, labels: np.ndarray, epsilon: float) -> tuple[Images, np.ndarray]:
    """As many synthetic images."""
    np.savez(
        place / "source.npz",
        images=images,
        labels=np.array(CLASSES)[labels],
        patient_id=[f"p{number}" for number in range(len(labels))],
    )
    all_members = ("--non-members", 0, "--accept-low-power", "--max-epsilon", 4 * epsilon)
    form = ("--preset", "photo", "--size", SIDE, "--classes", ",".join(CLASSES))
    for words in (
        ["prepare", "source.npz", "cohort", *form, *all_members],
        ["train", "cohort", "run", "--epsilon", epsilon, "--steps", 0, "--accept-noise"],
        ["generate", "run", "set", "--count", len(labels), "--format", "npz"],
    ):
        path = os.pathsep.join(str(ROOT / part) for part in (".", "audits", "uses", "cli"))
        line = [sys.executable, "-m", "privgan_cli", *map(str, words)]
        subprocess.run(line, cwd=place, env={**os.environ, "PYTHONPATH": path}, check=True, stdout=sys.stderr)
    with np.load(place / "set" / "images.npz") as drawn:
        return drawn["images"], drawn["labels"]


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--json", action="store_true")
    words.add_argument("--patients", type=int, default=1500)
    words.add_argument("--epsilon", type=float, default=3.0)
    words.add_argument("--keep", type=Path, help="a new folder for what the verbs make")
    asked = words.parse_args()
    (learned, labels), (real, theirs) = (photographs(asked.patients, seed) for seed in (0, 1))
    with nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory() as place:
        Path(place).mkdir(exist_ok=True)
        drawn, ours = made(Path(place), learned, labels, asked.epsilon)
    found: dict[str, Any] = {
        name: {
            "synthetic": beside(drawn[ours == number], real[theirs == number]),
            "reference": beside(learned[labels == number], real[theirs == number]),
        }
        for number, name in enumerate(CLASSES)
    }
    if asked.json:
        print(json.dumps({"schema_version": 1, "classes": found}))
        return
    for name, sides in found.items():
        for side, numbers in sides.items():
            told = "  ".join(f"{what} {value:.3g}" for what, value in numbers.items())
            print(f"{name}, {side}: {told}")


if __name__ == "__main__":
    main()
