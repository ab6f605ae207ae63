"""Invented patients through all stages: one record but for the stage, one set of latent numbers, one patient."""

import base64
import csv
import io
import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydicom import dcmread

from privgan.errors import UsageError
from privgan.gan.networks import Generator, GeneratorConfig, load_generator, save_generator
from privgan.gan.warm_start import Mixture
from privgan.images.form import ImageForm
from privgan.records.pairs import Pairs
from privgan.records.schema import Schema
from privgan.records.table import Table
from privgan.synthetic.dicom.conformance import faults_of
from privgan.synthetic.drawing import Asked, Drawing
from privgan.synthetic.generate import GenerateOptions, generate
from privgan.synthetic.set_files import FORMATS, SetFiles
from privgan.synthetic.splits import suggested
from privgan.synthetic.synthetic_set import open_synthetic_set
from privgan_audits.evidence.interface import Sample
from privgan_audits.questions.identifiers.as_audited import AsAudited
from privgan_audits.questions.identifiers.own_writing import OwnWriting
from tests.synthetic.making import CLASSES, SEED, finish_again, make_run

SCHEMA = Schema.of({"sex": "category(F|M):patient", "age": "number(0..100)", "stage": "ordinal(I<II<III)"})
STAGES = ("I", "II", "III")


@pytest.fixture(scope="module")
def told_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run whose second class has stages, each of which makes all pixels brighter."""
    run = make_run(tmp_path_factory.mktemp("told") / "run")
    config = GeneratorConfig(form=ImageForm(side=28, classes=CLASSES), latent=4, width=16, levels=SCHEMA.levels)
    network = Generator(config, torch.Generator().manual_seed(0)).eval()
    mixture = Mixture.grey(config.mixture)
    assert mixture.effects is not None
    mixture.effects[-3:, 0] = torch.tensor([0.0, 4.0, 8.0])
    mixture.loadings.normal_(generator=torch.Generator().manual_seed(1))
    network.warm_start(mixture)
    save_generator(run, network, None, _table())
    return finish_again(run)


def _table() -> Table:
    """Nobody of the first class has a stage, everybody of the second has one."""
    pairs = Pairs((2, *SCHEMA.levels))
    potentials = np.zeros(pairs.cells)
    start = pairs.starts[pairs.axes.index((0, 3))]
    potentials[start : start + 8] = [0, -30, -30, -30, -30, 0, 0, 0]
    return Table(columns=SCHEMA.types, classes=2, members=1000, noise=1.0, potentials=tuple(potentials.tolist()))


def _sequence(run: Path, folder: Path, **options: object) -> Path:
    folder.mkdir()
    generate(run, folder, GenerateOptions(sequence="stage", classes="effusion:1", **options), SEED)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def sequence(told_run: Path) -> Path:
    """Five patients."""
    return _sequence(told_run, told_run.parent / "sequence", patients=5)


def test_a_patient_is_one_in_everything_but_the_stage(sequence: Path) -> None:
    rows = [*csv.DictReader((sequence / "records.csv").open())]
    assert [row["stage"] for row in rows] == [*STAGES] * 5
    others = [{name: row[name] for name in ("patient", "class", "sex", "age")} for row in rows]
    assert all(others[number] == others[number - number % 3] for number in range(15))
    assert len({row["patient"] for row in rows}) == 5
    assert len({(row["sex"], row["age"]) for row in rows}) > 1
    files = [dcmread(sequence / row["file"]) for row in rows]
    assert [file.PatientID for file in files] == [row["patient"] for row in rows]
    studies, series = [file.StudyInstanceUID for file in files], {file.SeriesInstanceUID for file in files}
    assert studies == [study for study in dict.fromkeys(studies) for _ in STAGES]
    assert len(series) == 15
    with Image.open(sequence / "contact-sheet.png") as sheet:
        assert sheet.size == (3 * 56, 16 + 5 * 56)


def test_stages_lie_apart_on_invented_days_that_the_audit_knows(sequence: Path, told_run: Path) -> None:
    """The study's is the first; other patients have other days, and other sets none. Another day is another file."""
    files = [dcmread(file) for file in sorted((sequence / "dicom").rglob("*.dcm"))]
    assert {file.StudyDate for file in files} == {"19000101"}
    shown = [{file.SeriesDate, file.AcquisitionDate, file.ContentDate} for file in files]
    assert all(len(days) == 1 for days in shown)
    days = [date.fromisoformat(day) for (day,) in shown]
    apart = {(after - day).days for n, (day, after) in enumerate(pairwise(days)) if (n + 1) % 3}
    assert days[::3] == [date(1900, 1, 1)] * 5
    assert apart <= {*range(30, 91)}
    assert len(apart) > 1
    own = OwnWriting(sequence)
    assert all(own.wrote(file.SeriesDate) for file in files)
    assert not own.wrote("19000102")
    assert faults_of((sequence / "dicom/000002/000002.dcm").read_bytes()) == []
    plain = told_run.parent / "undated"
    plain.mkdir()
    generate(told_run, plain, GenerateOptions(count=2, formats=("dicom",)), SEED)
    other = dcmread(plain / "dicom/000001/000001.dcm")
    assert "SeriesDate" not in other
    assert other.ContentDate == "19000101"
    opened = open_synthetic_set(sequence)
    audited = Sample(
        images=opened.images[..., None],
        labels=opened.labels,
        patients=np.arange(15),
        records=opened.records,
    )
    seen = AsAudited(opened.manifest, opened.files, audited)
    files[1].SeriesDate = "19000102"
    changed = io.BytesIO()
    files[1].save_as(changed)
    content = changed.getvalue()
    seen.see("dicom/000002/000002.dcm", content, dcmread(io.BytesIO(content)))
    assert seen.differences()["header"] == 1


