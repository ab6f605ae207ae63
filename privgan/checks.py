"""Argument checks that name the argument and fail on NaN.

>>> positive(epsilon=float("nan"))
Traceback (most recent call last):
...
privgan.errors.UsageError: Expected epsilon > 0 and finite, got nan.
"""

import difflib
import math
import unicodedata
from collections.abc import Sequence

from privgan.errors import UsageError

LONGEST_NAME = 64  # characters of a name that leaves with every image
MOST_NAMES = 64  # that nobody typed
_LETTERS, _OTHERS = ("L", "M", "Nd"), frozenset(" -_+./()")


def positive(**values: float) -> None:
    """Raise UsageError unless every value is finite and above zero."""
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise UsageError(f"Expected {name} > 0 and finite, got {value}.")


def within(low: float, high: float, **values: float) -> None:
    """Raise UsageError unless every value lies in the closed interval [low, high]."""
    for name, value in values.items():
        if not low <= value <= high:
            raise UsageError(f"Expected {name} between {low:g} and {high:g}, got {value}.")


def strictly_within(low: float, high: float, **values: float) -> None:
    """Raise UsageError unless every value lies in the open interval (low, high)."""
    for name, value in values.items():
        if not low < value < high:
            raise UsageError(f"Expected {name} strictly between {low:g} and {high:g}, got {value}.")


def one_of(choices: tuple[str, ...], **values: str) -> None:
    """Raise UsageError unless every value is one of the choices; the nearest of them is named."""
    for name, value in values.items():
        if value not in choices:
            near = difflib.get_close_matches(str(value).lower(), choices, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"Expected {name} to be one of {', '.join(choices)}, got {value!r}.{hint}")


def require_line(longest: int, *, empty: bool = False, **texts: str) -> None:
    """Raise UsageError unless every text is one line of so many printable characters; `empty` allows none."""
    for name, text in texts.items():
        if not (len(text) <= longest and text.isprintable() and text == text.strip() and (empty or text)):
            raise UsageError(f"Expected the {name} as one line of at most {longest} printable characters.")


def require_names(names: Sequence[str], *, what: str, typed: bool) -> None:
    """Raise UsageError unless these are short names: words, not a channel for whatever somebody writes into them.

    Args:
        names: letters and digits of any script, blanks and `- _ + . / ( )`; at most LONGEST_NAME characters each.
        what: of what they are, in the plural, for the message; no name is repeated in it.
        typed: somebody typed them; then there may be more than MOST_NAMES.
    """
    odd = sum(1 for name in names if not (0 < len(name) <= LONGEST_NAME and all(map(_in_a_name, name))))
    if odd:
        raise UsageError(
            f"Expected {what} of at most {LONGEST_NAME} letters, digits, blanks and - _ + . / ( )"
            f", {odd} of {len(names)} are longer or hold something else. Rename them: they leave with every image."
        )
    if len(names) > MOST_NAMES and not typed:
        raise UsageError(f"Expected at most {MOST_NAMES} {what} that nobody typed, got {len(names)}. Type them.")


def _in_a_name(character: str) -> bool:
    return character in _OTHERS or unicodedata.category(character).startswith(_LETTERS)
