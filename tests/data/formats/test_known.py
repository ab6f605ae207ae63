"""Formats are modules with four names, and nothing but their tuple knows which there are."""

import ast
import logging
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from privgan.data.cohort.prepare import prepare
from privgan.data.cohort.scan import scan
from privgan.data.columns import is_name
from privgan.data.formats import known, picture
from privgan.data.formats.dicom import reader as dicom
from privgan.data.formats.dicom.identifying import COLUMNS
from privgan.data.formats.isolation import Job
from privgan.data.formats.known import FORMATS, Format, format_named, format_of
from privgan.data.formats.nifti import reader as nifti
from privgan.data.formats.reading import Request
from privgan.data.formats.worker import handler
from privgan.data.recipe import Recipe
from privgan.data.refusals import RefusedError
from privgan.data.sources import file_source
from privgan.data.sources.wishes import Wishes
from privgan.errors import UsageError
from tests.data.telling import told
from tests.data.volumes import nifti as volume
from tests.data.volumes import smooth, written
from tests.places import ROOT

TOY = '''"""Grey pictures of 28 x 28 bytes, for this test alone."""
import numpy as np
from privgan.data.formats.reading import Reading
from privgan.data.preprocess import Pixels, prepare_image
from privgan.data.refusals import RefusedError, read_regular

has_units = names_patients = False
tells = ()


def claims(file):
    return file.suffix == ".toy"


def read(path, request):
    content = read_regular(path)
    if len(content) != 784:
        raise RefusedError("truncated")
    values = np.frombuffer(content, dtype=np.uint8).reshape(28, 28)
    return Reading(images=prepare_image(Pixels(values=values, low=0, high=255), request.recipe)[None], side=28)
'''


def test_what_a_dicom_file_tells_can_be_asked_of_one() -> None:
    assert set(dicom.tells) == set(COLUMNS)


def test_who_has_files_read_does_not_load_what_reads_them() -> None:
    """Workers do, which are forks of one process that has."""
    asked = "import sys, privgan.data.sources.opening; print('pydicom' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout == "False\n"


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.__name__)
def test_each_has_the_five_names_and_refuses_what_is_none_of_its_files(each: Format, tmp_path: Path) -> None:
    assert isinstance(each.has_units, bool)
    assert isinstance(each.names_patients, bool)
    assert all(map(is_name, each.tells))
    (tmp_path / "notes.txt").write_text("no image of any kind" * 40)
    assert not each.claims(tmp_path / "notes.txt")
    assert not each.claims(tmp_path / "absent")
    with pytest.raises(RefusedError, match=r"^not_"):
        each.read(tmp_path / "notes.txt", Request(kind=each.__name__, recipe=Recipe()))
    assert format_named(each.__name__) is each


def files(folder: Path, *names: str) -> list[Path]:
    """Empty files, but what has no suffix begins as DICOM does."""
    for name in names:
        (folder / name).write_bytes(b"" if "." in name else bytes(128) + b"DICM")
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (("a.png", "b.JPG", "notes.txt"), picture),
        (("a.nii", "b.nii.gz", "sidecar.json"), nifti),
        (("a.dcm",), dicom),
        (("IM0001", "a.png"), dicom),
        (("a.nii.gz", "a.png"), nifti),
        (("a.png", "a.nii", "IM0001"), dicom),
        (("notes.txt",), dicom),
        ((), dicom),
    ],
)
def test_a_folder_is_read_as_the_first_format_that_claims_a_part_of_it(
    tmp_path: Path, names: tuple[str, ...], taken: Format
) -> None:
    for order in (names, names[::-1]):
        assert format_of(files(tmp_path, *order)) is taken


def test_what_is_known_by_its_name_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may have hundreds of thousands of pictures, on a slow share."""
    monkeypatch.setattr(dicom, "claims", pytest.fail)
    assert format_of(files(tmp_path, "a.png", "b.jpeg")) is picture


def test_nothing_else_asks_which_format_it_is() -> None:
    """Outside the formats' own folder no module imports one to compare with it."""
    for path in (ROOT / "privgan/data/sources").glob("*.py"):
        imported = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        modules = {f"{node.module}.{alias.name}" for node in imported for alias in node.names}
        assert not modules & {each.__name__ for each in FORMATS}


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """One more format, of which nothing but the tuple is told; files are read in this process, which knows it."""
    (tmp_path / "format_of_a_test.py").write_text(TOY)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__("format_of_a_test")
    monkeypatch.setattr(known, "FORMATS", (*FORMATS, module))

    def here(job: Job, requests: Sequence[bytes], workers: int | None = None) -> Iterator[bytes]:
        return map(handler(job.configuration), requests)

    monkeypatch.setattr(file_source, "run_isolated", here)
    monkeypatch.setattr(logging, "disable", lambda _: None)
    monkeypatch.delitem(sys.modules, "format_of_a_test")
    return module


def test_a_new_format_needs_its_module_and_its_place_in_the_tuple(toy: ModuleType, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    source = tmp_path / "source"
    source.mkdir()
    for number, image in enumerate(pixels):
        (source / f"{number}.toy").write_bytes(image.tobytes())
    (source / "short.toy").write_bytes(b"x")
    seen = scan(source, Wishes(size=28))
    assert (seen.images, seen.patients, seen.refused) == (6, 6, {"truncated": 1})
    assert any("each file counts as one patient" in note for note in seen.notes)
    (tmp_path / "cohort").mkdir()
    facts = prepare(source, tmp_path / "cohort", told(preset="cxr", each_image_is_a_patient=True))
    np.testing.assert_array_equal(np.load(tmp_path / "cohort" / "images.npy"), pixels)
    assert facts.patients == 6
    with pytest.raises(UsageError, match="ct preset"):
        scan(source, Wishes(preset="ct-soft"))
    (source / "labels.csv").write_text("study,label\na,b\n")
    with pytest.raises(UsageError, match="column `file`"):
        scan(source, Wishes(preset="cxr"))


def test_volumes_need_a_preset_and_pictures_do_not(tmp_path: Path) -> None:
    written(tmp_path / "volumes" / "a.nii.gz", volume(smooth((28, 28, 3), 0)))
    with pytest.raises(UsageError, match="--window"):
        scan(tmp_path / "volumes", Wishes())
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(tmp_path / "pictures" / "a.png")
    assert scan(tmp_path / "pictures", Wishes()).preset == "picture"