def test_the_page_to_learn_from_shows_the_set_s_own_images_and_its_words_alone_are_explained(sequence: Path) -> None:
    """A word beside them, of whatever is known of patients, is searched like everything else."""
    opened = open_synthetic_set(sequence)
    page = (sequence / "lesson.html").read_text()
    found = [base64.b64decode(each) for each in re.findall(r'src="data:image/png;base64,([^"]+)"', page)]
    shown = np.stack([np.asarray(Image.open(io.BytesIO(each))) for each in found])
    np.testing.assert_array_equal(shown, opened.images)
    own = OwnWriting(sequence)
    assert own.wrote_file("lesson.html", page.encode())
    assert not own.wrote_file("lesson.html", page.replace("</main>", "Ada</main>").encode())
    assert not own.wrote_file("lesson.html", page.replace("stage", "Ada").encode())
    files = SetFiles(opened.manifest, opened.images[::-1], opened.labels, FORMATS, opened.records)
    (other,) = files.pieces("lesson.html")
    assert other != page.encode(), "other pictures are another file, which the audit compares to the byte"
    assert own.wrote_file("lesson.html", bytes(other))


def test_every_stage_is_brighter_and_nothing_else_moves(sequence: Path, told_run: Path) -> None:
    """The same image as the generator draws of this record; another patient is another image."""
    images = open_synthetic_set(sequence).images.reshape(5, 3, 28, 28).astype(float)
    assert (np.diff(images.mean((2, 3)), axis=1) > 1).all()
    others = [np.corrcoef(images[0, 0].ravel(), images[number, 0].ravel())[0, 1] for number in range(1, 5)]
    within = [np.corrcoef(*images[number, :2].reshape(2, -1))[0, 1] for number in range(5)]
    assert min(within) > max(others)
    generator, opened = load_generator(told_run), open_synthetic_set(sequence)
    z = SEED.normal("image", 2, generator.latent)
    drawn = generator.levels(z, np.array([1, *opened.records.codes[7]]))
    np.testing.assert_array_equal(np.rint(drawn), opened.images[7])


def test_the_audit_draws_a_sequence_again_and_another_order_is_not_it(sequence: Path, told_run: Path) -> None:
    opened = open_synthetic_set(sequence)
    drawing = Drawing.of(told_run, Asked.of(opened.manifest), SEED)
    assert drawing.again(opened.images).exact
    assert drawing.again(opened.images[::-1]).others > 0
    np.testing.assert_array_equal(drawing.records.cells, opened.records.cells)


def test_the_card_says_whose_images_belong_together(sequence: Path, told_run: Path, tmp_path: Path) -> None:
    """Of a sequence; of a set with records it says what these are, and else what it always did."""
    cards = [(sequence / "README.md").read_text()]
    for name, run in (("told", told_run), ("plain", make_run(tmp_path / "run"))):
        folder = tmp_path / name
        folder.mkdir()
        generate(run, folder, GenerateOptions(count=3, formats=("npz",)), SEED)
        cards.append((folder / "README.md").read_text())
    for says, of in (
        ("one for each 3 images", 1),
        ("are one invented patient and one study", 1),
        ("in every value of `stage`", 1),
        ("`lesson.html`", 1),
        ("`records.csv`", 2),
    ):
        assert [says in card for card in cards] == [number < of for number in range(3)], says
    assert ["because no two images belong together" in card for card in cards] == [False, True, True]
    assert not any("{" in card for card in cards)


def test_images_of_a_patient_are_never_in_two_splits() -> None:
    splits = suggested(np.ones(60, np.int64), None, visits=3).reshape(20, 3)
    assert (splits == splits[:, :1]).all()
    assert len(set(splits[:, 0])) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sequence": "stage", "patients": 2, "classes": "uniform"}, "of class 'normal' about 0 of 1,000 patients"),
        ({"sequence": "age", "patients": 2}, "declared as ordinal, got 'age'. Known: stage"),
        ({"sequence": "stage", "patients": 2, "where": "stage=I"}, "other columns than --sequence stage"),
        ({"sequence": "stage", "patients": 2, "frames": 3}, "without --one-study and --frames"),
        ({"sequence": "stage"}, "with --patients of at least 1"),
        ({"patients": 2}, "Expected --sequence COLUMN"),
        ({"sequence": "stage", "patients": 2, "count": 6}, "no --count"),
    ],
)
def test_what_is_no_sequence_is_refused(
    told_run: Path, tmp_path: Path, options: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        generate(told_run, tmp_path, GenerateOptions(**{"classes": "effusion:1", **options}), SEED)  # type: ignore[arg-type]


def test_a_run_without_records_has_no_sequence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Known: -"):
        generate(make_run(tmp_path / "run"), tmp_path, GenerateOptions(sequence="stage", patients=1), SEED)


def test_a_sequence_goes_with_what_is_asked_of_other_columns(told_run: Path, tmp_path: Path) -> None:
    folder = _sequence(told_run, tmp_path / "set", patients=3, where="sex=F", formats=("npz",))
    rows = [*csv.DictReader((folder / "records.csv").open())]
    assert {row["sex"] for row in rows} == {"F"}
    assert [row["stage"] for row in rows] == [*STAGES] * 3
    assert len({row["patient"] for row in rows}) == 3
