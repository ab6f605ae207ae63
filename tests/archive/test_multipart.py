"""Cutting a multipart answer: what a careful archive sends, and what a hostile one would."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privgan.archive.multipart import DamagedError, boundary_of, joined, only_file, only_part

RELATED = 'multipart/related; type="application/dicom"; boundary='


def twin(body: bytes, boundary: bytes) -> bytes | None:
    """The slow, obvious way: split at every delimiter, and look at the pieces."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) < 3 or not pieces[2].startswith(b"--"):
        return None
    if not pieces[1].startswith(b"\r\n") or b"\r\n\r\n" not in pieces[1]:
        return None
    head, content = pieces[1].split(b"\r\n\r\n", 1)
    return content if len(head) <= 8000 else None


def cut(body: bytes, boundary: bytes) -> bytes | None:
    try:
        return only_part(body, boundary)
    except DamagedError:
        return None


pieces = st.sampled_from(
    [b"--b", b"\r\n", b"--", b"b", b"-", b"\r", b"\n", b"A: 1", b"\r\n\r\n", b"\r\n--b", b"DICM", b""]
)


@given(st.lists(pieces, max_size=14).map(b"".join))
def test_it_agrees_with_the_obvious_way_on_every_body(body: bytes) -> None:
    assert cut(body, b"b") == twin(body, b"b")


@given(st.binary(max_size=200), st.binary(max_size=20), st.binary(max_size=20))
def test_a_file_comes_back_byte_for_byte(file: bytes, before: bytes, after: bytes) -> None:
    body = before + b"\r\n--Bound\r\nContent-Type: application/dicom\r\n\r\n" + file + b"\r\n--Bound--" + after
    assert only_part(body, b"Bound") == file


@pytest.mark.parametrize("padding", [b" ", b"\t", b"  \t "])
def test_blanks_behind_a_boundary_are_legal(padding: bytes) -> None:
    """RFC 2046 5.1.1: transport padding."""
    body = b"--b" + padding + b"\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--b--" + padding + b"\r\n"
    assert only_part(body, b"b") == b"DICM"


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=4))
def test_what_we_send_can_be_cut_again(files: list[bytes]) -> None:
    kind, body = joined(files)
    boundary = boundary_of(kind)
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert parts[0] == b""
    assert parts[-1] == b"--\r\n"
    assert [part.split(b"\r\n\r\n", 1)[1] for part in parts[1:-1]] == files
    if len(files) == 1 and files[0]:
        assert only_file(kind, body) == files[0]


@pytest.mark.parametrize(
    ("value", "boundary"),
    [
        ("b1", b"b1"),
        ('"b 1"', b"b 1"),
        ('"=_a/b:c"; start=x', b"=_a/b:c"),
        ("x" * 70, b"x" * 70),
        ("", None),
        ('""', None),
        ('"ends with a space "', None),
        ("x" * 71, None),
        ('"a\r\nb"', None),
        ("é", None),
    ],
)
def test_boundaries(value: str, boundary: bytes | None) -> None:
    if boundary is None:
        with pytest.raises(DamagedError):
            boundary_of(RELATED + value)
    else:
        assert boundary_of(RELATED + value) == boundary


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<p>sorry"),
        ("multipart/related", b"--b\r\n\r\n\r\nDICM\r\n--b--"),
        ("multipart/mixed; boundary=b", b"--b\r\n\r\n\r\nDICM\r\n--b--"),
        (RELATED + "b", b""),
        (RELATED + "b", b"--b--"),
        (RELATED + "b", b"--bb\r\nA: 1\r\n\r\nDICM\r\n--b--"),
        (RELATED + "b", b"--b\r\nA: 1\r\n\r\nDICM"),
        (RELATED + "b", b"--b\r\nA: 1\r\n\r\nDICM\r\n--b"),
        (RELATED + "b", b"--b\r\nA: 1\r\n\r\nDICM\r\n--b\r\nA: 1\r\n\r\nDICM\r\n--b--"),
        (RELATED + "b", b"--b\r\nA: 1\r\n\r\n\r\n--b--"),
        (RELATED + "b", b"--b\r\n" + b"A: 1\r\n" * 9999 + b"\r\nDICM\r\n--b--"),
        ("application/dicom", b""),
    ],
)
def test_anything_but_one_file_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(DamagedError):
        only_file(kind, body)


def test_a_bare_file_is_taken() -> None:
    assert only_file("application/dicom; transfer-syntax=*", b"DICM") == b"DICM"


def test_boundaries_are_new_every_time() -> None:
    kinds = {joined([b"x"])[0] for _ in range(3)}
    assert len(kinds) == 3
    assert all(re.search('boundary="[0-9a-f]{32}"', kind) for kind in kinds)
