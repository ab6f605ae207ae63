"""What was typed wrong, for people: which word, what was expected in its place, and how to write it."""

import contextlib
from typing import Any

from typer.exceptions import TyperException

_NUMBERS = {int: "a whole number", float: "a number"}


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
    return f"Expected {wanted} for {_called(parameter)}, got {value!r}.{_instead(value, wanted)}"


def _missing(parameter: Any, context: Any) -> str:
    verb = getattr(context, "command_path", "privgan")
    return f"Expected {_called(parameter)}: {parameter.help or ''} See {verb} --help for an example."


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
            return f" Write a decimal point: {pointed}."
        if number == int(number) and "," not in value:
            return f" Write {int(number)}."
    return " Digits only: 1500, not 1,500." if wanted == _NUMBERS[int] else ""
