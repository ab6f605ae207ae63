"""What the images of a cohort are called: modality and body part, two public words that every output carries.

They are typed, or what the headers of all patients agree on. One patient's header must not decide a public word:
where all agree but one, a person has to choose; where several differ, nothing is said, and no single one of them
could change that (see the guarantee's page on what `prepare` chooses).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from privgan.data.recipe import Preset
from privgan.data.selection import ANY, Selection
from privgan.data.terms import OTHER
from privgan.errors import UsageError
from privgan.language import kept, to_tr

NOTHING = ""
_MODALITY, _PART = to_tr(("modality", "body part"))
Said = tuple[str, str]
"""The modality and the body part of an image by its header, as terms of the standard; empty where it says none."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """modality, body_part: what outputs say, OT and nothing where nobody knows. doubt: why a person must choose.

    notes: what headers disagree on, in counts.
    """

    modality: str
    body_part: str
    doubt: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Agreement:
    """word: what most patients say. others: patients who say something else, instead or as well. patients: of all."""

    word: str
    others: int
    patients: int

    @classmethod
    def of(cls, words: Sequence[str], persons: Sequence[int]) -> Self:
        by_person: dict[int, set[str]] = {}
        for word, person in zip(words, persons, strict=True):
            by_person.setdefault(person, set()).add(word)
        alone = Counter(word for said in by_person.values() if len(said) == 1 for word in said if word)
        nothing_said = set().union(*by_person.values()) <= {NOTHING}
        word = max(sorted(alone), key=lambda each: alone[each], default=NOTHING)
        others = 0 if nothing_said else len(by_person) - alone[word]
        return cls(word=word, others=others, patients=len(by_person))


def require_agreeing(selection: Selection, preset: Preset) -> None:
    """Refuse a modality that was typed beside a preset whose window is for another.

    Raises:
        UsageError: the preset admits one modality, and what was typed is none of it.
    """
    typed = _typed(selection.modalities)
    if typed and preset.modality and typed != preset.modality:
        raise UsageError(
            f"Expected --modality {preset.modality} with the preset {preset.name}, whose window is for nothing else, "
            f"got {typed}."
        )


def names_of(selection: Selection, preset: Preset, said: Sequence[Said], persons: Sequence[int]) -> Names:
    """What images are called: as was typed, else as the preset's window implies, else as the headers agree.

    Args:
        selection: what was typed; the first word of several is the name of all that are read.
        preset: how they are scaled.
        said: by the header of each image.
        persons: whose each image is.

    Raises:
        UsageError: what was typed is a modality that the preset does not admit.
    """
    require_agreeing(selection, preset)
    typed = _typed(selection.modalities)
    settled = {_MODALITY: typed or preset.modality, _PART: _typed(selection.body_parts)}
    asked = {_MODALITY: selection.modalities, _PART: selection.body_parts}
    words, doubts, notes = list[str](), list[str](), list[str]()
    for place, (what, word) in enumerate(settled.items()):
        headers = _Agreement.of([each[place] for each in said], persons)
        left_to_them = not (word or asked[what])
        words.append(headers.word if left_to_them and not headers.others else word)
        if left_to_them and headers.others == 1:
            doubts.append(_doubt(what, headers.patients))
        if left_to_them and headers.others > 1:
            notes.append(_note(what, headers))
    return Names(modality=words[0] or OTHER, body_part=words[1], doubt=" ".join(doubts), notes=tuple(notes))


def _typed(words: tuple[str, ...]) -> str:
    return words[0] if words and words[0] != ANY else NOTHING


def _doubt(what: str, patients: int) -> str:
    option = what.replace(" ", "-")
    return kept(
        "Expected the headers of all patients to agree on the {what}: all but one of {patients} do, and one patient "
        "must not decide what all images are called. Type it: --{option} NAME,{all} reads every file and calls it "
        "NAME, --{option} NAME reads only files that say so, --{option} {all} says nothing.",
        what=what,
        patients=patients,
        option=option,
        all=ANY,
    )


def _note(what: str, headers: _Agreement) -> str:
    return kept(
        "Headers disagree on the {what}: those of {others} of {patients} patients differ from most. Outputs say "
        "nothing of it; --{option} NAME,{all} would call all of them NAME.",
        what=what,
        others=headers.others,
        patients=headers.patients,
        option=what.replace(" ", "-"),
        all=ANY,
    )
