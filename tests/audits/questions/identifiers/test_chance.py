"""Noise spells words: among thousands of images and identifiers none may be found that was not planted."""

import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from privgan.data.identifiers import DATE, IDENTIFIER, NAME, UID, IdentifierDigests
from privgan_audits.questions.identifiers.contents.files import file_pieces, opening_of
from privgan_audits.questions.identifiers.contents.raw_bytes import noisy_regions
from privgan_audits.questions.identifiers.contents.text_encodings import unfolded
from privgan_audits.questions.identifiers.lookup import Lookup
from tests.audits.questions.identifiers.containers import array
from tests.audits.questions.identifiers.test_scan import measured
from tests.audits.releasing import make_cohort
from tests.synthetic.making import make_set

Pixels = NDArray[np.uint8]
LETTERS = np.array(list(string.ascii_lowercase))


def random_identifiers(count: int, rng: np.random.Generator) -> dict[str, list[str]]:
    """Surnames of four to nine letters, numbers of six to ten digits, dates and UIDs, as many each."""
    days = np.datetime64("1930-01-01") + rng.integers(0, 35_000, count)
    return {
        NAME: ["".join(rng.choice(LETTERS, rng.integers(4, 10))) for _ in range(count)],
        IDENTIFIER: [str(rng.integers(10**5, 10**10)) for _ in range(count)],
        DATE: [str(day).replace("-", "") for day in days],
        UID: [f"1.2.840.{rng.integers(10**9)}.{rng.integers(10**9)}" for _ in range(count)],
    }


@pytest.fixture(scope="module")
def look_up() -> Lookup:
    digests = IdentifierDigests(bytes(32))
    for category, values in random_identifiers(2_000, np.random.default_rng(0)).items():
        for value in values:
            digests.add(category, value)
    return Lookup(digests)


def found(content: bytes, look_up: Lookup) -> set[str]:
    opening = opening_of(content)
    pieces = (each for piece in file_pieces(content, opening) for each in unfolded(piece, opening))
    return {category for piece in pieces for category in look_up(piece)}


def noise(rng: np.random.Generator) -> Pixels:
    return rng.integers(0, 256, (1000, 64, 64), np.uint8)


def letters(rng: np.random.Generator) -> Pixels:
    """Grey values of one narrow range, as of a smooth picture: the worst that noise can be."""
    return rng.integers(60, 126, (60, 64, 64), np.uint8)


def bright(rng: np.random.Generator) -> Pixels:
    return rng.normal(200, 30, (300, 64, 64)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("pixels", [noise, letters, bright])
def test_pixels_spell_nobody(pixels: Callable[[np.random.Generator], Pixels], look_up: Lookup) -> None:
    values = pixels(np.random.default_rng(1))
    content = array(values)
    assert found(content, look_up) == set()
    values.reshape(-1)[1000:1023] = [*b"\0Maximilian-Zolkiewski\0"]
    known = IdentifierDigests(bytes(32))
    known.add(NAME, "Maximilian^Zolkiewski")
    assert found(array(values), Lookup(known)) == {NAME}


def test_compressed_bytes_of_no_known_form_spell_nobody(look_up: Lookup) -> None:
    content = b"\1\2" + np.random.default_rng(2).bytes(300_000)
    assert noisy_regions(content)[0][1] > 250_000
    assert found(content, look_up) == set()
    assert noisy_regions("Żółkiewska, Агнешка\n".encode() * 3000) == []
    assert noisy_regions("Агнешка Иванова\n".encode("iso8859_5") * 3000) == []
    assert noisy_regions("Agnieszka\n".encode("utf-16-le") * 3000) == []


def test_random_numbers_in_texts_spell_nobody(look_up: Lookup) -> None:
    """Digests, UIDs and UUIDs are hexadecimal, and look like base64: what they decode to is noise."""
    rng = np.random.default_rng(3)
    lines = [rng.bytes(32).hex() for _ in range(1500)] + [
        f"2.25.{int.from_bytes(rng.bytes(16))}" for _ in range(1500)
    ]
    assert found("\n".join(lines).encode(), look_up) == set()


def test_a_set_among_thousands_of_identifiers_is_clean(tmp_path: Path) -> None:
    synthetic = make_set(tmp_path / "synthetic", count=60)
    cohort = make_cohort(tmp_path / "cohort", random_identifiers(2_000, np.random.default_rng(4)))
    report = measured(synthetic, cohort)
    assert (report["places"], report["structure"], report["not_as_audited"]) == ([], {}, {})
    assert report["known_identifiers"] > 6_000
    assert report["unreadable_entries"] == 0


@pytest.mark.study
def test_four_thousand_files_among_thousands_of_identifiers_are_clean(tmp_path: Path) -> None:
    synthetic = make_set(tmp_path / "synthetic", count=4000)
    for seed in range(5):
        cohort = make_cohort(tmp_path / f"cohort-{seed}", random_identifiers(10_000, np.random.default_rng(seed)))
        assert measured(synthetic, cohort)["places"] == []
