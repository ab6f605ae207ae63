"""What a report page says, as plain values in the order of the page; the template only arranges them."""

from dataclasses import dataclass

from privgan import __version__
from privgan_audits.report import words
from privgan_audits.report.plots import Chart


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One named value and, in small print, what it means."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One test: what an attacker tries, what was measured, what would have been caught."""

    id: str
    title: str
    state: str
    tone: str
    tries: str
    caught: str
    why: str
    measured: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One rule of the policy beside the number that it was applied to."""

    name: str
    required: str
    measured: str


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A real and a synthetic image as data URIs."""

    real: str
    synthetic: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that one page shows, in the order of the template."""

    tier: str
    tier_note: str
    verdict: str
    tone: str
    headline: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    next_steps: tuple[str, ...]
    protected: tuple[Fact, ...]
    promise: tuple[str, ...]
    beliefs: tuple[tuple[str, str], ...]
    questions: tuple[Question, ...]
    limits: tuple[Limit, ...]
    detection_limit: str
    digests: tuple[Fact, ...]
    how_to_verify: str
    ledger: tuple[Fact, ...] = ()
    charts: tuple[Chart, ...] = ()
    pairs: tuple[Pair, ...] = ()
    detection: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    invisible: str = words.INVISIBLE
    not_covered: tuple[str, ...] = words.NOT_COVERED
    glossary: tuple[tuple[str, str], ...] = words.GLOSSARY
    version: str = __version__
