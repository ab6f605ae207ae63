"""What a question of the audit consists of: how it is measured, judged and told, each in a module of its own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import Any

import numpy as np

from privgan.progress import Progress, silent
from privgan_audits.evidence.interface import Evidence, Outcome
from privgan_audits.questions.rule import Rule
from privgan_audits.telling.words import Words

Measure = Callable[[Evidence, np.random.Generator, Progress], Outcome]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question that an attacker would ask.

    id: T0, T1, ...; it stands in records and never changes its meaning. package: the folder. Its `measure.py` has a
    function `measure`; its `findings.json` is the JSON schema of what that finds. rule: reads the record alone.
    words: for people.
    """

    id: str
    package: str
    rule: Rule
    words: Words

    def measure(self, evidence: Evidence, rng: np.random.Generator, progress: Progress = silent) -> Outcome:
        """Measure, using no randomness but `rng` and writing nothing.

        The code that looks at images is imported here, so that whoever only judges and tells never needs it.
        """
        return self.loaded()(evidence, rng, progress)

    def loaded(self) -> Measure:
        """The function that measures, with everything that it imports.

        Raises:
            ModuleNotFoundError: a library is missing.
        """
        found: Measure = import_module(f"{self.package}.measure").measure
        return found

    def findings_schema(self) -> dict[str, Any]:
        """The JSON schema of a measured entry's findings."""
        return read_schema(self.package, "findings.json")


def read_schema(package: str, name: str) -> dict[str, Any]:
    """A JSON schema that lies in a package."""
    schema: dict[str, Any] = json.loads(files(package).joinpath(name).read_text("utf-8"))
    return schema
