"""What is kept of an entry once its file is closed: the patient's number, words and digests."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from privgan.data.identifiers import FILE_NAME, IdentifierDigests
from privgan.data.sources.source import Entry


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """One entry without its pixels; sensitive, so its repr shows the code only.

    usable: it has a row of pixels. code: why not. mark: keyed hash of where it was. patient: as in `Entry`,
    empty if there is no image. owner: digest of the patient. groups, person: digests of those of `Entry`. names:
    those of the names of its file and folders. identifiers: (category, digest) that no note before had. label,
    columns, said, remarks, rows: as in `Entry`.
    """

    usable: bool
    code: str
    mark: bytes
    patient: str
    owner: bytes
    groups: tuple[bytes, ...]
    person: tuple[bytes, ...]
    label: str
    columns: tuple[str, ...]
    said: tuple[str, str]
    names: tuple[bytes, ...]
    identifiers: tuple[tuple[str, bytes], ...]
    remarks: tuple[str, ...]
    rows: tuple[int, ...]

    def __repr__(self) -> str:
        return f"Note({self.code or 'an image'})"

    @classmethod
    def of(
        cls, entry: Entry, code: str, digests: IdentifierDigests, key: bytes
    ) -> tuple[Self, NDArray[np.uint8] | None]:
        """The note of an entry, and its image if that can be used.

        Args:
            entry: what a source gave.
            code: why it cannot be used; empty if it can, see `opening.refusal_of`.
            digests: of all notes before.
            key: the cohort's private key.
        """
        image = None if code else entry.image
        found = dict.fromkeys(each for pair in entry.identifiers for each in digests.digests_of(*pair))
        names = dict.fromkeys(digest for name in entry.names for _, digest in digests.digests_of(FILE_NAME, name))

        def keyed(purpose: bytes, text: str) -> bytes:
            return hmac.digest(key, purpose + text.encode("utf-8", "surrogatepass"), "sha256")

        note = cls(
            usable=image is not None,
            code=code,
            mark=keyed(b"refused:", entry.where),
            patient="" if image is None else entry.patient,
            owner=keyed(b"owner:", entry.patient),
            groups=tuple(keyed(b"group:", uid) for uid in entry.groups),
            person=tuple(keyed(b"person:", fact) if fact else b"" for fact in entry.person),
            label=entry.label,
            columns=entry.columns,
            said=entry.said,
            names=tuple(names),
            identifiers=tuple((kind, digest) for kind, digest in found if digest not in digests),
            remarks=entry.remarks,
            rows=entry.rows,
        )
        return note, image

    def to_json(self) -> list[Any]:
        """Its values in order, digests in hex."""
        groups, person = ([each.hex() for each in some] for some in (self.groups, self.person))
        names = [name.hex() for name in self.names]
        identifiers = [(kind, digest.hex()) for kind, digest in self.identifiers]
        rest = (self.label, self.columns, self.said, names, identifiers, self.remarks, self.rows)
        return [self.usable, self.code, self.mark.hex(), self.patient, self.owner.hex(), groups, person, *rest]

    @classmethod
    def from_json(cls, value: Sequence[Any]) -> Self:
        """What `to_json` made."""
        usable, code, mark, patient, owner, groups, person, *rest = value
        label, columns, (modality, body_part), names, identifiers, remarks, rows = rest
        return cls(
            usable=usable,
            code=code,
            mark=bytes.fromhex(mark),
            patient=patient,
            owner=bytes.fromhex(owner),
            groups=tuple(map(bytes.fromhex, groups)),
            person=tuple(map(bytes.fromhex, person)),
            label=label,
            columns=tuple(columns),
            said=(modality, body_part),
            names=tuple(map(bytes.fromhex, names)),
            identifiers=tuple((kind, bytes.fromhex(digest)) for kind, digest in identifiers),
            remarks=tuple(remarks),
            rows=tuple(rows),
        )
