"""Whether a patient is in a cohort, answered from keyed digests: `prepare` keeps no patient number.

private/patients holds one line a spelling of a patient number: its HMAC-SHA256 under the cohort's private key,
and the side. Patients who were merged are found under each of their numbers.
"""

from collections.abc import Sequence
from pathlib import Path

from privgan.data.cohort import MEMBER, NON_MEMBER
from privgan.errors import IntegrityError
from privgan.files import open_regular, patient_digest, write_bytes

PATIENTS = "private/patients"
_WORDS = {MEMBER: "member", NON_MEMBER: "non-member"}


def write_sides(folder: Path, key: bytes, people: Sequence[frozenset[str]], sides: Sequence[int]) -> None:
    """File the side of every person under each of the person's numbers.

    A number that two issuers gave to two people counts as a member's if either of them is one.
    """
    found: dict[str, int] = {}
    for spellings, side in zip(people, sides, strict=True):
        for spelling in spellings:
            digest = patient_digest(key, spelling)
            found[digest] = min(side, found.get(digest, side))  # MEMBER < NON_MEMBER
    lines = (f"{digest} {_WORDS[side]}\n" for digest, side in sorted(found.items()))
    write_bytes(folder / PATIENTS, "".join(lines).encode())


def side_of(folder: Path, patient: str) -> str | None:
    """`member`, `non-member`, or None for a number that the cohort does not know.

    Args:
        folder: a cohort whose files were checked.
        patient: a patient number as it stands in the source, with or without its issuer. Sensitive.
    """
    with open_regular(folder / "private" / "hmac.key") as stream:
        wanted = patient_digest(stream.read(), patient.strip())
    with open_regular(folder / PATIENTS) as stream:
        sides = dict(line.split() for line in stream.read().decode("ascii").splitlines())
    if not set(sides.values()) <= set(_WORDS.values()):
        raise IntegrityError("Expected the patients' digests as prepare wrote them.")
    return sides.get(wanted)
