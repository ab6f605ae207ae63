"""Hostile containers cost little time and memory, and what is not searched for that reason is told."""

import io
import json
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian

from privgan.data.identifiers import IdentifierDigests
from privgan_audits.questions.identifiers.contents.files import file_pieces, opening_of
from privgan_audits.questions.identifiers.contents.pieces import UNREADABLE, Allowance, Opening, Piece
from privgan_audits.questions.identifiers.contents.text_encodings import unfolded
from privgan_audits.questions.identifiers.lookup import Lookup
from tests.audits.questions.identifiers.containers import archive, chunk, dicom, in_png, picture

KIB, MIB = 1 << 10, 1 << 20


LOOK_UP = Lookup(IdentifierDigests(bytes(32)))


def bomb(count: int = 1, size: int = 2 * MIB) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for number in range(count):
            target.writestr(f"{number}.bin", bytes(size))
    return buffer.getvalue()


def search(content: bytes, allowed: int = 256 * KIB) -> tuple[list[Piece], Opening]:
    opening = Opening(depth=6, allowance=Allowance(left=allowed), search=file_pieces)
    pieces = [found for piece in file_pieces(content, opening) for found in unfolded(piece, opening)]
    for piece in pieces:
        LOOK_UP(piece)
    return pieces, opening


def nested_sequences(dataset: Dataset) -> None:
    for _ in range(150):
        outer = Dataset()
        outer.ContentSequence = Sequence(
            [dataset.pop("ContentSequence").value[0]] if "ContentSequence" in dataset else []
        )
        dataset.ContentSequence = Sequence([outer])


BOMBS = {
    "a zip": bomb(),
    "many members": bomb(16, 128 * KIB),
    "a zip in a zip": archive(bomb()),
    "a PNG text": in_png(b"zTXt", b"Comment\0\0")(zlib.compress(bytes(2 * MIB))),
    "PNG pixels": picture("PNG")[:33] + chunk(b"IDAT", zlib.compress(bytes(2 * MIB))) + chunk(b"IEND", b""),
    "a stream in other bytes": b"\1\2\0" + zlib.compress(bytes(2 * MIB)),
    "a deflated data set": dicom(
        lambda d: d.add_new(0x00111001, "OB", bytes(2 * MIB)), DeflatedExplicitVRLittleEndian
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_told_and_costs_no_more_than_is_allowed(name: str) -> None:
    assert len(BOMBS[name]) < 16 * KIB
    tracemalloc.start()
    pieces, opening = search(BOMBS[name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(piece.kind == UNREADABLE for piece in pieces)
    assert opening.allowance.left == 0
    assert peak < 2 * MIB
    pieces, opening = search(BOMBS[name], allowed=200 * MIB)
    assert all(piece.kind != UNREADABLE for piece in pieces)


def test_the_allowance_grows_with_the_file_and_is_shared() -> None:
    assert opening_of(bytes(MIB)).allowance.left == 80 * MIB
    allowance = Allowance(left=MIB)
    assert allowance.take(MIB // 2)
    assert not allowance.take(MIB)
    assert not Allowance(left=5 * 1024).take(10**9)


def test_many_beginnings_of_streams_exhaust_the_allowance_not_the_patience() -> None:
    _, opening = search(b"\x78\x9c\x00" * 20_000)
    assert opening.allowance.left == 0


def test_a_zip_nested_deeper_than_is_opened_is_told() -> None:
    content = b"x"
    for _ in range(12):
        content = archive(content)
    assert any(piece.kind == UNREADABLE for piece in search(content, 100 * MIB)[0])


@pytest.mark.parametrize("length", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_lengths_that_lie_and_files_cut_short_are_searched(kind: str, length: int) -> None:
    content = picture(kind)
    for position in range(8, min(len(content), 200), 9):
        lying = content[:position] + length.to_bytes(4, "big") + b" Zolkiewska " + content[position + 4 :]
        texts = " ".join(piece.text for piece in search(lying)[0])
        assert "Zolkiewska" in texts or kind != "TIFF"  # elsewhere a length may cut it in two, or call it samples
        search(content[:position])


def test_texts_nested_deeper_than_calls_can_be_are_searched() -> None:
    for deep in ("[" * 50_000 + '"hidden"' + "]" * 50_000, '{"a":' * 900 + json.dumps("hidden") + "}" * 900):
        assert any("hidden" in piece.text for piece in search(deep.encode())[0])


def test_data_sets_nested_deeply_are_searched() -> None:
    content = dicom(nested_sequences)
    search(content)
    assert any(piece.kind.startswith("element") for piece in search(content)[0])


@pytest.mark.parametrize(
    "text", ["a" * 200, "12" * 99, "%41" * 20, "ab " * 60, "<" * 300, "1 ." * 80, "&a" * 60, "a" * 70 + "\n"]
)
def test_long_texts_take_linear_time(text: str) -> None:
    """A test that hangs has failed."""
    pieces, _ = search(text.encode() * KIB)
    assert pieces


def test_encodings_of_encodings_end() -> None:
    text = "%2525" * 20 + "&amp;" * 20
    pieces, _ = search(text.encode())
    assert len(pieces) < 100


def test_a_file_that_nothing_here_opens_is_told(tmp_path: Path) -> None:
    for beginning in (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\0", b"\x28\xb5\x2f\xfd"):
        content = beginning + np.random.default_rng(0).bytes(500)
        assert any(piece.kind == UNREADABLE for piece in search(content)[0])
