"""How the columns of people's tables are called, where it is told: roles by name, from `file=...,patient=...`.

>>> called_columns("file=Image Path, label=Finding, age=Age (Years)")
{'image path': 'file', 'finding': 'label', 'age (years)': 'age'}
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from privgan.errors import UsageError

LABEL, PATIENT = "label", "patient"
KEY_COLUMNS = ("instance", "file", "study", PATIENT)  # the most specific one present is the key
ROLES = (*KEY_COLUMNS, LABEL)
_EXAMPLE = "--csv-columns file=PATH,patient=NUMBER,label=FINDING"


def called_columns(text: str) -> dict[str, str]:
    """What a column is by its name in lower case; empty where nothing is told. Which roles there are, see below.

    Raises:
        UsageError: a role or a name told twice, or no name.
    """
    pairs = [
        tuple(part.strip().lower() for part in each.partition("=")[::2]) for each in text.split(",") if each.strip()
    ]
    if not all(name for _, name in pairs):
        raise _unknown()
    called = {name: role for role, name in pairs}
    if not len(called) == len({role for role, _ in pairs}) == len(pairs):
        raise UsageError(f"Expected each role and each column once behind --csv-columns, as in {_EXAMPLE}.")
    return called


def require_roles(called: Iterable[str], further: Collection[str]) -> None:
    """Refuse what no column can be: neither a role nor one of the further columns that are read.

    Raises:
        UsageError: something else was told.
    """
    if not {*called} <= {*ROLES, *further}:
        raise _unknown()


def _unknown() -> UsageError:
    return UsageError(
        f"Expected {_EXAMPLE}, each one of {', '.join(ROLES)} or of the columns that --columns names, and what the "
        "table calls it; got another."
    )


def renamed(header: Sequence[str], called: Mapping[str, str]) -> tuple[str, ...]:
    """A header in which columns that were told are called by their roles; others that have such a name lose it."""
    roles = {called[name] for name in header if name in called}
    return tuple(called.get(name, "" if name in roles else name) for name in header)
