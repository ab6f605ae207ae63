"""The JSON schema of audit.json: a frame, and in it what each question finds."""

import copy
import json
from importlib.resources import files
from typing import Any

from privgan_audits import questions
from privgan_audits.questions import utility

_FRAME = "templates/record.schema.json"


def record_schema() -> dict[str, Any]:
    """The schema, for QUESTIONS as they are; published as docs/reference/audit.schema.json."""
    schema: dict[str, Any] = json.loads(files("privgan_audits.report").joinpath(_FRAME).read_text("utf-8"))
    definitions, branches = schema["$defs"], schema["$defs"]["test"]["then"]["allOf"]
    for asked in questions.QUESTIONS:
        definitions[asked.id] = asked.findings_schema()
        branches.append({"if": {"properties": {"id": {"const": asked.id}}}, "then": {"$ref": f"#/$defs/{asked.id}"}})
    definitions["utility"] = json.loads(files(utility).joinpath("findings.json").read_text("utf-8"))
    return copy.deepcopy(schema)


if __name__ == "__main__":
    print(json.dumps(record_schema(), indent=2))
