"""Members and non-members of bare files are kept apart: a person who stands on both sides is a member.

`prepare` decides on one person's side once; whoever brings two folders has decided, and may have put the same person
into both, under one number or under two. One number on both sides is refused. Two numbers with an identical picture
or with the UID of one examination are one person, as in a cohort, and leave the non-members. Equal names or other
numbers may be chance, so that they are counted and left to the reader.
"""

import hashlib
from collections.abc import Iterator

import numpy as np

from privgan.arrays import Images
from privgan.data.identifiers import FILE_NAME, IDENTIFIER, NAME, UID
from privgan.errors import UsageError
from privgan_audits.evidence.reading import Loaded
from privgan_audits.evidence.whose import Whose

_COUNTED = {NAME: "whole names", IDENTIFIER: "other numbers", FILE_NAME: "names of files or folders"}


def apart(members: Loaded, others: Loaded, ours: Whose, theirs: Whose) -> Loaded:
    """The non-members without those who are members, with notes of what was seen.

    Args:
        members: all of them.
        others: the non-members.
        ours: whom the members' files name.
        theirs: whom the non-members' files name.

    Raises:
        UsageError: a number is on both sides, or no non-member is left.
    """
    shared = set(members.keys) & set(others.keys) if members.numbered and others.numbered else set()
    if shared:
        raise UsageError(
            f"Expected members and non-members to share no patient, {len(shared)} ids are in both. "
            "Remove them from one side, or give different people different ids."
        )
    numbers = {key: number for number, key in enumerate(others.keys)}
    examined = [numbers[key] for key in theirs.met(ours, [UID]) if key in numbers]
    known = set(_pictures(members.images)) - {None}
    pictured = others.patients[[picture in known for picture in _pictures(others.images)]]
    gone = np.union1d(pictured, np.array(examined, np.int64))
    left = others.only(~np.isin(others.patients, gone))
    if not len(left.images):
        raise UsageError(
            "Expected non-members who are not members: an identical picture, or the UID of an examination, shows "
            "that every one of them is."
        )
    return left.noting(*_notes(len(np.intersect1d(others.patients, gone)), ours, theirs))


def _pictures(images: Images) -> Iterator[bytes | None]:
    """A digest of each image; None for a blank one, which is nobody's."""
    for image in images:
        blank = (image == image[:1, :1]).all()
        yield None if blank else hashlib.sha256(np.ascontiguousarray(image).data).digest()


def _notes(gone: int, ours: Whose, theirs: Whose) -> Iterator[str]:
    if gone:
        yield (
            f"{gone} non-members were left out: an identical picture, or the UID of an examination, shows that they "
            "are members, too."
        )
    counts = {what: len(ours.met(theirs, [category])) for category, what in _COUNTED.items()}
    if any(counts.values()):
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        yield (
            f"Also on both sides, and of one patient on each: {told}. Nobody was left out for it; look whether these "
            "are the same people."
        )
