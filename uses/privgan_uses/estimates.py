"""How a number with its interval is written, on every page and in every line about what a use is worth."""

from collections.abc import Callable, Mapping

from privgan_audits.telling.numbers import span


def told(estimate: Mapping[str, float], write: Callable[[float], str]) -> str:
    """A value and, in brackets, where it may lie.

    >>> told({"value": 29.604, "low": 29.53, "high": 29.67}, "{:.1f}".format)
    '29.6 (29.5 to 29.7)'
    """
    value, low, high = (write(estimate[key]) for key in ("value", "low", "high"))
    return f"{value} ({span(low, high)})"
