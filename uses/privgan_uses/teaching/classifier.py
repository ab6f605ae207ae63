"""A classifier on disk: what it is, where it came from, and its weights; data only, checked before use.

MODEL/classifier.json         form, classes, origins with their terms, calibration, thresholds, known range, digests
      classifier.safetensors  the weights
      model.onnx              the same as a graph from stored pixels to chances, for any program
      README.md               the model card
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from privgan.arrays import Flags, Floats, Images
from privgan.checks import is_seen, within
from privgan.config import from_table, to_table
from privgan.errors import IntegrityError, UsageError
from privgan.files import SHAREABLE_FILE, read_marker, sha256_file, write_bytes, write_json
from privgan.gan.networks.states import filled
from privgan.images.form import ImageForm
from privgan.kinds import CLASSIFIER, require_kind
from privgan.language import kept
from privgan_uses.released import Origin
from privgan_uses.teaching.network import Network, softened

SCHEMA_VERSION = 1
KIND = "classifier"
MARKER, WEIGHTS, GRAPH, CARD = CLASSIFIER.marker, "classifier.safetensors", "model.onnx", "README.md"
_BLOCK = 512  # images that are looked at at once
_TAIL = 0.5  # per cent of images at either end that a known range leaves out


@dataclass(frozen=True, kw_only=True)
class KnownRange:
    """How light, and how rich in contrast, images are that were learned from: grey levels from 0 to 255.

    level: lowest and highest mean of an image; contrast: of its standard deviation. One image in a hundred lies
    outside.
    """

    level: tuple[float, float]
    contrast: tuple[float, float]

    @classmethod
    def of(cls, images: Images) -> "KnownRange":
        """Of images uint8 (n, h, h, c)."""
        means, spreads = _light(images)
        ends = [_TAIL, 100 - _TAIL]
        (low, high), (narrow, wide) = np.percentile(means, ends), np.percentile(spreads, ends)
        return cls(level=(float(low), float(high)), contrast=(float(narrow), float(wide)))

    def knows(self, images: Images) -> Flags:
        """Which of some images lie within, bool (n,)."""
        means, spreads = _light(images)
        inside = (means >= self.level[0]) & (means <= self.level[1])
        known: Flags = inside & (spreads >= self.contrast[0]) & (spreads <= self.contrast[1])
        return known


@dataclass(frozen=True, kw_only=True)
class ClassifierFacts:
    """The content of classifier.json but for the digests.

    form: of the images that it takes. classes: what it tells apart, in the order of its chances. column: the declared
    column of records that these are values of, empty for the images' own classes; declaration: as the set has it.
    origins: the released sets. created: the day, YYYY-MM-DD. steps, seed, look: of learning, see `TeachSettings`.
    temperature: see `calibration`. thresholds: a chance for each class, from which on it is called. known: see
    `KnownRange`. images: of the parts that were learned from, calibrated on and tested on. on_synthetic: numbers with
    95 % intervals of the test part, which shows nobody. epsilon: further spent, nothing.
    """

    form: ImageForm
    classes: tuple[str, ...]
    column: str = ""
    declaration: str = ""
    origins: tuple[Origin, ...]
    created: str
    privgan_version: str
    steps: int
    seed: int
    look: int
    temperature: float
    thresholds: tuple[float, ...]
    known: KnownRange
    images: dict[str, int]
    on_synthetic: dict[str, dict[str, float]]
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(self.thresholds) != len(self.classes) or not self.origins:
            raise UsageError("Expected a classifier of two classes or more, a threshold for each, and its origins.")
        within(8, 1024, look=self.look)
        if not 0 < self.temperature < float("inf") or not all(0 <= each <= 1 for each in self.thresholds):
            raise UsageError("Expected a temperature above 0 and thresholds from 0 to 1.")
        if not all(map(is_seen, (*self.classes, self.column, *_texts(self.origins)))):
            raise UsageError("Expected lines of words in a classifier, one would be shown as something else.")

    @property
    def sight(self) -> str:
        """What is too small for it to be seen, a sentence for people; empty where it looks at every pixel."""
        side = self.form.side
        if self.look >= side:
            return ""
        return kept(
            "It looks at {look} pixels a side: each is the mean of a square of about {square:.0f} pixels of the "
            "image. Whatever is smaller, it cannot see.",
            look=self.look,
            square=side / self.look,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Classifier:
    """A network with what is known of it."""

    facts: ClassifierFacts
    network: Network = field(repr=False)

    def chances(self, images: Images) -> Floats:
        """Of images uint8 (n, h, h, c) the calibrated chance of each class, float64 (n, classes)."""
        return softened(self.network.logits(images), self.facts.temperature)

    def called(self, chances: Floats) -> Flags:
        """Which classes' thresholds are reached, bool (n, classes); none, one or several."""
        reached: Flags = chances >= np.array(self.facts.thresholds)
        return reached


def write_classifier(folder: Path, classifier: Classifier, graph: bytes, card: str) -> None:
    """Write the folder's files; the same bytes for the same classifier."""
    from safetensors.torch import save

    state = {name: value.detach().contiguous() for name, value in classifier.network.state_dict().items()}
    written = {WEIGHTS: save(state), GRAPH: graph, CARD: card.encode()}
    for name, content in written.items():
        write_bytes(folder / name, content, SHAREABLE_FILE)
    digests = {name: sha256_file(folder / name) for name in written}
    table = {"schema_version": SCHEMA_VERSION, "kind": KIND, **to_table(classifier.facts), "files": digests}
    write_json(folder / MARKER, table, SHAREABLE_FILE)


def open_classifier(folder: Path) -> Classifier:
    """Read a classifier, after its files were found to be those that it names.

    Raises:
        UsageError: there is no such folder, or it is another one.
        IntegrityError: a file is missing, edited or another version's, or weights and facts disagree.
    """
    require_kind(CLASSIFIER, folder)
    table: dict[str, Any] = read_marker(folder / MARKER, KIND, SCHEMA_VERSION)
    try:
        digests = dict(table.pop("files"))
        facts = from_table(ClassifierFacts, table)
    except (TypeError, KeyError, ValueError, UsageError):
        raise IntegrityError(f"Expected the fields of a classifier in {folder / MARKER}.") from None
    for name in (WEIGHTS, GRAPH, CARD):
        if not (folder / name).is_file() or sha256_file(folder / name) != digests.get(name):
            raise IntegrityError(f"Expected {name} as `privgan teach` wrote it, it is missing or edited.")
    network = Network(side=facts.form.side, look=facts.look, channels=facts.form.channels, classes=len(facts.classes))
    if not filled(network, folder / WEIGHTS):
        raise IntegrityError("Expected weights that fit what the classifier says of itself, they do not.")
    return Classifier(facts=facts, network=network.eval())


def _texts(origins: Sequence[Origin]) -> list[str]:
    told = ((each.title, each.licence, each.purpose, each.recipient, each.until, each.cohort_id) for each in origins)
    return [text for texts in told for text in texts]


def _light(images: Images) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each image."""
    means, spreads = np.empty(len(images)), np.empty(len(images))
    for start in range(0, len(images), _BLOCK):  # in double precision a block is eight times its bytes
        flat = images[start : start + _BLOCK].reshape(-1, images[0].size)
        means[start : start + _BLOCK] = flat.mean(axis=1, dtype=np.float64)
        spreads[start : start + _BLOCK] = flat.std(axis=1, dtype=np.float64)
    return means, spreads
