"""Keyed digests of everything in the source that could name a patient.

`prepare` keeps no names and numbers, only HMAC-SHA256 digests of them under the cohort's private key, so that
an output can be scanned for them later without anybody storing them. Separators, case and accents never
hide a value: `normalise` removes them on both sides.

>>> normalise("Müller^Anna-Lena"), normalise("2020-01-31")
('mullerannalena', '20200131')
"""

import functools
import hashlib
import re
import sys
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Self

import privgan
from privgan.data.date_spellings import dates_in
from privgan.data.patient_keys import bare, patient_key
from privgan.errors import InputRejectedError, IntegrityError
from privgan.files import open_new, open_regular

SHORTEST = 4  # characters; anything shorter is found everywhere
SHORTEST_NUMBER = 6  # digits after leading zeros; less is a count, a size or a running number in every file
LONGEST_WINDOW = 6  # words; a full name, an address line
NAME, PART, IDENTIFIER, UID, DATE = "name", "name_part", "identifier", "uid", "date"
PLACE, DEVICE, TEXT, FILE_NAME = "place", "device", "text", "file_name"
CATEGORIES = (NAME, PART, IDENTIFIER, UID, DATE, PLACE, DEVICE, TEXT, FILE_NAME)
CONSTANTS = ("19000101", "01011900", "SYNTHETIC", "privgan", "anonymous", "unknown")
_LOWER = bytes(ord(chr(code).lower()) for code in range(128)).ljust(256)
_NOT_ALNUM = bytes(code for code in range(256) if not (code < 128 and chr(code).isalnum()))
_WORD = re.compile(r"[^\W_]+")
_CHUNK = re.compile(r"[^\s\"'<>(){}\[\],;=]+")
_DOTTED = re.compile(r"(?<!\d)\d++([._-])\d++(?:\1\d++){2,}")  # a UID, also behind a prefix as in CT.1.2.840.1
_BEHIND_LETTERS = re.compile(rf"(?<![^\W_])[^\W\d_]+(\d{{{SHORTEST_NUMBER},}})(?![^\W_])")
# A whole number as a spreadsheet shows it: with decimals that are none, and as mantissa and exponent.
_DECIMALS = re.compile(r"(\d[\d.,'\u2019\s]*)[.,]0+", re.ASCII)
_SCIENTIFIC = re.compile(r"(?<![^\W_])(\d++)(?:[.,](\d++))?[eE]\+?(\d{1,2})(?![^\W_])", re.ASCII)
_LONGEST_TEXT = 10240  # characters of a DICOM LT; no identifier is longer
# What is written for signs that no key has, or that keep their form when accents go: ue for ü, l for ł.
_WRITTEN_OUT = (
    str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}),
    str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ð": "d"}),
)
_RECENT = 4096  # values whose digests are at hand: a patient's files follow each other, and a site has few names
_LONGEST_RECENT = 256  # characters; longer texts are hardly met twice, and are not kept
_BLOCK, _PADS = 64, (0x36, 0x5C)  # of HMAC with SHA-256
_PHONE_DIGITS = 5  # a word of a comment with that many digits is a telephone or record number


def normalise(text: str) -> str:
    """Lower case letters and digits of a text, without accents, separators and spaces."""
    if text.isascii():
        return text.encode().translate(_LOWER, _NOT_ALNUM).decode()
    return (_normalise_any if len(text) <= _LONGEST_RECENT else _normalise_any.__wrapped__)(text)


@functools.lru_cache(maxsize=65536)
def _normalise_any(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if character.isalnum())


def forms(category: str, value: str) -> Iterator[str]:
    """Normalised spellings under which a value could appear in an output, each long enough to mean something.

    A name also gives its parts (category `name_part`), both orders and other spellings (ue for ü), a date the
    usual three orders, a number what a spreadsheet makes of it.
    """
    for _, form in labelled_forms(category, value):
        yield form


