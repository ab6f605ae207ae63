"""TOML and JSON files as frozen dataclasses: data only, every key known, every value of its type.

Facts that belong together are one dataclass and are handed on as such; in a file they may stand beside the others.

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
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from privgan.checks import nearest
from privgan.errors import UsageError
from privgan.language import kept

SCHEMA = 1
_INLINE = "inline"
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


def inline(*only: str, **keys: str) -> dict[str, Any]:
    """Metadata of a field that is a dataclass: in a table its values stand beside those of the other fields.

    Args:
        only: its fields that a table has; all of them if none is named. The others keep their defaults.
        keys: under which key a field stands that has another name in a table.
    """
    return {_INLINE: (only, keys)}


def from_table(kind: type[T], table: Mapping[str, Any], base: T | None = None) -> T:
    """Build a (possibly nested) dataclass from a table; what the table leaves out is as in `base`.

    Raises:
        UsageError: an unknown key (with the nearest known one) or a value of the wrong type.
        TypeError: a key is missing.
    """
    hints, known, rest = typing.get_type_hints(kind), keys_of(kind), dict(table)
    for key in table:
        if key not in known:
            hint = nearest(key, known) or kept("Known: {keys}.", keys=", ".join(sorted(known)))
            raise UsageError(f"Unknown key {key!r} in the configuration. {hint}")
    for name, inner in _inlined(kind).items():
        rest[name] = {part: rest.pop(key) for part, key in inner.items() if key in rest}
    values = {key: _value(key, hints[key], value, getattr(base, key, None)) for key, value in rest.items()}
    return kind(**values) if base is None else dataclasses.replace(base, **values)  # type: ignore[type-var]


def to_table(value: object, order: Sequence[str] = ()) -> dict[str, Any]:
    """The table that `from_table` builds a dataclass from: what JSON and TOML can say.

    Args:
        value: a dataclass of simple values and of others such.
        order: the first keys of the table; the others follow in the order of the fields.

    Raises:
        ValueError: a value that such a table has no place for is not the one that reading it would give.
    """
    table: dict[str, Any] = {}
    parts = _inlined(type(value))
    for field in dataclasses.fields(value):  # type: ignore[arg-type]
        item = getattr(value, field.name)
        if field.name not in parts:
            table[field.name] = _plain(item)
            continue
        keys = parts[field.name]
        if lost := [f.name for f in dataclasses.fields(item) if f.name not in keys and not _by_default(item, f)]:
            raise ValueError(f"Expected {', '.join(lost)} as it is by default: the table has no place for it.")
        table |= {key: _plain(getattr(item, name)) for name, key in keys.items()}
    return {**{key: table[key] for key in order}, **table}


def keys_of(kind: type) -> list[str]:
    """The keys of a dataclass's table."""
    parts = _inlined(kind)
    names = (parts.get(field.name, {"": field.name}).values() for field in dataclasses.fields(kind))
    return [key for keys in names for key in keys]


def _inlined(kind: type) -> dict[str, dict[str, str]]:
    """Of every field whose values stand beside the others: their keys by their names."""
    hints, found = typing.get_type_hints(kind), {}
    for field in dataclasses.fields(kind):
        if _INLINE in field.metadata:
            only, keys = field.metadata[_INLINE]
            names = only or [inner.name for inner in dataclasses.fields(hints[field.name])]
            found[field.name] = {name: keys.get(name, name) for name in names}
    return found


def _by_default(item: object, field: dataclasses.Field[Any]) -> bool:
    return bool(getattr(item, field.name) == field.default)


def _plain(item: Any) -> Any:
    if dataclasses.is_dataclass(item):
        return to_table(item)
    if isinstance(item, tuple | list):
        return [_plain(each) for each in item]
    return {key: _plain(each) for key, each in item.items()} if isinstance(item, dict) else item


def _value(key: str, expected: Any, value: Any, base: Any = None) -> Any:
    if dataclasses.is_dataclass(expected) and isinstance(expected, type):
        if not isinstance(value, dict):
            raise UsageError(f"Expected a table [{key}] in the configuration, got {value!r}.")
        return from_table(expected, value, base)
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is tuple:
        return _items(key, arguments, value)
    if origin is dict and isinstance(value, dict):
        return {name: _value(key, arguments[1], item) for name, item in value.items()}
    if origin in (types.UnionType, typing.Union):
        for option in arguments:
            with suppress(UsageError):
                return _value(key, option, value, base)
    if expected is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if expected is Any or (isinstance(expected, type) and type(value) is expected):
        return value
    raise UsageError(f"Expected {key} to be {getattr(expected, '__name__', expected)}, got {value!r}.")


def _items(key: str, kinds: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if not isinstance(value, tuple | list):
        raise UsageError(f"Expected a list for {key}, got {value!r}.")
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(value)
    if len(value) != len(kinds):
        raise UsageError(f"Expected {len(kinds)} items in {key}, got {len(value)}.")
    return tuple(_value(key, kind, item) for kind, item in zip(kinds, value, strict=True))


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
