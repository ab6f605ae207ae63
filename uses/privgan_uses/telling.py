"""A number with its interval, as cards, pages and the terminal write it."""

from collections.abc import Mapping

from privgan.language import tr


def figure(number: Mapping[str, float] | None, form: str = ".3f") -> str:
    """A number with `value`, `low` and `high`.

    >>> figure({"value": 0.91234, "low": 0.88, "high": 0.94}), figure(None)
    ('0.912 (0.880 to 0.940)', 'not known')
    >>> figure({"value": 0.01, "low": -0.002, "high": 0.022}, "+.3f")
    '+0.010 (-0.002 to +0.022)'
    """
    if number is None:
        return tr("not known")
    return tr("{value} ({low} to {high})", **_written(number, form))


def rate(number: Mapping[str, float] | None) -> str:
    """A share, in per cent.

    >>> rate({"value": 0.91234, "low": 0.88, "high": 1.0})
    '91.2 % (88.0 to 100.0)'
    """
    if number is None:
        return tr("not known")
    return tr("{value} % ({low} to {high})", **_written({name: 100 * each for name, each in number.items()}, ".1f"))


def _written(number: Mapping[str, float], form: str) -> dict[str, str]:
    return {name: format(number[name], form) for name in ("value", "low", "high")}
