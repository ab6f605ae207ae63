"""The form of a release bundle, known to the hand that writes it and to the one that checks it.

BUNDLE/  README.md               what it is, who answers for it, and how to read it
         dataset/                the synthetic set as it was audited, without what stays behind
         splits.csv              a suggested split into training, validation and test images
         formats/                the same images in other forms, as far as the hospital asked for them
         croissant.json          all that for programs, as Croissant
         report/                 audit-public.html, audit-public.json; nothing internal
         approval.dsse.json      the officer's signed approval, where the hospital has two people sign
         sites/                  of a set of several hospitals: each one's signed yes, and its officer's approval
         VERIFY.md               how to check all this with sha256sum and openssl alone
         .gitattributes          keeps git from changing line endings
         attestation.dsse.json   signed: the digest of every file above, and what is claimed about them
         SHA256SUMS              every file but itself
"""

import re
from collections.abc import Iterable
from typing import Any

from privgan.errors import IntegrityError
from privgan_audits.release.approval import APPROVAL

ATTESTATION = "attestation.dsse.json"
SUMS = "SHA256SUMS"
GUIDE = "VERIFY.md"
GIT, GIT_TEXT = ".gitattributes", "* -text\n"
DATASET, REPORT, FORMS, SITES = "dataset", "report", "formats", "sites"
README, CROISSANT = "README.md", "croissant.json"
PUBLIC_PAGE, PUBLIC_SUMMARY = f"{REPORT}/audit-public.html", f"{REPORT}/audit-public.json"
MANIFEST = f"{DATASET}/manifest.json"
SPLITS = "splits.csv"
_PLAIN = re.compile("[A-Za-z0-9._/-]+")
_OF_A_SITE = re.compile(r"sites/([a-z0-9][a-z0-9-]{0,31})(?:\.approval)?\.dsse\.json")
_DEVICE = re.compile("con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)  # of Windows, whatever follows a dot
_SINGLE = frozenset((APPROVAL, CROISSANT, GIT, GUIDE, PUBLIC_PAGE, PUBLIC_SUMMARY, README, SPLITS))
PREDICATE_TYPE = "urn:privgan:release:v1"


def subjects_of(statement: dict[str, Any]) -> dict[str, str]:
    """The signed digests of a verified in-toto statement: hex SHA-256 by path relative to the bundle.

    Raises:
        IntegrityError: the statement is about something else, or its subjects are not those of a bundle.
    """
    if statement.get("predicateType") != PREDICATE_TYPE:
        raise IntegrityError("Expected a statement about a privgan release, the signed payload is another.")
    try:
        pairs = [(item["name"], item["digest"]["sha256"]) for item in statement["subject"]]
        digests: dict[str, str] = dict(pairs)
        allowed = all(map(_belongs, digests)) and len(set(map(str.casefold, digests))) == len(digests)
    except (KeyError, TypeError):
        raise IntegrityError("Expected files with a sha256 digest each in the attestation.") from None
    if (
        len(digests) != len(pairs)
        or not allowed
        or not {GUIDE, MANIFEST, PUBLIC_PAGE, PUBLIC_SUMMARY} <= set(digests)
    ):
        raise IntegrityError("Expected each file of a bundle once in the attestation, and no others.")
    return digests


def _belongs(name: str) -> bool:
    """Plain names only, which mean the same file to privgan, to the guide's shell commands and to Windows."""
    parts = name.split("/")
    inside = parts[0] in (DATASET, FORMS) and len(parts) > 1
    plain = bool(_OF_A_SITE.fullmatch(name)) or (inside and bool(_PLAIN.fullmatch(name)))
    return name in _SINGLE or (plain and not any(map(_is_special, parts)))


def places_of(site: str) -> tuple[str, str]:
    """Where a site's yes and its officer's approval lie.

    >>> places_of("heidelberg")
    ('sites/heidelberg.dsse.json', 'sites/heidelberg.approval.dsse.json')
    """
    return f"{SITES}/{site}.dsse.json", f"{SITES}/{site}.approval.dsse.json"


def sites_in(names: Iterable[str]) -> set[str]:
    """The sites that a bundle's files name."""
    return {found.group(1) for name in names if (found := _OF_A_SITE.fullmatch(name))}


def _is_special(part: str) -> bool:
    """Whether a system gives a part of a path another meaning: nothing, a parent, a device, a dot that it drops.

    >>> [_is_special(part) for part in ("", "..", "NUL", "com1.dcm", "name.", "000001.dcm")]
    [True, True, True, True, True, False]
    """
    return not part or part.endswith(".") or bool(_DEVICE.fullmatch(part.partition(".")[0]))


def is_data(name: str) -> bool:
    """Whether a file is of the images: what a recipient learns from, and not what is said of it."""
    return name == SPLITS or name.startswith((f"{DATASET}/", f"{FORMS}/"))


def sums_text(digests: dict[str, str]) -> bytes:
    r"""The content of SHA256SUMS, in the form of `sha256sum`, sorted by path.

    >>> sums_text({"b": "11", "a": "22"})
    b'22  a\n11  b\n'
    """
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()
