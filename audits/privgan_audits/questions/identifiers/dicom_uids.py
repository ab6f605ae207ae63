"""Whether the UIDs of a privgan set agree with each other, as viewers and archives rely on."""

from collections.abc import Iterator

from pydicom.dataset import FileDataset

_OF_SOME = "FrameOfReferenceUID"
_OF_DATA_SET = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


class UidCheck:
    """Sees one file after another.

    files: how many. disagreeing: in how many a UID is missing, stands in another file too, or differs from itself.
    """

    def __init__(self) -> None:
        self.files = 0
        self.disagreeing = 0
        self._seen: set[str] = set()

    def see(self, dataset: FileDataset) -> None:
        """Compare one file with itself and with those before it; each is another invented patient's."""
        uids = [*_uids(dataset)]
        named_twice = str(dataset.file_meta.get("MediaStorageSOPInstanceUID", "")) == uids[-1]
        fresh = all(uids) and len(set(uids)) == len(uids) and self._seen.isdisjoint(uids)
        self._seen.update(uids)
        self.files += 1
        self.disagreeing += not (named_twice and fresh)


def _uids(dataset: FileDataset) -> Iterator[str]:
    if _OF_SOME in dataset:
        yield str(dataset.get(_OF_SOME))
    for keyword in _OF_DATA_SET:
        yield str(dataset.get(keyword, ""))
