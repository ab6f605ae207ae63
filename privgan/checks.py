"""Argument checks that name the argument and fail on NaN.

>>> positive(epsilon=float("nan"))
Traceback (most recent call last):
...
privgan.errors.UsageError: Expected epsilon > 0 and finite, got nan.
"""

import math

from privgan.errors import UsageError


def positive(**values: float) -> None:
    """Raise UsageError unless every value is finite and above zero."""
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise UsageError(f"Expected {name} > 0 and finite, got {value}.")


def within(low: float, high: float, **values: float) -> None:
    """Raise UsageError unless every value lies in the closed interval [low, high]."""
    for name, value in values.items():
        if not low <= value <= high:
            raise UsageError(f"Expected {name} between {low} and {high}, got {value}.")


def strictly_within(low: float, high: float, **values: float) -> None:
    """Raise UsageError unless every value lies in the open interval (low, high)."""
    for name, value in values.items():
        if not low < value < high:
            raise UsageError(f"Expected {name} strictly between {low} and {high}, got {value}.")


def one_of(choices: tuple[str, ...], **values: str) -> None:
    """Raise UsageError unless every value is one of the choices."""
    for name, value in values.items():
        if value not in choices:
            raise UsageError(f"Expected {name} to be one of {', '.join(choices)}, got {value!r}.")


def require_line(longest: int, *, empty: bool = False, **texts: str) -> None:
    """Raise UsageError unless every text is one line of so many printable characters; `empty` allows none."""
    for name, text in texts.items():
        if not (len(text) <= longest and text.isprintable() and text == text.strip() and (empty or text)):
            raise UsageError(f"Expected the {name} as one line of at most {longest} printable characters.")
