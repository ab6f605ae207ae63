"""The desk's verb: what it refuses before it serves a page. What the pages do is tested beside the desk."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.audits.desk.client import make_desk_gate
from tests.audits.releasing import copied

Privgan = Callable[..., subprocess.CompletedProcess[str]]


def test_what_cannot_be_decided_is_said_before_a_page_is_served(privgan: Privgan, tmp_path: Path) -> None:
    (tmp_path / "gate").mkdir()
    gate = make_desk_gate(tmp_path / "gate")
    report, key = gate.root / "report", gate.root / "officer.key"
    assert "Expected REPORT" in privgan("desk", "--key", key, code=2).stderr
    assert "is missing" in privgan("desk", tmp_path / "absent", "--key", key, code=2).stderr
    assert "Expected a key file" in privgan("desk", report, "--key", tmp_path / "absent", code=2).stderr
    assert "named twice" in privgan("desk", report, report, "--key", key, code=2).stderr
    assert "language among" in privgan("desk", report, "--key", key, "--language", "xx", code=2).stderr
    assert "idle minutes" in privgan("desk", report, "--key", key, "--idle-minutes", 0, code=2).stderr

    other = copied(gate, tmp_path / "other")
    record = json.loads((other.root / "report" / "audit.json").read_text())
    foreign = {**record, "cohort": {**record["cohort"], "cohort_id": "0123456789abcdef"}}
    (other.root / "report" / "audit.json").write_text(json.dumps(foreign))
    refused = privgan("desk", report, other.root / "report", "--cohort", gate.root / "cohort", "--key", key, code=6)
    assert "Expected the cohort that" in refused.stderr
    for odd in ({"verdict": "FAIL"}, {"counts": {}}, {"cohort": None}):
        (other.root / "report" / "audit.json").write_text(json.dumps({**record, **odd}))
        words = ("desk", other.root / "report", "--cohort", gate.root / "cohort", "--key", key)
        assert "http" not in privgan(*words, code=6).stderr
