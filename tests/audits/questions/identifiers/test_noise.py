"""Runs of noise that spell nothing known are left out early: what is found is what a look at every run finds."""

import base64
import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privgan.data.identifiers import IDENTIFIER, NAME, IdentifierDigests
from privgan_audits.questions.identifiers.contents.files import file_pieces, opening_of
from privgan_audits.questions.identifiers.contents.pieces import Knows, anything
from privgan_audits.questions.identifiers.contents.raw_bytes import noise_pieces
from privgan_audits.questions.identifiers.contents.text_encodings import unfolded
from privgan_audits.questions.identifiers.lookup import Lookup

NAMES, NUMBERS = ("Zorkelvimbru", "Quastenhof^Ilse"), ("4711081512", "0093847756")
SPELLED: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "in capitals, between blanks": lambda text: f" {text.upper()} ".encode(),
    "before the next record's signature": lambda text: f"{text}PK".encode(),
    "in base64": lambda text: base64.b64encode(text.encode()),
    "in filled base64, before that signature": lambda text: base64.b64encode(f"{text}#".encode()) + b"PK",
    "in hexadecimal digits, before that signature": lambda text: f"{text.encode().hex()}PK".encode(),
    "in hexadecimal digits": lambda text: text.encode().hex().encode(),
    "with two bytes a letter": lambda text: text.encode("utf-16-le"),
    "with a zero before": lambda text: f"0{text}".encode(),
}


def as_array(content: bytes) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.frombuffer(content, np.uint8).reshape(1, -1))
    return stream.getvalue()


def as_member(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.npy", as_array(content))
    return stream.getvalue()


def behind_an_archive(content: bytes) -> bytes:
    noise = np.random.default_rng(0).bytes(6000)
    return as_member(b"") + noise + content + noise


HELD: dict[str, Callable[[bytes], bytes]] = {
    "array": as_array,
    "archive": as_member,
    "bytes": bytes,
    "gap of an archive": behind_an_archive,
}


@pytest.fixture(scope="module")
def look_up() -> Lookup:
    digests = IdentifierDigests(bytes(32))
    for name in NAMES:
        digests.add(NAME, name)
    for number in NUMBERS:
        digests.add(IDENTIFIER, number)
    return Lookup(digests)


def found(content: bytes, look_up: Lookup, knows: Knows) -> list[tuple[str, list[str]]]:
    opening = opening_of(content, knows)
    pieces = [each for piece in file_pieces(content, opening) for each in unfolded(piece, opening)]
    return [(piece.kind, sorted(categories)) for piece in pieces if (categories := look_up(piece))]


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    planted=st.lists(st.tuples(st.sampled_from(sorted(SPELLED)), st.sampled_from(NAMES + NUMBERS)), max_size=4),
    held=st.sampled_from(sorted(HELD)),
)
def test_what_is_found_is_what_every_run_gives(
    look_up: Lookup, seed: int, planted: list[tuple[str, str]], held: str
) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.integers(20, 130, 900, np.uint8).tobytes()]
    for how, text in planted:
        parts += [b"\x01", SPELLED[how](text), b"\x01", rng.integers(20, 130, 200, np.uint8).tobytes()]
    content = HELD[held](b"".join(parts))
    assert found(content, look_up, look_up.knows) == found(content, look_up, anything)


@pytest.mark.parametrize("how", ["as it is", "in capitals, between blanks", "in base64", "with a zero before"])
@pytest.mark.parametrize("text", [*NAMES, *NUMBERS])
def test_planted_ones_are_found_in_samples(look_up: Lookup, how: str, text: str) -> None:
    """Or the other test would compare nothing with nothing."""
    if how == "with a zero before" and text in NAMES:
        text = NUMBERS[0]  # only numbers lose zeros
    content = as_array(b"\x01".join((bytes(90), SPELLED[how](text), bytes(90))))
    assert found(content, look_up, look_up.knows)


@pytest.mark.parametrize("held", [as_member, behind_an_archive])
@pytest.mark.parametrize("how", [how for how in SPELLED if how.endswith("signature")])
@pytest.mark.parametrize("text", [*NAMES, *NUMBERS])
def test_the_next_records_signature_hides_nothing(
    look_up: Lookup, how: str, text: str, held: Callable[[bytes], bytes]
) -> None:
    """An archive's reader takes it off whatever lies there as noise."""
    content = held(b"\x01".join((bytes(90), SPELLED[how](text), bytes(90))))
    assert found(content, look_up, look_up.knows) == found(content, look_up, anything) != []


def test_most_runs_are_left_out(look_up: Lookup) -> None:
    noise = np.random.default_rng(0).integers(30, 130, 1 << 16, np.uint8).tobytes()
    runs = [len(list(noise_pieces(noise, knows))) for knows in (look_up.knows, anything)]
    assert runs[0] < 0.1 * runs[1]
