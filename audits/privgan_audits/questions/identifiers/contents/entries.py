"""What a folder says about an entry beside its contents: names, the target of a link, extended attributes.

Times of files are not looked at: they tell when a file was written here, a copy does not keep them, and a set
that is made on the day of somebody's examination would be accused.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from privgan_audits.questions.identifiers.contents.pieces import Piece
from privgan_audits.questions.identifiers.contents.raw_bytes import byte_pieces, decoded, readings
from privgan_audits.questions.identifiers.own_writing import OwnWriting

_WRITTEN_BY_PEOPLE = "user."  # the other name spaces belong to the system, whose words are nobody's


def entry_pieces(path: Path, name: str, own: OwnWriting) -> Iterator[Piece]:
    """Every text of one entry that privgan did not give it.

    Args:
        path: the entry; a link is not followed.
        name: its path below the set, with forward slashes.
        own: what privgan writes.
    """
    for part in dict.fromkeys((*Path(name).parts, name)):
        if not own.named(part):
            yield from (Piece("file name", text) for text in readings(os.fsencode(part)))
    if path.is_symlink():
        yield Piece("link target", decoded(os.fsencode(path.readlink())))
    yield from _attributes(path)


def _attributes(path: Path) -> Iterator[Piece]:
    if not hasattr(os, "listxattr"):  # not on this system
        return
    try:
        names = os.listxattr(path, follow_symlinks=False)
        values = {name: os.getxattr(path, name, follow_symlinks=False) for name in names if _by_people(name)}
    except OSError:
        return  # not on this file system
    for name, value in values.items():
        yield Piece("extended attribute", name.removeprefix(_WRITTEN_BY_PEOPLE))
        yield from (piece._replace(kind="extended attribute") for piece in byte_pieces(value))


def _by_people(name: str) -> bool:
    return name.startswith(_WRITTEN_BY_PEOPLE)
