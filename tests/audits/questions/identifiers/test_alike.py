"""A file like an earlier one comes out as if it had been read whole, whatever stands in what differs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan_audits.questions.identifiers.contents import dicom_alike
from privgan_audits.questions.identifiers.contents.dicom_alike import Reader
from privgan_audits.questions.identifiers.contents.dicom_elements import SAMPLES, Parsed, parsed
from privgan_audits.questions.identifiers.contents.files import opening_of
from tests.data.hostile import crafting as craft
from tests.data.hostile.fuzzing import EDITS, Edit
from tests.synthetic.dicom.writing import looks, write

HOSTILE = craft.meta(craft.EXPLICIT) + craft.body()


def told(file: Parsed | None) -> Any:
    """All that the scan asks of a file."""
    if file is None:
        return None
    dataset = file.dataset
    elements = [
        (item.path, item.texts, item.element.VR, item.element.value, item.element.tag in SAMPLES and place(item))
        for item in file.elements
    ]
    return file.content, elements, dataset.preamble, dataset.file_meta, dataset.items()


def place(item: Any) -> Any:
    return item.element.file_tell


def read_whole(content: bytes) -> Parsed | None:
    return parsed(content, opening_of(content))


def read(reader: Reader, content: bytes) -> Parsed | None:
    return reader.parsed(content, opening_of(content))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many files were read whole."""
    whole: list[bytes] = []

    def counted(content: bytes, opening: Any) -> Parsed | None:
        whole.append(content)
        return parsed(content, opening)

    monkeypatch.setattr(dicom_alike, "parsed", counted)
    return lambda: len(whole)


@pytest.mark.parametrize("look", looks().values(), ids=looks())
def test_files_of_every_form_come_out_the_same(
    look: dict[str, Any], at_once: Callable[[], int], tmp_path: Path
) -> None:
    contents = [path.read_bytes() for path in write(tmp_path, 9, **look)]
    reader = Reader()
    for content in contents:
        assert told(read(reader, content)) == told(read_whole(content))
    assert len(contents) >= 3
    assert at_once() == 1


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """Two files of a set."""
    first, second = (path.read_bytes() for path in write(tmp_path_factory.mktemp("two"), 2))
    return first, second


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(EDITS, min_size=1, max_size=6))
def test_no_edit_of_a_file_makes_another_of_it(two: tuple[bytes, bytes], edits: list[Edit]) -> None:
    """Cut, changed and doubled bytes anywhere; then the same beside what is kept of the edited file."""
    first, content = two[0], bytearray(two[1])
    for edit in edits:
        edit(content)
    reader = Reader()
    for file in (first, bytes(content), HOSTILE, two[1], bytes(content)):
        assert told(read(reader, file)) == told(read_whole(file))


def test_values_may_be_anything(two: tuple[bytes, bytes], at_once: Callable[[], int]) -> None:
    """Longer, empty, in other characters, several, and none that its VR allows."""
    reader, before = Reader(), two[0]
    read(reader, before)
    assert b"PG-0123abcd-000001" in before
    changed = 0
    for value in (b"Zebulon Quixmire, 1947", b"", b"M\xc3\xbcller ", b"a\\b ", b"\xff\xfe\x00\x01", b"9" * 70):
        start = before.index(b"\x10\x00\x20\x00LO") + 6
        content = before[:start] + len(value).to_bytes(2, "little") + value + before[start + 20 :]
        found = read(reader, content)
        assert told(found) == told(read_whole(content))
        changed += found is not None
    assert changed > 3
    assert at_once() < 4


def test_only_so_many_kinds_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(dicom_alike, "_KINDS", 2)
    reader = Reader()
    for number, look in enumerate(list(looks().values())[:5]):
        for path in write(tmp_path / str(number), 2, **look):
            assert told(read(reader, path.read_bytes())) == told(read_whole(path.read_bytes()))
    assert len(reader._kinds) == 2
