"""A study, run by `make studies`: which painted text is seen, and in how many real pictures text is seen.

Where tesseract is installed it is asked as well.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from privgan.arrays import Floats, Images
from privgan.images.text import shows_text
from tests.painting import WORDS, enlarged, painted

pytestmark = pytest.mark.study
SIZES, CONTRASTS, TRIALS = (8, 10, 12, 16, 24, 32, 48), (30, 50, 100, 200), 20
SETS = {
    "kermany_cxr_64.npz": "images",
    "kermany_cxr_128.npz": "images",
    "public_cxr_64.npz": "images",
    "head_ct_64.npz": "images",
    "pneumoniamnist_28.npz": "train_images",
    "fashion_mnist_28.npz": "train_images",
    "mnist_28.npz": "train_images",
}
SOFT_TISSUE = (-160.0, 240.0)
Sees = Callable[[Floats], bool]


def eight_bits(picture: Floats) -> bool:
    return shows_text(picture.astype(np.uint8))


def either_depth(picture: Floats) -> bool:
    """By 8 bits or by 12 in 16 with an offset, as the sum of its first row says."""
    if int(picture[0].sum()) % 2:
        return eight_bits(picture)
    return shows_text((picture * 4095 / 255 - 1024).astype(np.int16), -1024.0, 3071.0)


def tesseract(picture: Floats) -> bool:
    """Whether a word of four letters or digits is read with a confidence of 60."""
    read = subprocess.run(
        ["tesseract", "-", "-", "--psm", "11", "tsv"],
        input=_png(picture.astype(np.uint8)),
        capture_output=True,
        check=True,
    )
    rows = [line.split("\t") for line in read.stdout.decode().splitlines()[1:]]
    return any(float(row[10]) >= 60 and sum(map(str.isalnum, row[11])) >= 4 for row in rows if len(row) == 12)


def _png(picture: Images) -> bytes:
    from io import BytesIO

    stream = BytesIO()
    Image.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def _pictures(shared_data: Path, side: int, rng: np.random.Generator) -> list[Floats]:
    with np.load(shared_data / "images/kermany_cxr_128.npz") as stored:
        some = stored["images"][rng.choice(len(stored["images"]), 8, replace=False)]
    return [enlarged(picture, side, rng) if side > 128 else _smaller(picture, side) for picture in some]


def _smaller(picture: Images, side: int) -> Floats:
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX), dtype=np.float64)


def _recall(pictures: list[Floats], size: int, contrast: int, rng: np.random.Generator, sees: Sees) -> Iterator[bool]:
    """Half of the trials along the upper or lower border, half anywhere."""
    for trial in range(TRIALS):
        down = float(rng.integers(2)) if trial % 2 else rng.random()
        text = WORDS[trial % len(WORDS)]
        yield sees(painted(pictures[trial % len(pictures)], text, size, contrast, (down, rng.random())))


@pytest.mark.parametrize("side", [64, 128, 256, 512, 1024, 2048])
def test_recall(shared_data: Path, side: int) -> None:
    """On enlarged chest X-rays; 8 and 12 bits in turn."""
    rng = np.random.default_rng(0)
    pictures = _pictures(shared_data, side, rng)
    assert not any(map(eight_bits, pictures))
    sizes = [size for size in SIZES if side >= 5 * size]
    print(f"\n| {side} pixels a side: letters of | " + " | ".join(f"{c} levels" for c in CONTRASTS) + " |")
    for size in sizes:
        found = [np.mean([*_recall(pictures, size, contrast, rng, either_depth)]) for contrast in CONTRASTS]
        print(f"| {size} | " + " | ".join(f"{share:.0%}" for share in found) + " |")


def test_false_alarms(shared_data: Path) -> None:
    """In public sets of images, and in CT slices with a soft tissue window and their whole range."""
    for name, key in SETS.items():
        with np.load(shared_data / "images" / name) as stored:
            images = stored[key]
        alarms = [row for row, image in enumerate(images) if shows_text(image)]
        print(f"| {name} | {len(images)} | {len(alarms)} | {alarms[:20]}")
    slices = sorted((shared_data / "dicom/ct_tcia_nysbu_10_patients").rglob("*.dcm"))
    for low, high in (SOFT_TISSUE, (-1024.0, 3071.0)):
        seen = 0
        for path in slices:
            dataset = dcmread(path)
            slope, intercept = float(dataset.RescaleSlope), float(dataset.RescaleIntercept)
            seen += shows_text(dataset.pixel_array, (low - intercept) / slope, (high - intercept) / slope)
        print(f"| CT slices, {low:.0f} to {high:.0f} HU | {len(slices)} | {seen} |")


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_beside_tesseract(shared_data: Path) -> None:
    """The same pictures for both, 512 pixels a side; then CT slices without text."""
    for size in (8, 10, 16, 24):
        for contrast in (50, 100, 200):
            shares = []
            for sees in (eight_bits, tesseract):
                rng = np.random.default_rng(1)
                shares.append(np.mean([*_recall(_pictures(shared_data, 512, rng), size, contrast, rng, sees)]))
            print(f"| {size} | {contrast} | {shares[0]:.0%} | {shares[1]:.0%} |")
    alarms, slices = [0, 0], sorted((shared_data / "dicom/ct_tcia_nysbu_10_patients").rglob("*.dcm"))
    for path in slices:
        values = dcmread(path)
        units = values.pixel_array * float(values.RescaleSlope) + float(values.RescaleIntercept)
        low, high = SOFT_TISSUE
        shown = np.clip((units - low) / (high - low), 0, 1) * 255
        for place, sees in enumerate((eight_bits, tesseract)):
            alarms[place] += sees(shown)
    print(f"| CT slices without text: {len(slices)} | | {alarms[0]} | {alarms[1]} |")
