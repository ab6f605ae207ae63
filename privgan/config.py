"""TOML files as frozen dataclasses: data only, every key known, every value of its type.

>>> import dataclasses
>>> @dataclasses.dataclass(frozen=True, kw_only=True)
... class Oven:
...     degrees: float = 180.0
>>> from_table(Oven, {"degres": 200})
Traceback (most recent call last):
...
privgan.errors.UsageError: Unknown key 'degres' in the configuration. Did you mean 'degrees'?
"""

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from privgan.errors import UsageError

SCHEMA = 1
T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file with `schema = 1`; the schema key is taken out.

    Raises:
        UsageError: missing, not TOML, or another schema.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Expected a readable configuration file {path}: {type(error).__name__}.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"Expected TOML in {path}: {error}.") from None
    schema = table.pop("schema", None)
    if schema != SCHEMA:
        raise UsageError(f"Expected schema = {SCHEMA} in {path}, got {schema!r}.")
    return table


def from_table(kind: type[T], table: Mapping[str, Any], base: T | None = None) -> T:
    """Build a (possibly nested) dataclass from a TOML table; what the table leaves out is as in `base`.

    Raises:
        UsageError: an unknown key (with the nearest known one) or a value of the wrong type.
    """
    hints = typing.get_type_hints(kind)
    for key in table:
        if key not in hints:
            near = difflib.get_close_matches(key, hints, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(sorted(hints))}."
            raise UsageError(f"Unknown key {key!r} in the configuration.{hint}")
    values = {key: _value(key, hints[key], value, getattr(base, key, None)) for key, value in table.items()}
    return kind(**values) if base is None else dataclasses.replace(base, **values)  # type: ignore[type-var]


def _value(key: str, expected: Any, value: Any, base: Any = None) -> Any:
    if dataclasses.is_dataclass(expected) and isinstance(expected, type):
        if not isinstance(value, dict):
            raise UsageError(f"Expected a table [{key}] in the configuration, got {value!r}.")
        return from_table(expected, value, base)
    if isinstance(expected, types.UnionType) and isinstance(value, list):  # such as an optional tuple
        expected = next((o for o in typing.get_args(expected) if typing.get_origin(o) is tuple), expected)
    if typing.get_origin(expected) is tuple:
        if not isinstance(value, list):
            raise UsageError(f"Expected a list for {key}, got {value!r}.")
        element = typing.get_args(expected)[0]
        return tuple(_value(key, element, item) for item in value)
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(expected, type) and (type(value) is expected):
        return value
    if not isinstance(expected, type) and any(type(value) is option for option in typing.get_args(expected)):
        return value
    raise UsageError(f"Expected {key} to be {getattr(expected, '__name__', expected)}, got {value!r}.")


def to_toml(value: object) -> str:
    """Write a dataclass of simple values as TOML, so that `from_table` gives it back."""
    lines = [f"schema = {SCHEMA}"]
    tables: list[str] = []
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        item = getattr(value, field.name)
        if dataclasses.is_dataclass(item):
            body = "\n".join(_line(f.name, getattr(item, f.name)) for f in dataclasses.fields(item))
            tables.append(f"\n[{field.name}]\n{body}")
        elif item is not None:
            lines.append(_line(field.name, item))
    return "\n".join(lines + tables) + "\n"


def _line(name: str, value: object) -> str:
    return f"{name} = {_literal(value)}"


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return repr(value)
