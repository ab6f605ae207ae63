"""How a test's measurement is told: a phrase and some sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Entry = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Told:
    """answer: a phrase for the list on page one. sentences: for the card."""

    answer: str
    sentences: tuple[str, ...]
