"""A verdict is told with the policy that it was given under: a PASS alone does not say how much was asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from privgan.language import retold, to_tr, tr
from privgan_audits.record import Record
from privgan_audits.telling.numbers import in_parts
from privgan_audits.telling.strength import strength_of

_LOOSER = to_tr("PASS UNDER A LOOSER POLICY")
VERDICTS = to_tr(("PASS", "FAIL", "INVALID", "INCONCLUSIVE"))
SCOPES = to_tr({"differential-privacy": "differential-privacy", "empirical": "empirical"})


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Under what a verdict was given.

    preset: the policy's name. looser: a line for each threshold that refuses less than the default. overrides: the
    safeguards that were switched off. promise: how strong it is, with its noun; see `dp.strength`.
    """

    preset: str
    looser: Sequence[str]
    overrides: Sequence[str]
    promise: str


def told(verdict: str, looser: Sequence[str]) -> str:
    """A verdict, which is never a bare PASS where the policy asks less than the default.

    >>> told("PASS", ()), told("PASS", ["max_auc = 0.6 instead of 0.55"])
    ('PASS', 'PASS UNDER A LOOSER POLICY')
    >>> told("FAIL", ["max_auc = 0.6 instead of 0.55"])
    'FAIL'
    """
    return tr(_LOOSER if looser and verdict == VERDICTS[0] else verdict)


def verdict_line(verdict: str, scope: str, terms: Terms) -> str:
    """The line that a verb prints.

    >>> terms = Terms(preset="default", looser=(), overrides=(), promise="weak promise")
    >>> verdict_line("PASS", "differential-privacy", terms)
    'PASS, weak promise (differential-privacy), policy default'
    >>> lines = ["max_auc = 0.6 instead of 0.55"]
    >>> loose = Terms(preset="own", looser=lines, overrides=["accept-delta"], promise="no promise")
    >>> verdict_line("PASS", "empirical", loose)[:60]
    'PASS UNDER A LOOSER POLICY, no promise (empirical), policy o'
    """
    said = tr(
        "{verdict}, {promise} ({scope}), policy {policy}",
        verdict=told(verdict, terms.looser),
        promise=terms.promise,
        scope=tr(SCOPES.get(scope, scope)),
        policy=terms.preset,
    )
    overrides = (tr("override {name}", name=name) for name in terms.overrides)
    return in_parts([said, *map(retold, terms.looser), *overrides])


def verdict_line_of(record: Record) -> str:
    """The line for an audit.json."""
    policy = record["policy"]
    terms = Terms(
        preset=policy["preset"],
        looser=policy["looser_than_default"],
        overrides=record["overrides"],
        promise=strength_of(record, inside=True).promise,
    )
    return verdict_line(record["verdict"], record["scope"], terms)
