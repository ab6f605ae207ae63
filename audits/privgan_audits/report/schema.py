"""The JSON schema of audit.json: a frame, and in it what each question finds."""

import json
from typing import Any

from privgan_audits import questions
from privgan_audits.questions.question import read_schema


def record_schema() -> dict[str, Any]:
    """The schema, for QUESTIONS as they are; published as docs/reference/audit.schema.json."""
    schema = read_schema("privgan_audits.report", "templates/record.schema.json")
    definitions, branches = schema["$defs"], schema["$defs"]["test"]["then"]["allOf"]
    for asked in questions.QUESTIONS:
        definitions[asked.id] = asked.findings_schema()
        branches.append({"if": {"properties": {"id": {"const": asked.id}}}, "then": {"$ref": f"#/$defs/{asked.id}"}})
    definitions["utility"] = read_schema("privgan_audits.questions.utility", "findings.json")
    return schema


if __name__ == "__main__":
    print(json.dumps(record_schema(), indent=2))
