"""What the desk's pages say, as plain values in the order of each page; the templates only arrange them."""

from dataclasses import dataclass

from privgan import __version__
from privgan_audits.report.page import Front, Pictures, Table
from privgan_audits.telling.words import Fact


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the way. link: where it can be gone to from here. here: it is this page's."""

    name: str
    link: str = ""
    here: bool = False


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What every page has around it. refusal: what was wrong with what was sent. overview: a link to all reports.

    close: where the desk is closed. closed: why no page follows this one.
    """

    title: str
    subtitle: str = ""
    steps: tuple[Step, ...] = ()
    refusal: str = ""
    overview: str = ""
    close: str = ""
    closed: str = ""
    form_token: str = ""
    version: str = __version__


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a cohort has spent."""

    name: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True)
class Card:
    """One report among several. standing: what was decided of it, with its tone."""

    title: str
    link: str
    front: Front
    facts: tuple[Fact, ...]
    standing: str
    standing_tone: str


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All reports side by side."""

    frame: Frame
    cards: tuple[Card, ...]
    spent: tuple[Spent, ...]
    template: str = "overview.html.j2"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one report is. decided: by whom and when, if at all. obstacle: why it cannot be approved.

    onward, refuse: where approving goes on, and where a no is said; empty where it cannot be.
    """

    frame: Frame
    front: Front
    about: tuple[Fact, ...]
    spent: tuple[Spent, ...]
    decided: tuple[Fact, ...]
    obstacle: str
    onward: str
    refuse: str
    not_covered: tuple[str, ...]
    template: str = "reading.html.j2"


@dataclass(frozen=True, kw_only=True)
class Looking:
    """The blinded pairs. missing: why there are none."""

    frame: Frame
    pictures: Pictures | None
    missing: str
    refuse: str
    template: str = "looking.html.j2"


@dataclass(frozen=True, kw_only=True)
class Question:
    """One line to fill in. hint: below its label. value: what was typed before. kind: of input.

    longest: in characters. first, last: day. exact: it is copied from the page, digit by digit.
    """

    name: str
    label: str
    hint: str = ""
    value: str = ""
    kind: str = "text"
    longest: int = 300
    first: str = ""
    last: str = ""
    exact: bool = False


@dataclass(frozen=True, kw_only=True)
class Saying:
    """The officer's words. ticked: what the ticks came to. worrying: they speak against an approval."""

    frame: Frame
    ticked: tuple[str, ...]
    worrying: bool
    key: Table | None
    warnings: tuple[str, ...]
    questions: tuple[Question, ...]
    refuse: str
    template: str = "saying.html.j2"


@dataclass(frozen=True, kw_only=True)
class Signing:
    """What is about to be signed, and what is typed to sign it. draft: see `Sitting.draft_sha256`."""

    frame: Frame
    facts: tuple[str, ...]
    warnings: tuple[str, ...]
    draft: str
    questions: tuple[Question, ...]
    refuse: str
    template: str = "signing.html.j2"


@dataclass(frozen=True, kw_only=True)
class Refusing:
    """The officer's no."""

    frame: Frame
    questions: tuple[Question, ...]
    back: str
    template: str = "refusing.html.j2"


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What was signed, and what follows from it."""

    frame: Frame
    facts: tuple[Fact, ...]
    follows: tuple[str, ...]
    tone: str
    headline: str
    template: str = "signed.html.j2"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A page that only says something. onward: where the browser goes by itself."""

    frame: Frame
    sentences: tuple[str, ...]
    onward: str = ""
    template: str = "notice.html.j2"


Page = Overview | Reading | Looking | Saying | Signing | Refusing | Signed | Notice
