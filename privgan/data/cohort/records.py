"""Records of a cohort: what its columns hold, beside what was declared of them and of the patients they speak of.

A cell that was not declared costs its image, as a label outside the declared classes does. What no cell alone says is
decided here, once everything is read and everybody is known: a patient of whom a column of patients says two things,
and a column that says who somebody is.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress

import numpy as np

from privgan.arrays import Flags, Floats, Integers, Values
from privgan.data.cohort.collect import Collected
from privgan.data.cohort.people import People
from privgan.data.columns import fitting_columns
from privgan.data.identifiers import DATE, IDENTIFIER, UID, IdentifierDigests, normalise
from privgan.data.patient_keys import bare
from privgan.errors import InputRejectedError
from privgan.language import kept, to_tr
from privgan.records.schema import NUMBER, Column, Schema

CONTRADICTION = "contradiction"
FEWEST, MANY = 10, 50  # patients that show what a column is, and with gaps between the numbers that it gives them
_ALONE, _SAME, _NEARLY_ALL, _SPAN = 0.8, 0.5, 0.95, 1.5
_EMPTY = to_tr("Expected something in the declared column {name}, every cell is empty. Is it the right column?")
_UNIQUE = to_tr(
    "Expected a column {name} that patients share, {alone} of {known} are alone with what they have: that says who "
    "they are. Declare fewer values or wider bands, or leave it out."
)
_NUMBERED = to_tr(
    "Expected a column {name} that says something of patients, it holds the patients' numbers or counts them. Leave "
    "it out."
)
_DATES = to_tr("Expected a column {name} that holds no dates. Make years or an age of them.")
_UNHEARD_OF = to_tr(
    "Column {name}: no image has {count} of the declared values. Is each written as the source has it?"
)
_FILLED = to_tr("Column {name}: {count} images that say nothing took what their patient's other images say.")
_TORN = to_tr(
    "Column {name}: of {count} patients it says different things, although it was declared as one of patients; they "
    "were left out."
)


def settle(
    found: Collected, people: People, types: Mapping[str, str]
) -> tuple[People, dict[str, Values], tuple[str, ...]]:
    """Leave out patients who are contradicted, and let the others' images share what is known of the patient.

    Args:
        found: what was read; the images that are left out are counted among its refusals.
        people: who they are, after merges.
        types: of all columns by name.

    Returns:
        Who stays, what all columns say of their images by name (n,), and what a reader should know: counts only.

    Raises:
        InputRejectedError: a column holds something else than its type, nothing at all, or who somebody is; or so
            much that was not declared that the declaration must be a slip.
    """
    for reason in found.cells.objections():
        raise InputRejectedError(reason)
    schema, columns = Schema.of(types), fitting_columns(types, list(compress(found.columns, people.kept)))
    torn = contradicted(schema, columns, people.persons, len(people.keys))
    gone = np.logical_or.reduce([np.zeros(len(people.keys), dtype=np.bool_), *torn.values()])
    stays = ~gone[people.persons]
    found.refuse(np.flatnonzero(people.kept)[~stays], CONTRADICTION)
    people = people.without(gone)
    columns = {name: values[stays] for name, values in columns.items()}
    filled = {name: _shared(values, people.persons) for name, values in _of_patients(schema, columns)}
    for reason in objections(schema, columns | filled, people.persons, people.keys):
        raise InputRejectedError(reason)
    notes = (
        *((int(torn[name].sum()), name, _TORN) for name in torn),
        *((int((_known(filled[name]) & ~_known(columns[name])).sum()), name, _FILLED) for name in filled),
        *((_unheard_of(column, columns[column.name]), column.name, _UNHEARD_OF) for column in schema.columns),
    )
    told = (kept(text, name=name, count=count) for count, name, text in notes if count)
    return people, columns | filled, (*found.cells.notes(), *told)


def contradicted(schema: Schema, columns: Mapping[str, Values], persons: Integers, count: int) -> dict[str, Flags]:
    """Which of `count` persons (count,) a column of patients says two things of, by its name.

    Args:
        schema: what was declared.
        columns: what the images say by name (n,).
        persons: whose images these are (n,).
        count: of persons.
    """
    found = {}
    for name, values in _of_patients(schema, columns):
        known = _known(values)
        torn = np.zeros(count, dtype=np.bool_)
        torn[persons[known & (values != _shared(values, persons))]] = True
        found[name] = torn
    return found


def objections(
    schema: Schema, columns: Mapping[str, Values], persons: Integers, keys: Sequence[str]
) -> Iterator[str]:
    """Why columns cannot be records, in whole sentences.

    Args:
        schema: what was declared.
        columns: what the images say by name (n,).
        persons: whose images these are (n,), numbers into keys.
        keys: of patients. Sensitive.
    """
    for column in schema.columns:
        values = columns[column.name]
        known = _known(values)
        if len(values) and not known.any():
            yield kept(_EMPTY, name=column.name)
        if column.kind == NUMBER and _are_dates(values[known].astype(np.float64)):
            yield kept(_DATES, name=column.name)
        elif _is_number_of_patients(column, values[known], persons[known], keys):
            yield kept(_NUMBERED, name=column.name)
        elif reason := _objection_to_codes(column, values[known], persons[known]):
            yield reason


def require_nobody_declared(schema: Schema, digests: IdentifierDigests) -> None:
    """Refuse declared values that the source has as numbers or dates of patients: a declaration is for everybody.

    Raises:
        InputRejectedError: of which column, and how many; never which.
    """
    for column in schema.columns:
        spoken = [value for value in column.values if any(map(str.isdigit, value))]
        found = sum(digests.find(value) in (IDENTIFIER, UID, DATE) for value in spoken)
        if found:
            raise InputRejectedError(
                f"Expected declared values of the column {column.name} that name nobody of the source, {found} stand "
                "there as patients' numbers or dates. Everybody who gets a bundle reads the declaration."
            )


def _of_patients(schema: Schema, columns: Mapping[str, Values]) -> list[tuple[str, Values]]:
    """The columns of patients."""
    return [(column.name, columns[column.name]) for column in schema.columns if column.per_patient]


def _unheard_of(column: Column, values: Values) -> int:
    """How many declared values nobody has; of bands that may well be."""
    return len({*column.values} - {*np.unique(values).tolist()}) if column.values else 0


def _known(values: Values) -> Flags:
    """Which cells say something."""
    return ~np.isnan(values.astype(np.float64)) if values.dtype.kind == "f" else np.asarray(values != "")


def _shared(values: Values, persons: Integers) -> Values:
    """Of every image (n,) the first that is known of its person, or what it says itself."""
    known = np.flatnonzero(_known(values))
    owners, first = np.unique(persons[known], return_index=True)
    places = np.arange(len(values))
    told = np.isin(persons, owners)
    places[told] = known[first[np.searchsorted(owners, persons[told])]]
    return values[places]


def _objection_to_codes(column: Column, values: Values, persons: Integers) -> str:
    """Why these known values say who somebody is: nearly everybody is alone with a code. Empty if they do not."""
    pairs = np.unique(np.stack([column.codes(values), persons], axis=1), axis=0)
    codes, holders = np.unique(pairs[:, 0], return_counts=True)
    alone = len(np.unique(pairs[np.isin(pairs[:, 0], codes[holders == 1]), 1]))
    known = len(np.unique(persons))
    if known < FEWEST or alone <= _ALONE * known:
        return ""
    return kept(_UNIQUE, name=column.name, alone=alone, known=known)


def _is_number_of_patients(column: Column, values: Values, persons: Integers, keys: Sequence[str]) -> bool:
    """Whether known values are the patients' numbers, or other numbers that count the patients or their images."""
    owners, first = np.unique(persons, return_index=True)
    if len(owners) < FEWEST:
        return False
    told = values[first]
    if column.kind == NUMBER:
        numbers = values.astype(np.float64)
        if (numbers != np.rint(numbers)).any():
            return False
        if _counts(numbers) or (_counts(numbers[first]) and not _differ(values, persons)):
            return True
        told = told.astype(np.int64).astype(np.str_)
    same = sum(
        _is_key(normalise(text), normalise(bare(keys[owner])))
        for text, owner in zip(told.tolist(), owners.tolist(), strict=True)
    )
    return same > _SAME * len(owners)


def _is_key(text: str, key: str) -> bool:
    """Whether a value is a patient's number, or the digits of one."""
    return text.lstrip("0") in {key.lstrip("0"), "".join(filter(str.isdigit, key)).lstrip("0")} - {""}


def _counts(numbers: Floats) -> bool:
    """Whether whole numbers (n,) follow each other, as those that are handed out; of many, some may be missing."""
    different, span, count = len(np.unique(numbers)), float(np.ptp(numbers)) + 1, len(numbers)
    if count < MANY:
        return different == count == span
    return different >= _NEARLY_ALL * count and span <= _SPAN * count


def _differ(values: Values, persons: Integers) -> bool:
    """Whether some person has two values."""
    return bool((values != _shared(values, persons)).any())


def _are_dates(numbers: Floats) -> bool:
    """Whether nearly all known numbers are dates as YYYYMMDD."""
    whole = numbers[numbers == np.rint(numbers)].astype(np.int64)
    year, month, day = whole // 10000, whole // 100 % 100, whole % 100
    dates = (year >= 1900) & (year < 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return len(numbers) > 0 and int(dates.sum()) >= _NEARLY_ALL * len(numbers)
