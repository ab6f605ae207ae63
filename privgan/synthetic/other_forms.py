"""The same images in forms that other software reads: a MedMNIST archive, and a folder for each split and class.

Nothing is chosen here: both follow from the arrays, by the writers of `images.containers`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Images, Integers, Texts
from privgan.images.containers import Piece, npz_pieces, png_bytes
from privgan.synthetic.splits import SPLITS

MEDMNIST, IMAGE_FOLDER = "medmnist", "imagefolder"
FORMS = (MEDMNIST, IMAGE_FOLDER)
MEDMNIST_FILE = f"{MEDMNIST}.npz"
_SHORT = dict(zip(SPLITS, ("train", "val", "test"), strict=True))
_ODD = re.compile("[^A-Za-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class SplitImages:
    """images: uint8 (n, h, w) or (n, h, w, 3). labels: int64 (n,). splits: (n,). classes: names in label order."""

    images: Images
    labels: Integers
    splits: Texts
    classes: tuple[str, ...]

    def files(self, form: str) -> Iterator[tuple[str, Iterable[Piece]]]:
        """Name and content of every file of one of FORMS."""
        return iter([(MEDMNIST_FILE, self._medmnist())]) if form == MEDMNIST else self._image_folder()

    def _medmnist(self) -> Iterator[Piece]:
        """As medmnist.com describes it: images and labels (n, 1) of train, val and test."""
        labels = self.labels.astype(np.uint8 if len(self.classes) <= 256 else np.int64)[:, None]
        arrays: dict[str, NDArray[Any]] = {}
        for split, short in _SHORT.items():
            chosen = self.splits == split
            arrays |= {f"{short}_images": self.images[chosen], f"{short}_labels": labels[chosen]}
        return npz_pieces(arrays)

    def _image_folder(self) -> Iterator[tuple[str, Iterable[Piece]]]:
        """As torchvision's ImageFolder and the imagefolder of Hugging Face read it, a folder for each split."""
        folders = class_folders(self.classes)
        for number, (image, label, split) in enumerate(zip(self.images, self.labels, self.splits, strict=True)):
            yield f"{IMAGE_FOLDER}/{split}/{folders[label]}/{number:06d}.png", [png_bytes(image)]


def class_folders(classes: tuple[str, ...]) -> list[str]:
    """A folder's name for each class: its number first, so that folders sort as labels do, then what is plain of it.

    >>> class_folders(("normal", "pleural effusion", "肺炎"))
    ['0-normal', '1-pleural-effusion', '2']
    """
    digits = len(str(len(classes) - 1))
    plain = (_ODD.sub("-", name).strip("-") for name in classes)
    return [f"{number:0{digits}d}-{name}".rstrip("-") for number, name in enumerate(plain)]