def labelled_forms(category: str, value: str) -> Iterator[tuple[str, str]]:
    """Like `forms`, each with the category it is filed under."""
    candidates: Iterator[tuple[str, str]]
    if category == NAME:
        plain = unicodedata.normalize("NFC", value).lower()
        spellings = dict.fromkeys((value, *(plain.translate(table) for table in _WRITTEN_OUT)))
        candidates = chain.from_iterable(map(_name_forms, spellings))
    elif category == DATE:
        candidates = ((DATE, form) for form in _date_forms(normalise(value)))
    elif category == TEXT:
        numbers = (word for word in value.split() if sum(map(str.isdigit, word)) >= _PHONE_DIGITS)
        candidates = ((TEXT, normalise(text)) for text in (value, *numbers))
    elif category == IDENTIFIER:
        candidates = ((IDENTIFIER, form) for form in _number_forms(value))
    else:
        candidates = iter([(category, normalise(value))])
    for kind, form in candidates:
        if len(form.lstrip("0")) >= SHORTEST_NUMBER if form.isdigit() else len(form) >= SHORTEST:
            yield kind, form


def _name_forms(value: str) -> Iterator[tuple[str, str]]:
    for group in value.split("="):  # alphabetic, ideographic and phonetic spelling of one person name
        parts = [part for part in re.split(r"[\^\s,]+", group) if part]
        yield NAME, normalise("".join(parts))
        yield NAME, normalise("".join(reversed(parts)))
        if len(parts) > 1:
            yield NAME, normalise(parts[0] + parts[1])
            yield NAME, normalise(parts[1] + parts[0])
        for part in parts:
            yield PART, normalise(part)


def _number_forms(value: str) -> Iterator[str]:
    """As written, and as a whole number if it is one, each also without the zeros that it begins with.

    Of a mantissa too short for a number nothing is made: 1E5 is somebody's code, and 100000 in every file.
    """
    number = bare(patient_key(value))
    decimals = _DECIMALS.fullmatch(number)
    whole = (digits for digits in _written_out(number) if len(digits.rstrip("0")) >= SHORTEST_NUMBER)
    for form in dict.fromkeys(map(normalise, (value, number, decimals[1] if decimals else "", *whole))):
        yield form
        if form.isdigit() and form.startswith("0"):
            yield form.lstrip("0")


def _written_out(text: str) -> Iterator[str]:
    """The digits of every whole number in scientific notation, such as 1234567 for 1.234567E+06."""
    for found in _SCIENTIFIC.finditer(text):
        behind, exponent = (found[2] or "").rstrip("0"), int(found[3])
        if len(behind) <= exponent:
            yield found[1] + behind.ljust(exponent, "0")


def _date_forms(value: str) -> Iterator[str]:
    if len(value) >= 8 and value[:8].isdigit():
        year, month, day = value[:4], value[4:6], value[6:8]
        yield from (year + month + day, day + month + year, month + day + year)


