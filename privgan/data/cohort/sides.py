"""On which side a patient is, member or non-member: decided under a private key, kept and answered by digests.

A patient is a member iff HMAC-SHA256(key, patient) falls below the member fraction, independently of everyone
else, so that adding or removing a patient moves nobody else to the other side.

private/patients holds one line a spelling of a patient number: its HMAC-SHA256 under the cohort's private key,
and the side. Patients who were merged are found under each of their numbers. No number is kept.
"""

import hmac
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privgan.data.cohort.cohort import MEMBER, NON_MEMBER
from privgan.data.patient_keys import typed
from privgan.errors import IntegrityError
from privgan.files import open_regular, patient_digest, write_bytes

KEY_BYTES = 32
PATIENTS = "private/patients"
_WORDS = {MEMBER: "member", NON_MEMBER: "non-member"}


def member_position(key: bytes, patient: str) -> float:
    """Where a patient falls in [0, 1): uniform to anyone without the key, and fixed for the cohort's life."""
    digest = hmac.digest(key, b"split:" + patient.encode("utf-8", "surrogatepass"), "sha256")
    return int.from_bytes(digest[:6]) / 2**48


def assign_sides(key: bytes, patients: Sequence[str], non_members: float) -> NDArray[np.uint8]:
    """MEMBER or NON_MEMBER for every patient key.

    Args:
        key: the cohort's private key.
        patients: one key a person.
        non_members: expected fraction of non-members, 0 <= f < 1.
    """
    sides = (MEMBER if member_position(key, patient) < 1 - non_members else NON_MEMBER for patient in patients)
    return np.fromiter(sides, dtype=np.uint8, count=len(patients))


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
        key = stream.read()
    wanted = [patient_digest(key, spelling) for spelling in typed(patient)]
    with open_regular(folder / PATIENTS) as stream:
        sides = dict(line.split() for line in stream.read().decode("ascii").splitlines())
    if not set(sides.values()) <= set(_WORDS.values()):
        raise IntegrityError("Expected the patients' digests as prepare wrote them.")
    return min((sides[digest] for digest in wanted if digest in sides), default=None)  # member < non-member
