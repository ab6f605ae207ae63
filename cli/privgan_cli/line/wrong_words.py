"""What was typed wrong, for people: which word, what was expected in its place, and how to write it."""

import contextlib
from typing import Any

from typer.exceptions import TyperException

from privgan.language import kept, to_tr

_NUMBERS = to_tr({int: "a whole number", float: "a number"})


def typed_wrong(error: TyperException) -> str:
    """One sentence for whatever the parser of command lines refused."""
    parameter = getattr(error, "param", None)
    said = getattr(error, "format_message", lambda: str(error))()
    if parameter is None:
        return str(said)
    kind: Any = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
    wanted = _NUMBERS.get(kind)
    if "missing" in str(said).lower():
        return _missing(parameter, getattr(error, "ctx", None))
    value = _value(error)
    if wanted is None or value is None:
        return str(said)
    called, typed = _called(parameter), repr(value)
    said = kept("Expected {what} for {parameter}, got {typed}.", what=wanted, parameter=called, typed=typed)
    return f"{said} {_instead(value, wanted)}".rstrip()


def _missing(parameter: Any, context: Any) -> str:
    verb = getattr(context, "command_path", "privgan")
    return kept(
        "Expected {parameter}: {help} See {verb} --help for an example.",
        parameter=_called(parameter),
        help=parameter.help or "",
        verb=verb,
    )


def _called(parameter: Any) -> str:
    """As it is typed: an option by its long name, an argument in capitals."""
    name = str(max(parameter.opts, key=len))
    return name if name.startswith("-") else str(parameter.metavar or name).upper()


def _value(error: TyperException) -> str | None:
    """What was typed, as far as the parser of values says it."""
    with contextlib.suppress(AttributeError, LookupError, TypeError):
        return str(error.__context__.errors()[0]["input"])  # type: ignore[union-attr]
    return None


def _instead(value: str, wanted: str) -> str:
    """How a number is written that people of other countries or programs would read."""
    pointed = value.replace(",", ".")
    with contextlib.suppress(ValueError, OverflowError):
        number = float(pointed)
        if wanted == _NUMBERS[float]:
            return kept("Write a decimal point: {number}.", number=pointed)
        if number == int(number) and "," not in value:
            return kept("Write {number}.", number=int(number))
    return kept("Digits only: 1500, not 1,500.") if wanted == _NUMBERS[int] else ""
