"""Makes docs/examples anew: the reports of four real audits on public chest X-rays, and pictures of one of them.

Run by `make examples` on the X-rays of Kermany et al. (2018, CC BY 4.0), which tests read from the same place.
Everything goes through the verbs; only what is audited differs:

pass          a private generator (epsilon 3), as a hospital would use it
fail          the same images with one real image among them
inconclusive  the same on 240 patients, who are too few
invalid       healthy children as members, children with pneumonia as non-members
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from privgan_cli.main import run
from tests.audits.report.browser import browsing
from tests.places import ROOT

XRAYS = ROOT.parent / "shared/data/images/kermany_cxr_64.npz"
TARGET = ROOT / "docs/examples"
PICTURES = ROOT / "docs/images"
SMALL = 240
_NAMED = (
    "--modality",
    "CR",
    "--body-part",
    "CHEST",
    "--title",
    "Chest X-rays for teaching",
    "--contact",
    "data office",
)


def main() -> None:
    """All four, in a temporary folder; only the reports are kept."""
    if not XRAYS.exists():
        sys.exit(f"Expected the public chest X-rays, {XRAYS} is missing.")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with np.load(XRAYS, allow_pickle=False) as arrays:
            table = {name: arrays[name] for name in ("images", "labels", "classes", "patient_id")}
        _verb(0, "prepare", XRAYS, work / "cohort", "--size", 64, *_NAMED)
        _path(work, "cohort", "pass", 3, 0)
        few = np.isin(table["patient_id"], np.unique(table["patient_id"])[:SMALL])
        _save(work / "few.npz", table, few)
        _verb(0, "prepare", work / "few.npz", work / "small", "--size", 64, "--accept-low-power", *_NAMED)
        _path(work, "small", "inconclusive", 10, 4)
        _foreign(work, table)
    _pictures(TARGET / "pass/audit.html")


def _pictures(page: Path) -> None:
    """What a reader sees in light, in the dark, on a telephone and on paper, as the documentation shows it."""
    looks: dict[str, dict[str, Any]] = {
        "first-page": {"viewport": {"width": 1000, "height": 860}},
        "dark": {"viewport": {"width": 1000, "height": 1500}, "color_scheme": "dark"},
        "narrow": {"viewport": {"width": 375, "height": 1500}},
        "printed": {"viewport": {"width": 720, "height": 1018}},
    }
    with browsing() as browser:
        for name, look in looks.items():
            opened = browser.new_page(**look)
            opened.goto(f"file://{page}")
            opened.emulate_media(media="print" if name == "printed" else "screen")
            opened.screenshot(path=PICTURES / f"report-{name}.png")


def _path(work: Path, cohort: str, name: str, epsilon: int, code: int) -> None:
    made = work / f"{name}-synthetic"
    _verb(0, "train", work / cohort, work / f"{name}-run", "--epsilon", epsilon, "--accept-noise")
    _verb(0, "generate", work / f"{name}-run", made, "--count", 2000)
    _report(work, code, name, made, "--cohort", work / cohort, "--run", work / f"{name}-run")


def _foreign(work: Path, table: dict[str, np.ndarray]) -> None:
    """Audits from files alone: of the first set with a real image in it, and of two groups that differ."""
    with np.load(work / "pass-synthetic/images.npz") as made:
        images, labels = made["images"].copy(), made["labels"]
    patients = np.unique(table["patient_id"])
    member = np.isin(table["patient_id"], patients[np.arange(len(patients)) % 3 < 2])
    healthy = table["labels"] == 0
    for name, rows in (("members", member), ("others", ~member), ("healthy", healthy), ("ill", ~healthy)):
        _save(work / f"{name}.npz", table, rows)
    np.savez(work / "made.npz", images=images, labels=labels, classes=table["classes"])
    images[700] = table["images"][member][400][:, ::-1]
    np.savez(work / "leaky.npz", images=images, labels=labels, classes=table["classes"])
    sides = ("--members", work / "members.npz", "--non-members", work / "others.npz")
    _report(work, 3, "fail", work / "leaky.npz", *sides)
    # Patients with images of both kinds belong to one side only.
    ill = np.isin(table["patient_id"], np.unique(table["patient_id"][~healthy]))
    _save(work / "healthy.npz", table, healthy & ~ill)
    sides = ("--members", work / "healthy.npz", "--non-members", work / "ill.npz")
    _report(work, 4, "invalid", work / "made.npz", *sides)


def _report(work: Path, code: int, name: str, *words: object) -> None:
    _verb(code, "audit", *words, "--report", work / name)
    shutil.rmtree(TARGET / name, ignore_errors=True)
    shutil.copytree(work / name, TARGET / name)


def _save(path: Path, table: dict[str, np.ndarray], rows: np.ndarray) -> None:
    kept = {name: table[name][rows] for name in ("images", "labels", "patient_id")}
    np.savez(path, classes=table["classes"], **kept)


def _verb(code: int, *words: object) -> None:
    found = run([str(word) for word in words])
    if found != code:
        sys.exit(f"Expected exit code {code} of privgan {words[0]}, got {found}.")


if __name__ == "__main__":
    main()