def todays_dates() -> frozenset[str]:
    """The present day here and in UTC, as outputs spell it; what is made today may say so."""
    moments = (datetime.now(UTC).astimezone(), datetime.now(UTC))
    return frozenset(moment.strftime(form) for moment in moments for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y"))


@functools.cache
def own_words(folder: Path = Path(privgan.__file__).parent) -> frozenset[str]:
    """Every word in the sources below a folder: what privgan writes by itself cannot prove a leak.

    Among thousands of patients somebody is called White, Page or Wilson, and some hospital's name is "Hospital".
    Only words without digits are held against this list; full names, numbers, dates and UIDs are always kept.
    """
    texts = (path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    words = {word for text in texts for word in _WORD.findall(text)}  # each once: most stand there a dozen times
    return frozenset(map(normalise, words))


def candidates(text: str) -> Iterator[str]:
    """Normalised pieces of a text that could be identifiers.

    The whole text, unbroken chunks, words and joined words, UIDs and numbers behind a prefix, and dates. Of a text
    of any length only a few words are held at a time.
    """
    if len(text) <= _LONGEST_TEXT:
        yield normalise(text)
    for chunk in _CHUNK.finditer(text):
        if len(chunk[0]) <= _LONGEST_TEXT:
            yield normalise(chunk[0])
    last: deque[str] = deque(maxlen=LONGEST_WINDOW)
    for word in _WORD.finditer(text):
        if len(word[0]) > _LONGEST_TEXT:
            last.clear()
            continue
        last.append(normalise(word[0]))
        joined = ""
        for part in reversed(last):
            joined = part + joined
            yield joined
    yield from (found[0].replace(found[1], "") for found in _DOTTED.finditer(text))
    yield from (found[1] for found in _BEHIND_LETTERS.finditer(text))
    yield from _written_out(text)
    yield from dates_in(text)


def require_nobody_named(digests: "IdentifierDigests", **texts: str) -> None:
    """Refuse words for every page that say what the source says of a patient; a place may be the house's own.

    Raises:
        InputRejectedError: which text, and as what the source has it; never the value.
    """
    for what, text in texts.items():
        found = {digests.find_form(form) for form in candidates(text)} - {None, PLACE}
        if found:
            kinds = ", ".join(sorted(map(str, found))).replace("_", " ")
            raise InputRejectedError(
                f"Expected a {what} that names nobody of the source, it holds what stands there as {kinds}. "
                "Everybody who gets a report or a bundle reads it: write it without."
            )


class IdentifierDigests:
    """A set of keyed digests: values can be added and looked up, never listed. Its repr shows a count only."""

    def __init__(self, key: bytes) -> None:
        """Start empty, under the cohort's private HMAC key."""
        self._keyed = keyed(key)
        self._categories: dict[bytes, str] = {}
        self._of_recent = functools.lru_cache(_RECENT)(self._forms_and_digests)

    def __len__(self) -> int:
        return len(self._categories)

    def __repr__(self) -> str:
        return f"IdentifierDigests({len(self)} digests)"

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._categories

    def add(self, category: str, value: str) -> None:
        """Remember every form of one identifying value."""
        for kind, digest in self.digests_of(category, value):
            self.keep(kind, digest)

    def digests_of(self, category: str, value: str) -> Sequence[tuple[str, bytes]]:
        """What `add` would remember: each form's category and digest."""
        recent = len(value) <= _LONGEST_RECENT
        return (self._of_recent if recent else self._forms_and_digests)(category, value)

    def _forms_and_digests(self, category: str, value: str) -> Sequence[tuple[str, bytes]]:
        own = own_words()
        spelled = labelled_forms(category, value)
        return tuple(
            (kind, self._digest(form)) for kind, form in spelled if form not in own or any(map(str.isdigit, form))
        )

    def keep(self, kind: str, digest: bytes) -> None:
        """Remember a digest that `digests_of` gave; the first category stays."""
        self._categories.setdefault(digest, sys.intern(kind))

    def discard(self, words: Iterable[str]) -> None:
        """Forget words that are no identifiers here: class names, the body part, privgan's own constants."""
        for word in (*CONSTANTS, *words):
            self._categories.pop(self._digest(normalise(word)), None)

    def find(self, text: str) -> str | None:
        """The category of a known identifier that the whole text spells, or None.

        To search inside a longer text call it for each of `candidates(text)`.
        """
        return self.find_form(normalise(text))

    def find_form(self, form: str) -> str | None:
        """Like `find`, of a text that is normalised already, as `candidates` are."""
        if len(form) < SHORTEST:
            return None
        found = self._categories.get(self._digest(form))
        if found is None and form.startswith("0") and form.isdigit():
            return self.find_form(form.lstrip("0"))
        return found

    def write(self, path: Path) -> None:
        """Write one line `category hex` a digest, sorted by digest so that the order tells nothing."""
        with open_new(path) as stream:
            for digest in sorted(self._categories):  # there may be millions
                stream.write(f"{self._categories[digest]} {digest.hex()}\n".encode())

    @classmethod
    def read(cls, path: Path, key: bytes) -> Self:
        """Read what `write` wrote.

        Raises:
            IntegrityError: missing, not regular, or not of that form.
        """
        found = cls(key)
        with open_regular(path) as stream:
            for line in stream.read().decode("ascii", "replace").splitlines():
                kind, _, digest = line.partition(" ")
                if kind not in CATEGORIES or not re.fullmatch("[0-9a-f]{64}", digest):
                    raise IntegrityError(f"Expected lines 'category digest' in {path.name}, got something else.")
                found._categories[bytes.fromhex(digest)] = kind
        return found

    def _digest(self, form: str) -> bytes:
        return self._keyed(b"identifier:" + form.encode("utf-8", "surrogatepass"))


def keyed(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA256 (RFC 2104) under one key of at most a block, which is hashed once: half of what a digest costs."""
    if len(key) > _BLOCK:
        raise ValueError(f"Expected a key of at most {_BLOCK} bytes, got {len(key)}.")
    inside, outside = (hashlib.sha256(bytes(each ^ pad for each in key.ljust(_BLOCK, b"\0"))) for pad in _PADS)

    def digest(message: bytes) -> bytes:
        inner, outer = inside.copy(), outside.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()

    return digest
