"""What a report page says, as plain values in the order of the page; the template only arranges them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from privgan import __version__
from privgan.language import tr
from privgan_audits.report.words import frame
from privgan_audits.report.words.glossary import GLOSSARY
from privgan_audits.report.words.regulators import NO_CONCLUSION, REGULATORS
from privgan_audits.report.words.verdicts import OutcomeWords
from privgan_audits.telling.plots import Chart
from privgan_audits.telling.words import Fact


def _spoken(sentences: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(tr, sentences))


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of texts under headings; the first column names its row."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Card:
    """One test: its state, its answer in a phrase, and the three columns of its card."""

    id: str
    title: str
    short: str
    group: int
    state: OutcomeWords
    answer: str
    tries: str
    measured: tuple[str, ...]
    caught: str
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Group:
    """The questions that serve one aim of an attacker."""

    title: str
    intro: str
    questions: tuple[Card, ...]


@dataclass(frozen=True, kw_only=True)
class Front:
    """Page one. strength: of the promise, with its noun. tiles: four facts, whose notes are
    sentences. noticed: which planted copies were, and which were not; use, worth: of the images; each may be empty.
    """

    title: str
    subtitle: str
    verdict: str
    strength: str
    strength_tone: str
    tone: str
    mark: str
    headline: str
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    next_steps: tuple[str, ...]
    tiles: tuple[Fact, ...]
    noticed: str
    use: str
    worth: str


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What epsilon means; beliefs: before, after at most, after this audit's strongest attack at most."""

    sentences: tuple[str, ...]
    beliefs: tuple[tuple[str, str, str], ...]
    note: str = field(default_factory=lambda: tr(frame.BELIEFS))


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One rule of the policy beside the number that it was applied to."""

    name: str
    required: str
    measured: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A real and a synthetic image as data URIs, under a number."""

    number: int
    real: str
    synthetic: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """identical: real images that are in the set. blinded: both sides' closest pairs; key: what each of them was."""

    identical: tuple[Picture, ...]
    blinded: tuple[Picture, ...]
    key: Table
    after: str
    before: str = field(default_factory=lambda: tr(frame.GALLERY))
    identical_title: str = field(default_factory=lambda: tr(frame.IDENTICAL))
    identical_why: str = field(default_factory=lambda: tr(frame.IDENTICAL_WHY))


@dataclass(frozen=True, kw_only=True)
class Usefulness:
    """What the images are good for: sentences, charts, tables. warning: what a reader must not overlook."""

    sentences: tuple[str, ...]
    warning: str
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, kw_only=True)
class Appendix:
    """Every number of one test."""

    id: str
    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that one page shows, in the order of the template."""

    tier_note: str
    front: Front
    groups: tuple[Group, ...]
    people: tuple[Fact, ...]
    promise: Promise
    detection_limit: str
    limits: tuple[Limit, ...]
    digests: tuple[Fact, ...]
    how_to_verify: str
    ledger: tuple[Fact, ...]
    approval: tuple[Fact, ...] = ()
    pictures: Pictures | None = None
    no_pictures: str = ""
    usefulness: Usefulness | None = None
    planted: Table | None = None
    within_groups: Table | None = None
    notes: tuple[str, ...] = ()
    appendix: tuple[Appendix, ...] = ()
    invisible: str = field(default_factory=lambda: tr(frame.INVISIBLE))
    not_covered: tuple[str, ...] = field(default_factory=lambda: _spoken(frame.NOT_COVERED))
    regulators: tuple[tuple[str, ...], ...] = field(default_factory=lambda: tuple(map(_spoken, REGULATORS)))
    no_conclusion: str = field(default_factory=lambda: tr(NO_CONCLUSION))
    glossary: tuple[tuple[str, ...], ...] = field(default_factory=lambda: tuple(map(_spoken, GLOSSARY)))
    version: str = __version__
    template: str = "report.html.j2"

    @property
    def questions(self) -> tuple[Card, ...]:
        """All questions, in the order of their groups."""
        return tuple(question for group in self.groups for question in group.questions)
