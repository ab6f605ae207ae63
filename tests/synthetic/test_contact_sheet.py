"""The contact sheet shows the first images of each class, in the classes' order."""

from pathlib import Path

import numpy as np
from PIL import Image

from privgan.synthetic.contact_sheet import write_contact_sheet


def test_images_stand_below_the_strip_of_their_class(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (130, 64, 64), dtype=np.uint8)
    labels = np.array([1, 0] * 60 + [3] * 10, np.int64)
    write_contact_sheet(tmp_path / "sheet.png", images, labels, ("a", "b", "none", "d"))
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    strip, row = 16, 64
    heights = [3 * row, 3 * row, 1 * row]
    assert sheet.shape == (3 * strip + sum(heights), 640)
    top = 0
    for label, height in zip((0, 1, 3), heights, strict=True):
        assert sheet[top : top + strip].max() > 150
        first, second = images[labels == label][:2]
        np.testing.assert_array_equal(sheet[top + strip : top + strip + row, :64], first)
        np.testing.assert_array_equal(sheet[top + strip : top + strip + row, 64:128], second)
        top += strip + height


def test_many_classes_and_one_image_fit(tmp_path: Path) -> None:
    images, labels = np.full((1, 28, 28), 7, np.uint8), np.array([11], np.int64)
    write_contact_sheet(tmp_path / "sheet.png", images, labels, tuple("abcdefghijkl"))
    assert Image.open(tmp_path / "sheet.png").size == (560, 16 + 56)
