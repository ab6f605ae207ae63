"""The public pictures that the benchmark learns from and is examined on, and who owns which of them.

`mnist`, `fashion` and `pneumonia` keep their official splits, and every picture counts as somebody's only one, as in
the tables of the field. `xray` is split here by patient, because its official split has patients on both sides; its
question is the field's, normal against pneumonia (bacterial or viral). `xray128` is the same at 128 pixels, without
the third of its learning patients who stand for the public: a prior may learn from them, and nothing else does. `ct`
are slices of heads at many levels, each somebody's only one because nobody knows whose they are, without exact
copies; a third of them stands for the public as well, and nobody learns from slices that one of those nearly shows.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.arrays import Images, Integers
from privgan.images.stored import as_stored, with_channels
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.utility.drawing import subset
from privgan_audits.spaces.copies import copies
from quality_steps import ROOT

SHARED = ROOT.parent / "shared" / "data" / "images"
DIGITS = tuple(str(digit) for digit in range(10))
CLOTHES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
LUNGS = ("normal", "pneumonia")
TEST_SHARE = 0.2  # of the patients of `xray`
PUBLIC_SHARE = 1 / 3  # of those who are not examined on, where a data set has a public part

Archive = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Pictures to learn from and pictures to be examined on; they share no patient.

    unit: whom a row of the training part belongs to, "record" where nothing says that two belong to one patient.
    medical: whether the ceiling is measured unasked. dropped: test pictures left out as copies of training ones.
    public: pictures of others, for a prior: of patients who are in neither part.
    """

    name: str
    classes: tuple[str, ...]
    unit: str
    medical: bool
    train: Sample
    test: Sample
    dropped: int = 0
    public: Images | None = None

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.train.images.shape[1]

    def limited(self, count: int) -> "Dataset":
        """At most so many pictures on each side, the same ones every time; only good for trying the benchmark out."""
        return replace(self, train=_some(self.train, count), test=_some(self.test, count))


def load(name: str, folder: Path = SHARED) -> Dataset:
    """One of `NAMES`, from its .npz.

    Raises:
        SystemExit: the file is not there.
    """
    file, classes = _FILES[name]
    if not (folder / file).is_file():
        raise SystemExit(f"Expected the public data set {file} in {folder}; name another folder with --data.")
    with np.load(folder / file, allow_pickle=False) as opened:
        archive: Archive = {key: opened[key] for key in opened.files}
    if name in ("xray", "xray128"):
        return _by_patient(name, archive, public=name == "xray128")
    if name == "ct":
        return _slices(archive)
    train = _official(archive, "train", 0)
    test = _official(archive, "test", len(train.images))
    medical = name == "pneumonia"
    return Dataset(name=name, classes=classes, unit="record", medical=medical, train=train, test=test)


def write_source(dataset: Dataset, path: Path) -> None:
    """The training part as the verbs accept it: `images`, `labels` (names), `patient_id`."""
    names = np.array(dataset.classes)
    train = dataset.train
    with path.open("xb") as stream:
        np.savez(
            stream,
            images=as_stored(train.images),
            labels=names[train.labels],
            patient_id=np.char.add("p", train.patients.astype(np.str_)),
        )


def is_public(patient: str) -> bool:
    """Whether a patient who is not examined on stands for the public: by other digits of the same digest."""
    return int(hashlib.sha256(patient.encode()).hexdigest()[13:26], 16) / 16**13 < PUBLIC_SHARE


def in_test(patient: str) -> bool:
    """Whether a patient of `xray` is examined on: SHA-256 of the id below a fifth, so that anybody can split alike.

    >>> in_test("IM-0009"), in_test("IM-0010")
    (False, True)
    """
    return int(hashlib.sha256(patient.encode()).hexdigest()[:13], 16) / 16**13 < TEST_SHARE


def _by_patient(name: str, archive: Archive, *, public: bool) -> Dataset:
    """Chest X-rays: 80 % of the patients to learn from; test pictures that are exact copies of those are dropped."""
    names, owner = np.unique(archive["patient_id"], return_inverse=True)
    examined = np.array([in_test(str(patient)) for patient in names])[owner]
    theirs = np.array([public and is_public(str(patient)) for patient in names])[owner] & ~examined
    normal = int(np.flatnonzero(archive["classes"] == "normal")[0])
    images, labels = with_channels(archive["images"].astype(np.uint8)), (archive["labels"] != normal).astype(np.int64)
    known = {image.tobytes() for image in images[~examined]}
    copies = np.array([image.tobytes() in known for image in images]) & examined
    learned = {image.tobytes() for image in images[~examined & ~theirs]}
    given = theirs & ~np.array(
        [image.tobytes() in learned for image in images]
    )  # a copy of a patient's is not public
    sides = (~examined & ~theirs, examined & ~copies)
    train, test = (Sample(images=images[s], labels=labels[s], patients=owner[s].astype(np.int64)) for s in sides)
    return Dataset(
        name=name,
        classes=LUNGS,
        unit="patient",
        medical=True,
        train=train,
        test=test,
        dropped=int(copies.sum()),
        public=images[given] if public else None,
    )


def _slices(archive: Archive) -> Dataset:
    """Slices of heads: a fifth to be compared with, a third of the others public; all of one class."""
    images = with_channels(archive["images"].astype(np.uint8))
    first = np.unique(images.reshape(len(images), -1), axis=0, return_index=True)[1]
    rows = np.random.default_rng(0).permutation(np.sort(first))
    examined, others = round(TEST_SHARE * len(rows)), round((1 - TEST_SHARE) * PUBLIC_SHARE * len(rows))
    test, public, train = np.split(rows, [examined, examined + others])

    def part(chosen: Integers) -> Sample:
        return Sample(images=images[chosen], labels=np.zeros(len(chosen), dtype=np.int64), patients=chosen)

    given = images[public]
    while (shown := copies(given, images[train], train)).count:  # whoever is left may have a copy, too
        train = np.delete(train, np.unique(shown.original[shown.original >= 0]))
    return Dataset(
        name="ct",
        classes=("head",),
        unit="record",
        medical=False,
        train=part(train),
        test=part(test),
        dropped=len(images) - len(rows),
        public=given,
    )


def _official(archive: Archive, part: str, first: int) -> Sample:
    """A part of an official split, every picture somebody's only one."""
    images, labels = (archive[f"{part}_{key}"] for key in ("images", "labels"))
    return Sample(
        images=with_channels(images.astype(np.uint8)),
        labels=labels.reshape(len(images)).astype(np.int64),
        patients=np.arange(first, first + len(images)),
    )


def _some(sample: Sample, count: int) -> Sample:
    rows = np.random.default_rng(0).permutation(len(sample.images))[:count]
    return subset(sample, np.sort(rows))


_FILES = {
    "mnist": ("mnist_28.npz", DIGITS),
    "fashion": ("fashion_mnist_28.npz", CLOTHES),
    "pneumonia": ("pneumoniamnist_28.npz", LUNGS),
    "xray": ("kermany_cxr_64.npz", LUNGS),
    "xray128": ("kermany_cxr_128.npz", LUNGS),
    "ct": ("head_ct_64.npz", ("head",)),
}
NAMES = tuple(_FILES)
