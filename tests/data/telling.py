"""Options of `prepare` by keyword, whichever part of them they belong to."""

from dataclasses import fields
from typing import Any

from privgan.data.cohort.options import PrepareOptions
from privgan.data.columns import Wanted
from privgan.data.sources.wishes import Wishes


def told(**options: Any) -> PrepareOptions:
    """Small images unless a size is given; `columns` are names, as on the command line."""
    own = {field.name: options.pop(field.name) for field in fields(PrepareOptions) if field.name in options}
    columns = Wanted.named(options.pop("columns", ()))
    return PrepareOptions(reading=Wishes(**{"size": 28, **options, "columns": columns}), **own)
