"""Whom the files of a comparison name, and who of them stands on both sides.

What `prepare` keeps of a source on disk, a comparison of bare files keeps in memory while it runs: keyed digests of
everything that could name a patient, under a key that dies with it. The scan looks for them in the synthetic set as
it looks for a cohort's; and what one patient alone has on either side shows that both are one person.
"""

import secrets
from collections.abc import Collection

from privgan.data.cohort.cohort import Cohort
from privgan.data.cohort.sides import KEY_BYTES
from privgan.data.identifiers import FILE_NAME, IdentifierDigests
from privgan.data.sources.source import Entry
from privgan.files import open_regular
from privgan_audits.evidence.names import telling_names

_SEVERAL = ""  # stands for more than one patient; never the key of one


def identifiers_of(cohort: Cohort) -> IdentifierDigests:
    """What `prepare` saw.

    Raises:
        IntegrityError: the key or the digests cannot be read.
    """
    private = cohort.folder / "private"
    with open_regular(private / "hmac.key") as stream:
        return IdentifierDigests.read(private / "identifiers", stream.read())


def no_identifiers() -> IdentifierDigests:
    """None yet, under a key that nobody keeps."""
    return IdentifierDigests(secrets.token_bytes(KEY_BYTES))


class Whose:
    """The identifiers of one side, and each one's patient. Sensitive; its repr shows a count only."""

    def __init__(self, digests: IdentifierDigests) -> None:
        """Nobody is known yet.

        Args:
            digests: where every identifier is kept; of both sides, so that they have one key.
        """
        self._digests = digests
        self._owners: dict[tuple[str, bytes], str] = {}
        self._names: list[tuple[str, str]] = []

    def __repr__(self) -> str:
        return f"Whose({len(self._owners)} digests)"

    def hear(self, entry: Entry) -> None:
        """Take in what one file says beside its image."""
        patient = entry.patient or entry.where
        for category, value in entry.identifiers:
            self._keep(category, value, patient)
        self._names += ((name, patient) for name in entry.names)

    def finish(self) -> None:
        """Everything was read: file the names of files and folders that are one patient's."""
        for name, patient in telling_names(self._names):
            self._keep(FILE_NAME, name, patient)
        self._names.clear()

    def met(self, others: "Whose", categories: Collection[str]) -> frozenset[str]:
        """The patients of this side who alone have something here that one patient alone has over there.

        What several patients of a side have is a device's, a family's or nobody's.
        """
        here, there = (side.alone(categories) for side in (self, others))
        return frozenset(here[found] for found in here.keys() & there.keys())

    def alone(self, categories: Collection[str]) -> dict[tuple[str, bytes], str]:
        """The patient of every digest of these categories that one patient alone has."""
        return {
            found: patient
            for found, patient in self._owners.items()
            if found[0] in categories and patient != _SEVERAL
        }

    def _keep(self, category: str, value: str, patient: str) -> None:
        for found in self._digests.digests_of(category, value):
            self._digests.keep(*found)
            if self._owners.setdefault(found, patient) != patient:
                self._owners[found] = _SEVERAL
