"""The two multipart messages of DICOMweb: many files out, one file in (PS3.18 8.6.1.2, RFC 2387, RFC 2046 5.1.1).

What comes in is hostile: it was bounded before it got here, it is cut and not parsed, and whatever is not exactly one
part is refused.
"""

import re
import secrets
from collections.abc import Sequence

DICOM = "application/dicom"
_LONGEST_HEADERS = 1 << 13
_ALLOWED = "0-9A-Za-z'()+_,./:=?-"
_PADDING = re.compile(rb"[ \t]{1,256}")
_BOUNDARY = re.compile(
    rf'; *boundary=(?:"([ {_ALLOWED}]{{0,69}}[{_ALLOWED}])"|([{_ALLOWED}]{{1,70}}))(?=[;\s]|$)', re.IGNORECASE
)


class DamagedError(Exception):
    """A message is not one file in one part; never leaves the archive package."""


def joined(files: Sequence[bytes]) -> tuple[str, bytes]:
    """A message with one part a file: its Content-Type, and its body."""
    boundary = secrets.token_hex(16)  # 128 random bits stand in no file by accident or by design
    head = f"--{boundary}\r\nContent-Type: {DICOM}\r\n\r\n".encode()
    body = b"".join(piece for file in files for piece in (head, file, b"\r\n"))
    return f'multipart/related; type="{DICOM}"; boundary="{boundary}"', body + f"--{boundary}--\r\n".encode()


def only_file(content_type: str, body: bytes) -> bytes:
    """The one file in an answer.

    Some archives answer with the bare file where only a message with parts is allowed; that is taken, too.

    Raises:
        DamagedError: another kind of content, not exactly one part, or an empty one.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (DICOM, "multipart/related"):
        raise DamagedError
    content = body if kind == DICOM else only_part(body, boundary_of(content_type))
    if not content:
        raise DamagedError
    return content


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type announces.

    >>> boundary_of('multipart/related; type="application/dicom"; boundary="a b"')
    b'a b'

    Raises:
        DamagedError: none, or one that is not allowed.
    """
    found = _BOUNDARY.search(content_type)
    if not found:
        raise DamagedError
    return (found[1] or found[2]).encode("ascii")


def only_part(body: bytes, boundary: bytes) -> bytes:
    r"""The content of the only part of a message.

    >>> only_part(b"--b\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--b--", b"b")
    b'DICM'

    Raises:
        DamagedError: no part, several, one without a header's end, or one without an end.
    """
    opening, delimiter = b"--" + boundary, b"\r\n--" + boundary
    start = 0 if body.startswith(opening) else body.find(delimiter) + 2
    if start == 1:  # not found
        raise DamagedError
    start = _behind_blanks(body, start + len(opening))
    header_end = body.find(b"\r\n\r\n", start, start + _LONGEST_HEADERS)
    end = body.find(delimiter, start)
    if header_end < 0 or body[start : start + 2] != b"\r\n" or not header_end + 4 <= end:
        raise DamagedError
    after = end + len(delimiter)
    if body[after : after + 2] != b"--":
        raise DamagedError
    return body[header_end + 4 : end]


def _behind_blanks(body: bytes, start: int) -> int:
    """Where the padding ends that may stand behind a boundary (RFC 2046 5.1.1)."""
    found = _PADDING.match(body, start)
    return found.end() if found else start
