"""data-dictionary.json: what the columns of records.csv are, for whoever computes with them."""

import json
from typing import Any

from privgan.language import speaking, tr
from privgan.records.facts import RecordsFacts
from privgan.records.rows import HEAD
from privgan.records.schema import NUMBER, Column


def dictionary(facts: RecordsFacts, language: str) -> str:
    """The text of the file, its sentences in a language."""
    with speaking(language):
        return json.dumps(_table(facts), indent=2, ensure_ascii=False) + "\n"


def _table(facts: RecordsFacts) -> dict[str, Any]:
    return {
        "about": tr("Every record was invented: drawn at random from shares that were measured with noise."),
        "patients_asked": facts.members,
        "where": facts.where,
        "columns": [*({"name": name} for name in HEAD), *(_told(column, facts) for column in facts.schema.columns)],
    }


def _told(column: Column, facts: RecordsFacts) -> dict[str, Any]:
    margin = 2 * facts.errors[column.name]
    return {
        "name": column.name,
        "kind": column.kind,
        **_range(column),
        "missing": "",
        "of": "patient" if column.per_patient else "image",
        "noise_patients": round(margin, 1),
    }


def _range(column: Column) -> dict[str, Any]:
    if column.kind != NUMBER:
        return {"values": list(column.values)}
    return {"low": float(column.low), "high": float(column.high), "bands": column.bands}
