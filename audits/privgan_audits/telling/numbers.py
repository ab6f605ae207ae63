"""Numbers as the report writes them: short, never falsely exact, and rounded away from private values."""

import math
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import Any

from privgan.language import retold, tr
from privgan_audits.telling.keys import keyword


def plain(value: Any) -> str:
    """Any JSON value in a few readable characters.

    >>> plain(0.50312), plain(3.2e-7), plain(None), plain(True), plain(12345)
    ('0.503', '3.2e-07', 'unknown', 'yes', '12,345')
    >>> plain([0.48, 0.53]), plain({"exact": 12})
    ('0.48 to 0.53', 'exact 12')
    """
    if isinstance(value, dict):
        return in_parts(f"{keyword(str(key))} {plain(item)}" for key, item in value.items()) or tr("none")
    if isinstance(value, list | tuple):
        interval = len(value) == 2 and all(isinstance(end, float) for end in value)
        if interval:
            return span(plain(value[0]), plain(value[1]))
        return listed(plain(item) for item in value) or tr("none")
    return _scalar(value)


def _scalar(value: Any) -> str:
    match value:
        case None:
            return tr("unknown")
        case bool():
            return tr("yes") if value else tr("no")
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.3g}" if math.isfinite(value) else tr("unlimited")
        case _:
            return retold(str(value))


def span(low: str, high: str) -> str:
    """From one number to another.

    >>> span("0.48", "0.53")
    '0.48 to 0.53'
    """
    return tr("{low} to {high}", low=low, high=high)


def listed(items: Iterable[str]) -> str:
    """Several things in a row.

    >>> listed(["one", "two"])
    'one, two'
    """
    return tr(", ").join(items)


def in_parts(items: Iterable[str]) -> str:
    """Several longer things in a row; "" for none.

    >>> in_parts(["one", "", "two, three"])
    'one; two, three'
    """
    return tr("; ").join(filter(None, items))


def exactly(value: float | None) -> str:
    """A number beside the threshold that it is compared with: enough digits to see which is larger.

    >>> exactly(0.55031), exactly(None)
    ('0.5503', 'unknown')
    """
    return tr("unknown") if value is None else f"{value:.4g}"


def percent(share: float | None) -> str:
    """A share as per cent with three digits.

    >>> percent(0.0123), percent(None)
    ('1.23 %', 'unknown')
    """
    return tr("unknown") if share is None else f"{100 * share:.3g} %"


def points(share: float | None) -> str:
    """A difference of shares in percentage points.

    >>> points(0.0312), points(-0.004), points(None)
    ('+3.1 points', '-0.4 points', 'unknown')
    """
    return tr("unknown") if share is None else tr("{difference} points", difference=f"{100 * share:+.1f}")


def chances(p: float | None) -> str:
    """How often chance alone would look so, in numbers that people can picture.

    >>> chances(0.244), chances(0.0031), chances(2e-7), chances(0.999), chances(None)
    ('in 24 of 100 cases', 'in 3 of 1,000 cases', 'in fewer than 1 of 1,000,000 cases', 'nearly always', 'unknown')
    """
    if p is None:
        return tr("unknown")
    if p > 0.995:
        return tr("nearly always")
    for base in (100, 1_000, 10_000, 100_000, 1_000_000):
        if round(p * base) >= 1 and (p * base >= 1.95 or base == 1_000_000):
            return tr("in {count} of {base} cases", count=round(p * base), base=f"{base:,}")
    return tr("in fewer than 1 of 1,000,000 cases")


def rounded_up(value: float) -> str:
    """An upper bound from private data: two decimals, never below the value.

    >>> rounded_up(0.5301), rounded_up(0.53)
    ('0.54', '0.53')
    """
    if not math.isfinite(value):
        return tr("unlimited")
    return str(Decimal(repr(float(value))).quantize(Decimal("0.01"), ROUND_CEILING))


def whole_percent_up(share: float) -> str:
    """An upper bound as whole per cent, never below it, and of one rounding with `rounded_up`.

    >>> whole_percent_up(0.5093), whole_percent_up(0.51)
    ('51 %', '51 %')
    """
    return f"{100 * Decimal(rounded_up(share)):.0f} %" if math.isfinite(share) else "100 %"
