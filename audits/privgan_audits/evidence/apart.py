"""Members and non-members of bare files are kept apart: a person who stands on both sides is a member.

`prepare` decides on one person's side once; whoever brings two folders has decided, and may have put the same person
into both, under one number or under two. One number on both sides is refused. Two numbers with an identical picture,
as in a cohort, or with the UID of one examination are one person, who leaves the non-members. Equal names and numbers
that are nearly equal may be chance, so that they are counted and left to the reader.
"""

from collections.abc import Iterator

import numpy as np

from privgan.arrays import Integers
from privgan.data.identifiers import FILE_NAME, IDENTIFIER, NAME, UID
from privgan.data.patient_keys import bare, near
from privgan.data.pictures import Pictures
from privgan.errors import UsageError
from privgan.language import kept, to_tr
from privgan_audits.evidence.reading import Loaded
from privgan_audits.evidence.whose import Whose

_COUNTED = to_tr(
    {
        NAME: "{count} whole names",
        IDENTIFIER: "{count} other numbers",
        FILE_NAME: "{count} names of files or folders",
    }
)
_SPELLED = to_tr("{count} patient numbers but for issuer, case, blanks or leading zeros")


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
    numbered = members.numbered and others.numbered
    shared = set(members.keys) & set(others.keys) if numbered else set()
    if shared:
        raise UsageError(
            f"Expected members and non-members to share no patient, {len(shared)} ids are in both. "
            "Remove them from one side, or give different people different ids."
        )
    numbers = {key: number for number, key in enumerate(others.keys)}
    examined = [numbers[key] for key in theirs.met(ours, [UID]) if key in numbers]
    gone = np.union1d(_pictured(members, others), np.array(examined, np.int64))
    left = others.only(~np.isin(others.patients, gone))
    if not len(left.images):
        raise UsageError(
            "Expected non-members who are not members: an identical picture, or the UID of an examination, shows "
            "that every one of them is."
        )
    alike = len(_spelled(members) & _spelled(others)) if numbered else 0
    return left.noting(*_notes(len(np.intersect1d(others.patients, gone)), alike, ours, theirs))


def _spelled(side: Loaded) -> set[str]:
    """What is left of each number where its spelling does not count."""
    return {near(bare(key)) for key in side.keys}


def _pictured(members: Loaded, others: Loaded) -> Integers:
    """The non-members who have a picture of a member; blank ones and those that many have are nobody's."""
    pictures, first = Pictures(), int(members.patients.max()) + 1
    for side, start in ((members, 0), (others, first)):
        for image, number in zip(side.images, side.patients.tolist(), strict=True):
            if (image != image[:1, :1]).any():
                pictures.add(image, start + number)
    return np.array([other - first for one, other in pictures.pairs() if one < first <= other], np.int64)


def _notes(gone: int, alike: int, ours: Whose, theirs: Whose) -> Iterator[str]:
    if gone:
        yield kept(
            "{count} non-members were left out: an identical picture, or the UID of an examination, shows that they "
            "are members, too.",
            count=gone,
        )
    counts = {_SPELLED: alike, **{what: len(ours.met(theirs, [category])) for category, what in _COUNTED.items()}}
    if any(counts.values()):
        yield kept(
            "Also on both sides, and of one patient on each: {kinds}. Nobody was left out for it; look whether these "
            "are the same people.",
            kinds="; ".join(kept(what, count=count) for what, count in counts.items() if count),
        )
