"""Columns of a terminal: Chinese letters fill two of them, and a line may end behind any of these."""

import re
import unicodedata

_OPENING, _CLOSING = "（《“【", "，。、；：！？）》”】…"
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
# A blank; what stands in brackets; or a word, or one wide letter, with the punctuation that must stay beside it.
_PIECE = re.compile(rf"\s+|\[[^\]]*\]|[{_OPENING}]*(?:[^\s{_WIDE}{_OPENING}{_CLOSING}]+|\S)[{_CLOSING}]*")


def columns(text: str) -> int:
    """How many a line of text fills.

    >>> columns("PASS"), columns("通过")
    (4, 4)
    """
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def padded(text: str, width: int) -> str:
    """With blanks behind it, so that what follows begins after `width` columns.

    >>> [padded(word, 6) + "|" for word in ("seen", "所见")]
    ['seen  |', '所见  |']
    """
    return text + " " * (width - columns(text))


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many columns; one word alone may fill more.

    >>> wrapped("判定结论为 PASS（通过）。", 16)
    ['判定结论为 PASS', '（通过）。']
    """
    lines = [""]
    for piece in _PIECE.findall(text):
        if lines[-1] and columns(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]
