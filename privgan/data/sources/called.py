"""How the columns of people's tables are called, where it is told: roles by name, from `file=...,patient=...`.

>>> called_columns("file=Image Path, label=Finding")
{'image path': 'file', 'finding': 'label'}
"""

from collections.abc import Mapping, Sequence

from privgan.errors import UsageError

LABEL, PATIENT = "label", "patient"
KEY_COLUMNS = ("instance", "file", "study", PATIENT)  # the most specific one present is the key
ROLES = (*KEY_COLUMNS, LABEL)
_EXAMPLE = "--csv-columns file=PATH,patient=NUMBER,label=FINDING"


def called_columns(text: str) -> dict[str, str]:
    """What a column is by its name in lower case; empty where nothing is told.

    Raises:
        UsageError: no such role, a role or a name told twice, or no name.
    """
    pairs = [
        tuple(part.strip().lower() for part in each.partition("=")[::2]) for each in text.split(",") if each.strip()
    ]
    unknown = sorted({role for role, _ in pairs} - set(ROLES))
    if unknown or not all(name for _, name in pairs):
        raise UsageError(f"Expected {_EXAMPLE}, each one of {', '.join(ROLES)} and a column's name; got another.")
    called = {name: role for role, name in pairs}
    if not len(called) == len({role for role, _ in pairs}) == len(pairs):
        raise UsageError(f"Expected each role and each column once behind --csv-columns, as in {_EXAMPLE}.")
    return called


def renamed(header: Sequence[str], called: Mapping[str, str]) -> tuple[str, ...]:
    """A header in which columns that were told are called by their roles; others that have such a name lose it."""
    roles = {called[name] for name in header if name in called}
    return tuple(called.get(name, "" if name in roles else name) for name in header)
