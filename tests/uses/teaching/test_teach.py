"""From a released set to a classifier: what is written, that it is the same again, and what is refused."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from privgan.errors import IntegrityError, UsageError
from privgan_uses.released import require_permitted
from privgan_uses.teaching.classifier import CARD, GRAPH, MARKER, WEIGHTS, Classifier, KnownRange, open_classifier
from privgan_uses.teaching.graph import INPUT, graph_of
from privgan_uses.teaching.learning import Pictures
from privgan_uses.teaching.lesson import Lesson
from privgan_uses.teaching.network import untrained
from privgan_uses.teaching.settings import TeachSettings
from privgan_uses.teaching.teach import Keys, teach
from tests.audits.releasing import TODAY, Gate
from tests.uses.teaching.teachable import drawn, make_teachable

FEW = TeachSettings(steps=30)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    return make_teachable(tmp_path_factory.mktemp("site") / "site")


def keys(site: Gate) -> Keys:
    return Keys(public=[site.root / "site.pub"], today=TODAY)


@pytest.fixture(scope="module")
def model(site: Gate) -> Path:
    folder = site.root / "model"
    teach([site.root / "bundle"], folder, keys(site), FEW)
    return folder


@pytest.fixture(scope="module")
def classifier(model: Path) -> Classifier:
    return open_classifier(model)


def test_it_tells_images_apart_that_it_never_saw(site: Gate, classifier: Classifier) -> None:
    images, labels = drawn(site.root / "synthetic-run", 80, seed=11)
    chances = classifier.chances(images)[:, 1]
    assert (chances[labels == 1, None] > chances[labels == 0]).mean() > 0.85


def test_it_says_where_it_came_from_and_carries_the_terms(site: Gate, classifier: Classifier, model: Path) -> None:
    facts = classifier.facts
    (origin,) = facts.origins
    assert (origin.purpose, origin.recipient) == ("teaching", "Anytown University")
    assert facts.epsilon == 0
    assert facts.images == {"train": 112, "validation": 16, "test": 32}
    card = (model / CARD).read_text()
    assert "not for diagnosis" in card
    assert "not on patients" in card
    assert all(text in card for text in (*facts.classes, origin.set_sha256, origin.purpose, origin.until))
    require_permitted(facts.origins, date.fromisoformat(origin.until))
    with pytest.raises(UsageError, match="ended on"):
        require_permitted(facts.origins, date.fromisoformat(origin.until).replace(year=2030))


def test_the_same_seed_gives_the_same_files_and_another_one_others(site: Gate, model: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again", tmp_path / "other"
    teach([site.root / "bundle"], again, keys(site), FEW)
    for name in (MARKER, WEIGHTS, GRAPH, CARD):
        assert (again / name).read_bytes() == (model / name).read_bytes()
    teach([site.root / "bundle"], other, keys(site), TeachSettings(steps=2, seed=1))
    assert (other / WEIGHTS).read_bytes() != (model / WEIGHTS).read_bytes()


def test_the_graph_answers_as_the_network_does(site: Gate, classifier: Classifier, model: Path) -> None:
    images, _ = drawn(site.root / "synthetic-run", 40, seed=12)
    content = (model / GRAPH).read_bytes()
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content)
    for part in (images, images[:1]):
        (chances,) = session.run(None, {INPUT: part})
        assert np.abs(chances - classifier.chances(part)).max() < 1e-5
    assert session.get_modelmeta().custom_metadata_map["classes"].split("\n") == list(classifier.facts.classes)


@pytest.mark.parametrize(("side", "look", "channels"), [(33, 16, 3), (70, 32, 1), (12, 16, 1)])
def test_graphs_of_other_sizes_and_of_colour(classifier: Classifier, side: int, look: int, channels: int) -> None:
    form = replace(classifier.facts.form, side=side, channels=channels)
    network = untrained(
        side=side, look=look, channels=channels, classes=2, rng=torch.Generator().manual_seed(0)
    ).eval()
    other = Classifier(facts=replace(classifier.facts, form=form), network=network)
    images = np.random.default_rng(0).integers(0, 256, (3, side, side, channels), dtype=np.uint8)
    (chances,) = onnxruntime.InferenceSession(graph_of(other)).run(None, {INPUT: images})
    assert np.abs(chances - other.chances(images)).max() < 1e-5


def test_an_edited_model_is_refused(model: Path, tmp_path: Path) -> None:
    for name in (WEIGHTS, GRAPH, CARD):
        edited = Path(shutil.copytree(model, tmp_path / name))
        (edited / name).write_bytes((edited / name).read_bytes() + b" ")
        with pytest.raises(IntegrityError, match=name):
            open_classifier(edited)
    edited = Path(shutil.copytree(model, tmp_path / MARKER))
    table = json.loads((edited / MARKER).read_text())
    (edited / MARKER).write_text(json.dumps({**table, "temperature": -1}))
    with pytest.raises(IntegrityError, match="fields of a classifier"):
        open_classifier(edited)
    older = {name: value for name, value in table.items() if name != "look"}
    (edited / MARKER).write_text(json.dumps({**older, "schema_version": 1}))
    with pytest.raises(IntegrityError, match="Learn it again"):
        open_classifier(edited)


def test_what_was_not_released_and_columns_that_are_not_there_are_refused(site: Gate, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Expected a bundle"):
        teach([site.root / "synthetic"], tmp_path / "model", keys(site))
    with pytest.raises(UsageError, match="set with records"):
        teach([site.root / "bundle"], tmp_path / "model", keys(site), TeachSettings(column="sex"))
    assert not (tmp_path / "model").exists()


def test_one_class_or_too_few_images_are_refused(classifier: Classifier) -> None:
    facts, images = classifier.facts, np.zeros((100, 28, 28, 1), np.uint8)

    def lesson(labels: list[int], validation: list[int]) -> Lesson:
        parts = {"train": labels, "validation": validation, "test": labels}
        pictures = {name: Pictures(images=images[: len(part)], labels=np.array(part)) for name, part in parts.items()}
        return Lesson(parts=pictures, classes=facts.classes, form=facts.form, origins=facts.origins)

    assert lesson([0] * 30 + [1] * 30, [0, 1] * 4)
    with pytest.raises(UsageError, match="shows 1"):
        lesson([0] * 60, [0] * 8)
    with pytest.raises(UsageError, match="at least 30 images of each class in the split 'train', of 'effusion'"):
        lesson([0] * 30 + [1] * 29, [0, 1] * 4)
    with pytest.raises(UsageError, match="split 'validation'"):
        lesson([0] * 30 + [1] * 30, [0, 1, 0, 1, 0, 0, 1])


def test_a_known_range_knows_what_it_was_made_of_and_notices_another_light() -> None:
    images = np.random.default_rng(1).integers(60, 140, (400, 28, 28, 1), dtype=np.uint8)
    known = KnownRange.of(images)
    assert known.knows(images).mean() > 0.97
    assert not known.knows((images // 4).astype(np.uint8)).any()
    assert not known.knows(np.full_like(images, 100)).any()
