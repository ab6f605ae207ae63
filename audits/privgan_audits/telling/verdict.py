"""A verdict is told with the policy that it was given under: a PASS alone does not say how much was asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from privgan_audits.record import Record

_LOOSER = "UNDER A LOOSER POLICY"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Under what a verdict was given.

    preset: the policy's name. looser: a line for each threshold that refuses less than the default. overrides: the
    safeguards that were switched off.
    """

    preset: str
    looser: Sequence[str]
    overrides: Sequence[str]


def told(verdict: str, looser: Sequence[str]) -> str:
    """A verdict, which is never a bare PASS where the policy asks less than the default.

    >>> told("PASS", ()), told("PASS", ["max_auc = 0.6 instead of 0.55"])
    ('PASS', 'PASS UNDER A LOOSER POLICY')
    >>> told("FAIL", ["max_auc = 0.6 instead of 0.55"])
    'FAIL'
    """
    return f"{verdict} {_LOOSER}" if looser and verdict == "PASS" else verdict


def verdict_line(verdict: str, scope: str, terms: Terms) -> str:
    """The line that a verb prints.

    >>> verdict_line("PASS", "empirical", Terms(preset="default", looser=(), overrides=()))
    'PASS (empirical), policy default'
    >>> loose = Terms(preset="own", looser=["max_auc = 0.6 instead of 0.55"], overrides=["accept-delta"])
    >>> verdict_line("PASS", "empirical", loose)
    'PASS UNDER A LOOSER POLICY (empirical), policy own; max_auc = 0.6 instead of 0.55; override accept-delta'
    """
    details = [*terms.looser, *(f"override {name}" for name in terms.overrides)]
    return "; ".join([f"{told(verdict, terms.looser)} ({scope}), policy {terms.preset}", *details])


def verdict_line_of(record: Record) -> str:
    """The line for an audit.json."""
    policy = record["policy"]
    terms = Terms(preset=policy["preset"], looser=policy["looser_than_default"], overrides=record["overrides"])
    return verdict_line(record["verdict"], record["scope"], terms)
