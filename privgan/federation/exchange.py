"""The folder that travels between sites: an invitation, a yes of each, and their answers, each a signed file.

FEDERATION/invitation.dsse.json        who, which images, at what cost
           joined/SITE.dsse.json       that site's yes; nobody answers before all have said it
           answers/NN-SITE.dsse.json   that site's answer to question NN: noised sums and nothing else
           proposed/SITE.dsse.json     which set that site would have all release: what it is drawn from
           agreed/SITE.dsse.json       that site's yes or no to a set; SITE.approval.dsse.json of its officer

Everything in it may be read by anybody and trusted by nobody: each letter is checked whenever it is read. No two
sites write to one place, so that copies of the folder can be brought together by any means, without a conflict.
"""

from dataclasses import dataclass
from pathlib import Path

from privgan.errors import IntegrityError
from privgan.files import SHAREABLE_FILE, write_bytes
from privgan.kinds import FEDERATION
from privgan.seals import read_bounded

_JOINED, _ANSWERS, _PROPOSED, _AGREED = "joined", "answers", "proposed", "agreed"
LARGEST_LETTER = 1 << 20  # bytes of one without numbers
LARGEST_ANSWER = 1 << 28
SHARED_FOLDER = 0o755


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """The letters in such a folder, by whose they are."""

    folder: Path

    @classmethod
    def begun(cls, folder: Path, invitation: bytes) -> "Exchange":
        """A new one in an empty folder."""
        folder.chmod(SHARED_FOLDER)
        for part in (_JOINED, _ANSWERS, _PROPOSED, _AGREED):
            (folder / part).mkdir(mode=SHARED_FOLDER)
        write_bytes(folder / FEDERATION.marker, invitation, SHAREABLE_FILE)
        return cls(folder=folder)

    @property
    def invitation(self) -> bytes:
        """As it was signed.

        Raises:
            IntegrityError: it is missing, or no regular file.
        """
        return read_bounded(self.folder / FEDERATION.marker, LARGEST_LETTER)

    def yes(self, site: str) -> bytes | None:
        """A site's, if it is there."""
        return _read(self._yes(site), LARGEST_LETTER)

    def answer(self, question: int, site: str) -> bytes | None:
        """A site's, if it is there."""
        return _read(self._answer(question, site), LARGEST_ANSWER)

    def say_yes(self, site: str, letter: bytes) -> None:
        """Put a site's in its place."""
        _put(self._yes(site), letter)

    def give(self, question: int, site: str, letter: bytes) -> None:
        """Put a site's answer in its place, where it is not there already."""
        _put(self._answer(question, site), letter)

    def proposed(self, site: str) -> bytes | None:
        """The set that a site would have all of them release, if it has said so."""
        return _read(self._proposed(site), LARGEST_LETTER)

    def propose(self, site: str, letter: bytes) -> None:
        """Put a site's set in its place, instead of its older one."""
        _put(self._proposed(site), letter)

    def agreed(self, site: str) -> tuple[bytes, bytes] | None:
        """A site's word on a set and its officer's approval, empty where none is; None where it said nothing."""
        word, approval = self._agreed(site)
        found = _read(word, LARGEST_LETTER)
        return None if found is None else (found, _read(approval, LARGEST_LETTER) or b"")

    def agree(self, site: str, word: bytes, approval: bytes) -> None:
        """Put a site's word in its place, and its officer's approval, or none."""
        place, beside = self._agreed(site)
        for each in (place, beside):
            _require_place(each)
        if approval:
            _put(beside, approval)
        else:
            beside.unlink(missing_ok=True)
        _put(place, word)

    def _agreed(self, site: str) -> tuple[Path, Path]:
        folder = self.folder / _AGREED
        return folder / f"{site}.dsse.json", folder / f"{site}.approval.dsse.json"

    def _proposed(self, site: str) -> Path:
        return self.folder / _PROPOSED / f"{site}.dsse.json"

    def _yes(self, site: str) -> Path:
        return self.folder / _JOINED / f"{site}.dsse.json"

    def _answer(self, question: int, site: str) -> Path:
        return self.folder / _ANSWERS / f"{question:02}-{site}.dsse.json"


def _read(path: Path, most: int) -> bytes | None:
    """None where nothing is; a link, a folder or a device is refused, never followed."""
    _require_folder(path.parent)
    try:
        path.lstat()
    except FileNotFoundError:
        return None
    return read_bounded(path, most)


def _require_folder(folder: Path) -> None:
    """Whoever keeps the folder must not choose where else on this machine something is written."""
    if folder.is_symlink():
        raise IntegrityError("Expected a folder of letters, a link is in its place.")
    if folder.exists() and not folder.is_dir():
        raise IntegrityError("Expected a folder of letters, a file is in its place.")


def _require_place(path: Path) -> None:
    """Whatever lies where a letter goes is replaced, but not a folder: others' files may be in it."""
    _require_folder(path.parent)
    if path.is_dir() and not path.is_symlink():
        raise IntegrityError("Expected a letter, a folder is in its place. Move it elsewhere.")


def _put(path: Path, letter: bytes) -> None:
    _require_place(path)
    try:
        if _read(path, len(letter)) == letter:
            return
    except IntegrityError:
        pass  # something else is in its place, and is replaced
    path.parent.mkdir(mode=SHARED_FOLDER, exist_ok=True)
    write_bytes(path, letter, SHAREABLE_FILE)
