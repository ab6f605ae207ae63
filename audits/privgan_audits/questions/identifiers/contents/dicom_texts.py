"""What a DICOM file of a privgan set should hold, and what one holds beside that or lacks."""

from collections import Counter
from collections.abc import Iterator

from pydicom.dataset import FileDataset
from pydicom.tag import Tag

from privgan.synthetic.dicom.conformance import faults_of
from privgan.synthetic.dicom.look import DicomLook
from privgan.synthetic.dicom.modules import template
from privgan.synthetic.dicom.said import keywords_of
from privgan.synthetic.synthetic_set import Manifest
from privgan_audits.questions.identifiers.contents.dicom_elements import (
    NEXT_GROUP,
    Located,
    Parsed,
    damaged_pieces,
    element_pieces,
    located,
    tag_text,
)
from privgan_audits.questions.identifiers.contents.pieces import Opening, Piece
from privgan_audits.questions.identifiers.own_writing import OwnWriting

FILES, TAG_RETAINED, TEXT_NOTNULL, TEXT_RETAINED = "files", "tag_retained", "text_notnull", "text_retained"
# What differs from file to file, and the group length and version that the file format adds.
_VARIABLE = (
    "(0002,0000)",
    "(0002,0001)",
    "(0002,0003)",
    "(0008,0018)",
    "(0010,0010)",
    "(0010,0020)",
    "(0020,000D)",
    "(0020,000E)",
    "(0020,0011)",
    "(0020,4000)",
    "(7FE0,0010)",
)
# Of files of many frames, how many there are; of a scanner's kinds, the frame of reference.
_PAGES = ("(0018,2001)", "(0028,0008)", "(0028,0009)")
_FRAME_OF_REFERENCE, _INSTANCE_NUMBER = "(0020,0052)", "(0020,0013)"
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})


class DicomTexts:
    """Reads one file after another and counts structural findings over all of them.

    structure: how many files have a private tag, no Synthetic Data mark, an element or a text that privgan does
        not write, lack an element that it does write, do not conform to the standard, have a preamble that is not
        zero, BurnedInAnnotation other than NO, or cannot be parsed.
    kept: how many `files` were compared with what privgan writes, and how many of them lack an element of it
        (`tag_retained`), have a text of it empty (`text_notnull`) or another text instead (`text_retained`).
    """

    def __init__(self, own: OwnWriting) -> None:
        self.structure: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()
        self._own = own
        self._written: dict[str, str] = {}
        self._texts: frozenset[str] = frozenset()
        if own.manifest is not None:
            known = [*located(template(DicomLook.of(own.manifest)))]
            varying = {*_PAGES, *_numbered(own.manifest), *_said(own.manifest)}
            self._written = {item.path: item.text for item in known if item.path not in varying}
            self._texts = frozenset(text for item in known for text in _spellings(item))
        self._tags = frozenset(self._written).union(_variable(own.manifest)) if own.manifest else frozenset()

    def pieces(self, content: bytes, file: Parsed | None, opening: Opening) -> Iterator[Piece]:
        """All texts of one file, `parsed`, that privgan has not demonstrably written itself."""
        if file is None:
            self.structure["unreadable"] += 1
            yield from damaged_pieces(content, opening)
            return
        self.structure.update({*_marks(content, file.dataset), *self._surprises(file)})
        if self._written:
            as_read = file.dataset if file.content is content else None  # an inflated one is another
            self.structure.update({"nonconformant"} if faults_of(content, as_read) else ())
            lost = self._lost(file)
            self.structure.update({"missing_elements"} if TAG_RETAINED in lost else ())
            self.kept.update({FILES, *lost})
        yield from element_pieces(file, opening, self._wrote)

    def _wrote(self, text: str) -> bool:
        for tail in (" \0", NEXT_GROUP):
            text = text.rstrip(tail)
            if text in self._texts or self._own.wrote(text):
                return True
        return text == "DICM"

    def _surprises(self, file: Parsed) -> Iterator[str]:
        for item in file.elements:
            if item.element.tag.is_private:
                yield "private_tags"
            elif item.path not in self._tags:
                yield "unexpected_elements"
            if item.element.VR in _TEXT_VRS and item.text and not self._wrote(item.text):
                yield "unexpected_text"

    def _lost(self, file: Parsed) -> set[str]:
        texts = {item.path: item.text for item in file.elements}
        lost = set()
        for path, expected in self._written.items():
            if path not in texts:
                lost.add(TAG_RETAINED)
            elif texts[path] != expected:
                lost.add(TEXT_RETAINED if texts[path] else TEXT_NOTNULL)
        return lost


def _variable(manifest: Manifest) -> Iterator[str]:
    """Paths of the elements that differ from file to file of a set."""
    yield from _VARIABLE
    yield from _PAGES if manifest.dicom.frames > 1 else ()
    yield from _numbered(manifest)
    yield from _said(manifest)
    yield from (_FRAME_OF_REFERENCE,) if manifest.dicom.kind in ("ct", "mr") else ()


def _numbered(manifest: Manifest) -> tuple[str, ...]:
    """What counts the files of a series, where it has several."""
    return (_INSTANCE_NUMBER,) if manifest.dicom.one_study else ()


def _said(manifest: Manifest) -> tuple[str, ...]:
    """What an invented patient's record says in a header."""
    return tuple(tag_text(Tag(keyword)) for keyword in keywords_of(manifest.records, manifest.dicom.kind).values())


def _marks(content: bytes, dataset: FileDataset) -> Iterator[str]:
    if any(content[:128]):
        yield "preamble"
    if str(dataset.get("SyntheticData", "")) != "YES":
        yield "not_marked_synthetic"
    if str(dataset.get("BurnedInAnnotation", "NO")) != "NO":
        yield "burned_in_annotation"


def _spellings(item: Located) -> Iterator[str]:
    """Values alone and together; of UIDs, standard ones and privgan's own, each by itself."""
    yield from item.texts
    yield item.text
