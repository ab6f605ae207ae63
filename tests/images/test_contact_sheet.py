"""The contact sheet shows the first images of each class, in the classes' order."""

import io
from typing import Any

import numpy as np
from PIL import Image

from privgan.images.contact_sheet import contact_sheet
from privgan.images.containers import png_bytes


def opened(*given: Any) -> Image.Image:
    """The sheet as a viewer shows it."""
    return Image.open(io.BytesIO(png_bytes(contact_sheet(*given))))


def test_images_stand_below_the_strip_of_their_class() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (130, 64, 64), dtype=np.uint8)
    labels = np.array([1, 0] * 60 + [3] * 10, np.int64)
    sheet = np.asarray(opened(images, labels, ("a", "b", "none", "d")))
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


def test_many_classes_and_one_image_fit() -> None:
    images, labels = np.full((1, 28, 28), 7, np.uint8), np.array([11], np.int64)
    assert opened(images, labels, tuple("abcdefghijkl")).size == (560, 16 + 56)


def test_a_name_in_another_script_stands_as_its_number() -> None:
    """Told by what is drawn: the number, not question marks, and the same as of any other such name."""
    images, labels = np.full((2, 28, 28), 7, np.uint8), np.array([0, 1], np.int64)

    def strips(*classes: str) -> list[Any]:
        sheet = contact_sheet(images, labels, classes)
        return [sheet[top : top + 16] for top in (0, 16 + 56)]

    first, second = strips("肺炎", "пневмония")
    assert np.array_equal(first, strips("1 (README.md)", "b")[0])
    assert np.array_equal(second, strips("a", "2 (README.md)")[1])
    assert not np.array_equal(first, strips("??", "b")[0])


def test_accents_are_drawn() -> None:
    images, labels = np.full((1, 28, 28), 7, np.uint8), np.array([0], np.int64)
    drawn, bare = (contact_sheet(images, labels, (name,))[:16] for name in ("Ödem", "Odem"))
    assert not np.array_equal(drawn, bare)
    assert not np.array_equal(drawn, contact_sheet(images, labels, ("?dem",))[:16])


def test_words_above_large_images_can_be_read() -> None:
    labels = np.array([0], np.int64)
    small, large = (contact_sheet(np.full((1, side, side), 7, np.uint8), labels, ("normal",)) for side in (128, 256))
    assert large.shape == (32 + 256, 2560)
    assert np.array_equal(large[:32:2, ::2], small[:16])
    assert np.array_equal(large[1:32:2, 1::2], small[:16])
