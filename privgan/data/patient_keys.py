r"""The form of a patient's number, the same wherever one is read, named or looked for. All of it is sensitive.

Spellings that cannot mean two people become one: blanks and control characters around a number, full-width digits,
and the `.0` that a table of decimals puts behind a whole number. What may mean two people stays as it is, and
`identity` counts it.

>>> patient_key(" 1042.0\0"), patient_key("0042", "HOSPITAL"), patient_key("NaN")
('1042', '0042^^^HOSPITAL', '')
>>> near("0042^^^Hospital") == near("42^^^HOSPITAL")
True
"""

import re
import unicodedata
from collections.abc import Container

ISSUER_MARK = "^^^"  # joins a patient number and who issued it, as HL7 does
# What programs write where a cell is empty: names nobody.
_MISSING = frozenset(("", "nan", "na", "n/a", "#n/a", "<na>", "null", "none", "nil", "nat", "missing", "-", "?", "."))
# What people write where nobody should be named: one word for many.
_NOBODY = frozenset(
    (
        "unknown", "anonymous", "anonymized", "anonymised", "anon", "deidentified", "de-identified", "removed",
        "redacted", "withheld", "confidential", "test", "dummy", "default", "patient", "subject", "noname", "no name",
        "xxx", "xxxx", "-1", "not available", "not applicable", "undefined",
    )
)  # fmt: skip
_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
_NINES = re.compile(r"9{3,}")
# Words by which a column or a key says that it holds patients, and what may stand around them.
_STEMS = ("patient", "subject", "participant", "person", "mrn", "medicalrecord")
_AROUND = frozenset(("", "s", "id", "ids", "no", "nr", "num", "number", "numbers", "key", "keys", "code"))


def patient_key(number: str, issuer: str = "") -> str:
    """The key of one person, with who issued the number where somebody says so; empty where it names nobody."""
    written, _, within = _plain(number).partition(ISSUER_MARK)
    plain, issued = (text.strip(" ^") for text in (written, _plain(issuer) or within))
    whole = _WHOLE.fullmatch(plain)
    plain = whole[1] if whole else plain
    if plain.casefold() in _MISSING:
        return ""
    return f"{plain}{ISSUER_MARK}{issued}" if issued else plain


def bare(key: str) -> str:
    """A key without its issuer."""
    return key.partition(ISSUER_MARK)[0]


def near(key: str) -> str:
    """What is left of a key where neither case, blanks nor leading zeros count, as in spreadsheets and typing."""
    return ISSUER_MARK.join("".join(part.casefold().split()).lstrip("0") or "0" for part in key.split(ISSUER_MARK))


def typed(number: str) -> frozenset[str]:
    """Under which forms a number that somebody typed may be kept: as it stands, and as this and `near` write it."""
    key = patient_key(number)
    return frozenset((number.strip(), key, near(key)) if key else (number.strip(),))


def is_damaged(key: str) -> bool:
    """Whether a spreadsheet wrote the number in scientific notation, so that many people share what is left of it."""
    return bool(_SCIENTIFIC.fullmatch(bare(key)))


def is_placeholder(key: str, keys: Container[str]) -> bool:
    """Whether a key stands for nobody: a word for many, or a number outside the numbering of the others.

    Args:
        key: one of the keys.
        keys: all of them; 0 is somebody where there is a 1, and 999 where there is a 998.
    """
    number = bare(key)
    if number.casefold() in _NOBODY:
        return True
    if number.strip("0") == "":
        return "1" not in keys
    return bool(_NINES.fullmatch(number)) and str(int(number) - 1) not in keys


def names_patients(column: str) -> bool:
    """Whether a column or key of a table is called as one of patient numbers is: patient_id, Subject, MRN."""
    plain = "".join(character for character in column.casefold() if character.isalnum())
    return any(plain.startswith(stem) and plain.removeprefix(stem) in _AROUND for stem in _STEMS)


def speaks_of_patients(column: str) -> bool:
    """Whether a column or key has such a word in its name at all, so that it might be theirs under a rare name."""
    plain = "".join(character for character in column.casefold() if character.isalnum())
    return any(stem in plain for stem in ("patient", "subject", "participant", "mrn"))


def _plain(text: str) -> str:
    """NFKC, without control and format characters, and with single blanks inside only."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (" " if sign.isspace() else sign for sign in unicodedata.normalize("NFKC", text))
    return " ".join("".join(sign for sign in kept if unicodedata.category(sign) not in ("Cc", "Cf")).split())
