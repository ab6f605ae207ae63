"""The forms in which a question is put to people and its answer is told; every question fills them in its folder."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from privgan.language import to_tr, tr
from privgan_audits.record import Record
from privgan_audits.telling.plots import Chart

CONTROLS, SINGLING_OUT, LINKABILITY, INFERENCE, PROMISE = range(5)

GROUPS = to_tr(
    {
        CONTROLS: ("Can this audit be believed?", "Before anybody is attacked, the audit attacks itself."),
        SINGLING_OUT: (
            "Can a patient be singled out?",
            "Is there a synthetic image, or a pattern in all of them, that exists because of one patient?",
        ),
        LINKABILITY: (
            "Can an image be linked to a person?",
            "Does anything in the images or in their files lead back to a name, a number or a face?",
        ),
        INFERENCE: (
            "Can something be learned about a patient?",
            "Can a fact about one patient be read off the set better than about somebody who was never in it?",
        ),
        PROMISE: (
            "Is the promise kept?",
            "Differential privacy is a claim about the training. Its books are checked.",
        ),
    }
)
P_NOTE = to_tr("how often chance alone looks at least this bad")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One named value and, in small print, what it means."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Label:
    """The name of a finding in the appendix, and its small print; `share` values are shown as per cent."""

    name: str
    note: str = ""
    share: bool = False

    @property
    def spoken(self) -> "Label":
        """In the current language."""
        return replace(self, name=tr(self.name), note=tr(self.note))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """answer: a phrase for the list on page one. sentences: for the card. Of exact numbers: internal page only."""

    answer: str
    sentences: tuple[str, ...]


Facts = Callable[[Record], Iterator[Fact]]
"""From the entry of a question in the record."""


def no_charts(_: Record) -> tuple[Chart, ...]:
    """Most questions need none."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Words:
    """One question for a reader who is no statistician.

    title: the question. short: for a list. tries: what an attacker does. caught: what would have been noticed. group:
    the aim that it serves. good: how its state is called when the verdict says nothing against it; ticked: whether
    that speaks for the set.

    answer: what was measured, from the question's entry in the record. labels: the names of its findings in the
    appendix; a finding without one is shown by its own key. special: findings that are told in a way of their own.
    told_elsewhere: findings that other parts of the page show. charts: from the whole record.
    """

    title: str
    short: str
    tries: str
    caught: str
    group: int
    good: str = "nothing found"
    ticked: bool = True
    answer: Callable[[Record], Answer]
    labels: Mapping[str, Label] = field(default_factory=dict)
    special: Mapping[str, Facts] = field(default_factory=dict)
    told_elsewhere: frozenset[str] = frozenset()
    charts: Callable[[Record], tuple[Chart, ...]] = no_charts

    @property
    def spoken(self) -> "Words":
        """In the current language."""
        return replace(
            self,
            title=tr(self.title),
            short=tr(self.short),
            tries=tr(self.tries),
            caught=tr(self.caught),
            good=tr(self.good),
            labels={key: label.spoken for key, label in self.labels.items()},
        )
