"""Argument checks that name the argument and fail on NaN.

>>> positive(epsilon=float("nan"))
Traceback (most recent call last):
...
privgan.errors.UsageError: Expected epsilon > 0 and finite, got nan.
"""

import difflib
import math
import re
import unicodedata
from collections.abc import Collection, Sequence

from privgan.errors import UsageError
from privgan.language import kept

LONGEST_NAME = 64  # characters of a name that leaves with every image
MOST_NAMES = 64  # that nobody typed
_WORDS = re.compile(r"[^\W\d_]+")
_LETTERS, _OTHERS = ("L", "M", "Nd"), frozenset(" -_+./()")
# Printable by their category, and yet nothing is seen of them: Unicode's Default_Ignorable_Code_Point (variation
# selectors among them, of which each could say eight bits), a filler of Khitan script, and an empty cell of Braille.
_UNSEEN = re.compile(
    "[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0"
    "\\U00016fe4\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]"
)


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
            hint = nearest(str(value).lower(), choices)
            raise UsageError(f"Expected {name} to be one of {', '.join(choices)}, got {value!r}. {hint}".rstrip())


def nearest(word: str, choices: Collection[str]) -> str:
    """A question whether the choice most like a word was meant; empty where none is like it.

    >>> nearest("degres", ["degrees", "size"]), nearest("colour", ["degrees"])
    ("Did you mean 'degrees'?", '')
    """
    near = difflib.get_close_matches(word, choices, n=1)
    return kept("Did you mean {near}?", near=repr(near[0])) if near else ""


def is_seen(text: str) -> bool:
    r"""Whether whoever reads a line sees all of it: nothing in it moves a cursor, starts a line or shows nothing.

    >>> [is_seen(text) for text in ("größe", "正常", "a\nb", "a\x1b[2Kb", "normal\ufe01")]
    [True, True, False, False, False]
    """
    return text.isprintable() and not _UNSEEN.search(text)


def require_line(longest: int, *, empty: bool = False, **texts: str) -> None:
    """Raise UsageError unless every text is one line of so many characters that are seen; `empty` allows none."""
    for name, text in texts.items():
        if not (len(text) <= longest and is_seen(text) and text == text.strip() and (empty or text)):
            raise UsageError(f"Expected the {name} as one line of at most {longest} printable characters.")


def require_names(names: Sequence[str], *, what: str, typed: bool) -> None:
    """Raise UsageError unless these are short names: words, not a channel for whatever somebody writes into them.

    Args:
        names: letters and digits of any script, blanks and `- _ + . / ( )`, at most LONGEST_NAME characters each; no
            letter that shows nothing, that is written in another way than Unicode's composed form, or that is of
            another script than its neighbours and looks like one of theirs.
        what: of what they are, in the plural, for the message; no name is repeated in it.
        typed: somebody typed them; then there may be more than MOST_NAMES.
    """
    odd = sum(1 for name in names if not (0 < len(name) <= LONGEST_NAME and is_name(name)))
    if odd:
        raise UsageError(
            f"Expected {what} of at most {LONGEST_NAME} letters, digits, blanks and - _ + . / ( ), all of which are "
            f"seen, composed and of one script in a word; {odd} of {len(names)} are longer or hold something else. "
            "Rename them: they leave with every image."
        )
    if len(names) > MOST_NAMES and not typed:
        raise UsageError(f"Expected at most {MOST_NAMES} {what} that nobody typed, got {len(names)}. Type them.")


def is_name(name: str) -> bool:
    """Whether all of a name is letters and digits of any script, blanks and a few signs, seen and written plainly."""
    return is_seen(name) and all(map(_in_a_name, name)) and _is_plain(name)


def _in_a_name(character: str) -> bool:
    return character in _OTHERS or unicodedata.category(character).startswith(_LETTERS)


def _is_plain(name: str) -> bool:
    r"""Whether two names that look alike are written alike, as far as Unicode's data alone can tell.

    >>> [_is_plain(name) for name in ("größe", "gro\u0308ße", "\uff4eormal", "n\u043ermal", "КТ chest", "TGFβ")]
    [True, False, False, False, True, True]
    """
    composed = unicodedata.normalize("NFC", name) == "".join(unicodedata.normalize("NFC", each) for each in name)
    variant = any(unicodedata.decomposition(each).startswith("<") for each in name)
    scripts = ({unicodedata.name(each, "").partition(" ")[0] for each in word} for word in _WORDS.findall(name))
    return composed and not variant and not any({"LATIN", "CYRILLIC"} <= found for found in scripts)
