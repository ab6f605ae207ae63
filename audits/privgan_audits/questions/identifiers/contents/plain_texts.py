"""Text files: JSON by its keys and values, everything else line by line."""

import json
import re
from collections.abc import Iterator
from typing import Any

from privgan_audits.questions.identifiers.contents.pieces import Piece
from privgan_audits.questions.identifiers.contents.text_encodings import wrapped

_CONTROL = re.compile("[\x00-\x08\x0e-\x1f]")
_MARKS = (
    *((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32")),
    *((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")),
)


def as_text(content: bytes) -> str | None:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 with a mark; None when it is not one to the last byte."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                text = content.decode(encoding)
            except UnicodeDecodeError:
                continue
            return None if _CONTROL.search(text) else text
    return None


def text_pieces(text: str) -> Iterator[Piece]:
    """The strings of a JSON text, or the lines of any other, and base64 that runs over several lines."""
    try:
        # A key that comes twice would lose its first value.
        value = json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, list):
        yield from _strings(value)
    else:
        yield from (Piece("text", line) for line in text.splitlines())
    yield from wrapped(text)


def _strings(waiting: list[Any]) -> Iterator[Piece]:
    """Every key and value below, in any order; a stack, because a text can be nested deeper than calls can be."""
    while waiting:
        value = waiting.pop()
        if isinstance(value, list | tuple):
            waiting.extend(value)
        elif isinstance(value, str):
            yield Piece("JSON", value)
